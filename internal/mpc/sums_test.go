package mpc

import (
	"errors"
	"testing"

	"github.com/angler-dex/angler/internal/mpc/auth"
	"github.com/angler-dex/angler/internal/mpc/circuit"
	"github.com/angler-dex/angler/internal/mpc/mpctest"
)

// TestOwnRowsShowMaskedBits: a provider that spoils its own merged rows next to one
// of its outputs reads masked bits of wires in the middle off the label that party 0
// sends it, and nobody notices. It is why the rule on sums of inputs counts on an
// adversary that knows the masked bits of all wires.
func TestOwnRowsShowMaskedBits(t *testing.T) {
	b := circuit.New(3)
	q, x, w := b.Input(0), b.Input(1), b.Input(2)
	b.Output(0, b.And(q, x))
	b.Output(2, b.And(x, w))
	c, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	gate := c.Gates[1]
	if gate.Op != circuit.AND || int(gate.A) != 1 {
		t.Fatalf("%+v", c.Gates)
	}
	var masked, read [2]int
	for seed := range uint64(40) {
		m := &trial{name: "own rows", seed: seed, fn: mpctest.Fixed{Circuit: c}, sets: dealt("own rows", 0, 3)}
		var s uint64 // Λ of x
		spoil := after(8, func(_ *cheat, out outgoing) { out[0][fTable] = flipped(out[0][fTable], 8*48+5) })
		spoil.pre = map[int]func(*cheat){10: func(c *cheat) {
			out := c.seen[9][0]
			want := c.garbler.Label0[gate.Out].Xor(c.delta.Mask(auth.Bits(out[fMasked]).Get(0))).Append(nil)
			spoiled := uint64(want[0]^out[fOutLabels][0]) >> 5 & 1
			masked[s]++
			if spoiled == s {
				read[s]++
			}
		}}
		m.cheats = map[int]*cheat{0: before(9, func(c *cheat) { s = auth.Bits(c.seen[8][1][fInputS]).Get(0) }), 2: spoil}
		_, res := m.run(t)
		for i := range 2 {
			if res.Errors[i] != nil {
				t.Fatalf("party %d: %v", i, res.Errors[i])
			}
		}
	}
	if read != masked || masked[0] == 0 || masked[1] == 0 {
		t.Errorf("of %v masked bits %v were read", masked, read)
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
