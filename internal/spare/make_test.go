package spare

import (
	"bytes"
	"testing"

	"github.com/angler-dex/angler/internal/mpc/mpctest"
)

// TestMake: both ends come to the halves of one set, with choices that no other set has.
func TestMake(t *testing.T) {
	rnd := mpctest.Rand("make", 1, 0)
	var last Set
	for round := range 2 {
		a, err := Make([32]byte{9}, 0, rnd)
		if err != nil {
			t.Fatal(err)
		}
		b, err := Make([32]byte{9}, 1, rnd)
		if err != nil {
			t.Fatal(err)
		}
		mine, theirs := bytes.Clone(a.Message()), bytes.Clone(b.Message())
		x, err := a.Finish(theirs)
		if err != nil {
			t.Fatal(err)
		}
		y, err := b.Finish(mine)
		if err != nil {
			t.Fatal(err)
		}
		if x.ID != y.ID || x.ID == (ID{}) || x.ID == last.ID {
			t.Errorf("round %d: ids %x and %x", round, x.ID, y.ID)
		}
		for _, ends := range [][2]Set{{x, y}, {y, x}} {
			r, s := ends[0].Pair.Receiver, ends[1].Pair.Sender
			for c, seed := range r.Seeds {
				if seed != s.Pairs[c][r.Choice.Bit(c)] || seed == s.Pairs[c][1-r.Choice.Bit(c)] {
					t.Fatalf("round %d: OT %d is wrong", round, c)
				}
			}
			if last.Pair.Receiver != nil && r.Choice == last.Pair.Receiver.Choice {
				t.Error("a choice serves two sets")
			}
		}
		last = x
	}
	c, err := Make([32]byte{9}, 0, rnd)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range [][]byte{nil, make([]byte, MessageSize-1), make([]byte, MessageSize), bytes.Repeat([]byte{0xff}, MessageSize)} {
		if _, err := c.Finish(bad); err == nil {
			t.Errorf("a message of %d bytes made a set", len(bad))
		}
	}
	c.Wipe()
	if _, err := Make([32]byte{}, 0, bytes.NewReader(nil)); err == nil {
		t.Error("a set without randomness")
	}
}
