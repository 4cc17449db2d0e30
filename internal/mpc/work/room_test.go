package work

import "testing"

// TestRoom: a small heap may grow by as much as some matches take, a large one in
// proportion; what the runtime says of an empty one does not matter.
func TestRoom(t *testing.T) {
	for inUse, want := range map[uint64]int{0: 12800, 1 << 20: 12800, 16 << 20: 800, 32 << 20: 400, 1 << 40: 400} {
		if got := unhurried(inUse); got != want {
			t.Errorf("%d bytes in use: %d %%, want %d", inUse, got, want)
		}
	}
}
