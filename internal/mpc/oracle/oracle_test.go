package oracle

import (
	"testing"

	"github.com/angler-dex/angler/internal/mpc/block"
)

// TestDistinct: calls that differ in the label, in where a part ends, or in how
// many there are, have different outputs.
func TestDistinct(t *testing.T) {
	seen := map[[Size]byte]int{}
	for k, h := range [][Size]byte{
		Sum("a"), Sum("b"), Sum("a", nil), Sum("a", []byte("x")), Sum("a", []byte("x"), nil), Sum("a", nil, []byte("x")),
		Sum("a", []byte("xy")), Sum("a", []byte("x"), []byte("y")), Sum("ax", []byte("y")),
		SumBlocks("a", nil), SumBlocks("a", []block.Block{{}}), SumBlocks("b", make([]block.Block, 65)), SumBlocks("b", make([]block.Block, 64)),
	} {
		if other, ok := seen[h]; ok && [2]int{other, k} != [2]int{2, 9} { // no blocks are one empty part
			t.Errorf("calls %d and %d agree", other, k)
		}
		seen[h] = k
	}
	blocks := []block.Block{{Lo: 1}, {Hi: 2}}
	if SumBlocks("a", blocks, []byte("p")) != Sum("a", []byte("p"), append(blocks[0].Append(nil), blocks[1].Append(nil)...)) {
		t.Error("blocks are not hashed as their encoding")
	}
}

// TestCommit: a commitment opens for its session, flight, role, label and
// value, and for nothing else.
func TestCommit(t *testing.T) {
	sid, salted := [32]byte{1}, append(make([]byte, SaltSize), "value"...)
	c := Commit(sid, 2, 1, "coin", salted)
	if !Opens(c[:], sid, 2, 1, "coin", salted) {
		t.Fatal("does not open")
	}
	other := append([]byte{1}, salted[1:]...)
	for name, ok := range map[string]bool{
		"session": Opens(c[:], [32]byte{2}, 2, 1, "coin", salted), "flight": Opens(c[:], sid, 4, 1, "coin", salted),
		"role": Opens(c[:], sid, 2, 2, "coin", salted), "label": Opens(c[:], sid, 2, 1, "z", salted),
		"salt": Opens(c[:], sid, 2, 1, "coin", other), "value": Opens(c[:], sid, 2, 1, "coin", append(salted, 0)),
		"length": Opens(c[:31], sid, 2, 1, "coin", salted),
	} {
		if ok {
			t.Errorf("opens with another %s", name)
		}
	}
}
