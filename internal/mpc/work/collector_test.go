package work_test

import (
	"runtime/debug"
	"testing"

	"github.com/angler-dex/angler/internal/mpc/work"
)

// percent reads the collector's setting.
func percent() int {
	p := debug.SetGCPercent(100)
	debug.SetGCPercent(p)
	return p
}

// TestUnhurried: the collector waits while anybody wants it to, and is then what it
// was; one that is slower already, or off, is left alone.
func TestUnhurried(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(70))
	first, second := work.Unhurried(), work.Unhurried()
	waits := percent()
	if waits < 400 {
		t.Errorf("%d with two users", waits)
	}
	if first(); percent() != waits {
		t.Errorf("%d with one user left", percent())
	}
	first() // once is enough
	if percent() != waits {
		t.Error("one user counted twice")
	}
	if second(); percent() != 70 {
		t.Errorf("%d at the end", percent())
	}
	for _, own := range []int{-1, 1 << 20} {
		debug.SetGCPercent(own)
		done := work.Unhurried()
		if percent() != own {
			t.Errorf("%d became %d", own, percent())
		}
		if done(); percent() != own {
			t.Errorf("%d became %d at the end", own, percent())
		}
	}
}
