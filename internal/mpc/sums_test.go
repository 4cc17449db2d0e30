package mpc

import (
	"errors"
	"testing"

	"github.com/angler-dex/angler/internal/mpc/auth"
	"github.com/angler-dex/angler/internal/mpc/block"
	"github.com/angler-dex/angler/internal/mpc/circuit"
	"github.com/angler-dex/angler/internal/mpc/garble"
	"github.com/angler-dex/angler/internal/mpc/mpctest"
)

// TestOwnRowsShowMaskedBits: a provider that spoils its own merged rows next to one
// of its outputs learns a masked bit of a wire in the middle: that it is 1 if the
// match fails, and else that it is 0. It is why the rule on sums of inputs counts on
// an adversary that knows the masked bits of all wires.
func TestOwnRowsShowMaskedBits(t *testing.T) {
	b := circuit.New(3)
	q, x, w := b.Input(0), b.Input(1), b.Input(2)
	b.Output(0, b.And(q, x))
	b.Output(2, b.And(x, w))
	c, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	if gate := c.Gates[1]; gate.Op != circuit.AND || gate.A != 1 {
		t.Fatalf("%+v", c.Gates)
	}
	var masked [2]int
	for seed := range uint64(40) {
		m := &trial{name: "own rows", seed: seed, fn: mpctest.Fixed{Circuit: c}, sets: dealt("own rows", 0, 3)}
		var s uint64 // Λ of x
		m.cheats = map[int]*cheat{
			0: before(9, func(c *cheat) { s = auth.Bits(c.seen[8][1][fInputS]).Get(0) }),
			2: after(8, func(_ *cheat, out outgoing) { out[0][fTable] = flipped(out[0][fTable], 8*48+5) }),
		}
		_, res := m.run(t)
		if failed := m.cheats[0].failed != nil; failed != (s == 1) {
			t.Fatalf("seed %d: Λ is %d, party 0: %v, party 1: %v", seed, s, m.cheats[0].failed, res.Errors[1])
		}
		masked[s]++
	}
	if masked[0] == 0 || masked[1] == 0 {
		t.Errorf("%v", masked)
	}
}

// TestOutputsOfOthersAreNotSpoilt: a garbler whose row makes a label of another
// provider's output wrong, behind the last AND, would keep it from its result when
// party 0 has its own, and the other would name party 0. Party 0 finds the label wrong
// by its tag: nobody has a result, whoever wins, and nobody is named.
func TestOutputsOfOthersAreNotSpoilt(t *testing.T) {
	for party := 1; party < 3; party++ { // the winner, and a loser
		m := auctioned("spoilt")
		m.cheats = map[int]*cheat{3: after(7, func(c *cheat, out outgoing) {
			paid := outputsOf(c.circuit, party, circuit.Conditional)[4].Wire
			ands := 0
			for _, g := range c.circuit.Gates {
				if g.Op != circuit.AND {
					continue
				}
				if g.Out == paid {
					out[party][fGarbled] = flipped(out[party][fGarbled], 8*(garble.RowBytes*ands+2*block.Size)+3)
					return
				}
				ands++
			}
			t.Error("no gate of that output")
		})}
		parties, res := m.run(t)
		var abort *AbortError
		if !asAbort(res.Errors[0], &abort) || !errors.Is(abort, garble.ErrRows) || abort.Peer != unknown {
			t.Errorf("party 0: %v", res.Errors[0])
		}
		for i, p := range parties[:3] {
			if out, ok := p.Outputs(); ok {
				t.Errorf("party %d has %v", i, out)
			}
		}
	}
}

// TestSumsAreRefused: x ⊕ y to party 0 would tell it x and y, for the shares of its
// mask are each all of the mask of an input. A party does not begin.
func TestSumsAreRefused(t *testing.T) {
	fn := mpctest.Fixed{Circuit: &circuit.Circuit{
		Parties: 3, Inputs: []int{1, 2}, Wires: 3, Gates: []circuit.Gate{{Op: circuit.XOR, A: 0, B: 1, Out: 2}},
		Outputs: []circuit.Output{{Wire: 2}},
	}}
	_, err := New(Config{
		N: 3, Function: fn, Rand: mpctest.Rand("sums", 0, 0), Inputs: func() ([]bool, error) { return nil, nil },
		Sign: func([]byte) ([]byte, error) { return nil, nil },
	})
	if !errors.Is(err, circuit.ErrSums) {
		t.Errorf("got %v", err)
	}
}
