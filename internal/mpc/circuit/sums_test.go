package circuit_test

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/angler-dex/angler/internal/mpc/circuit"
	"github.com/angler-dex/angler/internal/mpc/circuit/circuittest"
)

// Sums of inputs that tell more than the sum, and others; among four parties x and y are inputs of 1 and 2, q of party 0, u
// and g an input and an AND of party 3.
func TestSumsOfInputs(t *testing.T) {
	type bits = []circuit.Bit
	for _, tc := range []struct {
		name string
		ok   bool
		to   int
		outs func(b *circuit.Builder, q, x, y, u, g circuit.Bit) bits
	}{
		{"inputs of two", false, 0, func(b *circuit.Builder, _, x, y, _, _ circuit.Bit) bits { return bits{b.Xor(x, y)} }},
		{"the negated sum", false, 0, func(b *circuit.Builder, _, x, y, _, _ circuit.Bit) bits { return bits{b.Not(b.Xor(x, y))} }},
		{"inputs of two and of the recipient", false, 1, func(b *circuit.Builder, q, x, y, _, _ circuit.Bit) bits { return bits{b.Xor(q, b.Xor(x, y))} }},
		{"inputs of the recipient and of another", true, 1, func(b *circuit.Builder, q, x, _, _, _ circuit.Bit) bits { return bits{b.Xor(q, x)} }},
		{"inputs of two, and each of them", true, 0, func(_ *circuit.Builder, _, x, y, _, _ circuit.Bit) bits { return bits{x, y} }},
		{"inputs of two behind an AND", true, 0, func(b *circuit.Builder, _, x, y, _, g circuit.Bit) bits { return bits{b.Xor(g, b.Xor(x, y))} }},
		{"inputs of two behind an AND that is told as well", false, 0, func(b *circuit.Builder, _, x, y, _, g circuit.Bit) bits { return bits{g, b.Xor(g, b.Xor(x, y))} }},
		{"inputs of two, each behind the same AND", false, 0, func(b *circuit.Builder, _, x, y, _, g circuit.Bit) bits { return bits{b.Xor(g, x), b.Xor(g, y)} }},
		{"inputs of one, each behind the same AND", true, 1, func(b *circuit.Builder, q, _, _, _, g circuit.Bit) bits { return bits{g, b.Xor(g, q)} }},
		{"inputs of two behind ANDs of them", true, 0, func(b *circuit.Builder, _, x, y, _, _ circuit.Bit) bits {
			return bits{b.Xor(b.And(x, b.Not(y)), b.And(b.Not(x), y))}
		}},
	} {
		b := circuit.New(4)
		q, x, y, u, v := b.Input(0), b.Input(1), b.Input(2), b.Input(3), b.Input(3)
		for _, out := range tc.outs(b, q, x, y, u, b.And(u, v)) {
			b.Output(tc.to, out)
		}
		_, err := b.Build()
		if (err == nil) != tc.ok || (err != nil && !errors.Is(err, circuit.ErrSums)) {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
}

// A loser would have a garbler's share of a sum that is kept back from it, which is all of the mask of that garbler's input.
func TestConditionalSum(t *testing.T) {
	b := circuit.New(3)
	q, x, w := b.Input(0), b.Input(1), b.Input(2)
	on, sum := b.And(q, w), b.Xor(q, x)
	b.OutputWord(0, circuit.Word{on, sum})
	b.Output(2, on)
	if _, err := b.Build(); err != nil {
		t.Error(err)
	}
	b.OutputIf(2, on, sum)
	if _, err := b.Build(); !errors.Is(err, circuit.ErrSums) {
		t.Errorf("got %v", err)
	}
}

// space is a space of sums of inputs and ANDs, as a list of generators, each a set of bits: at most 64 of them.
type space []uint64

func (s space) all() []uint64 {
	all := []uint64{0}
	for _, g := range s {
		for _, v := range all[:len(all):len(all)] {
			all = append(all, v^g)
		}
	}
	return all
}

func (s space) reduced() (r space) {
	for _, v := range s {
		if v = r.rest(v); v != 0 {
			r = append(r, v)
		}
	}
	return r
}

// rest is v without what the generators, each reduced by those before it, take off it.
func (s space) rest(v uint64) uint64 {
	for _, g := range s {
		v = min(v, v^g)
	}
	return v
}

// tellsMore is whether some coalition learns more than its outputs, if each honest party opens to it its own shares of the
// masks of its outputs, and if it knows all masked values, those of wires in the middle too. Of a conditional output party 0
// opens its share to the recipients in told alone. What it learns are the sums of inputs and ANDs in which each honest
// party's own part of the mask, its inputs and all ANDs, is one of a sum of outputs that it has opened.
func tellsMore(c *circuit.Circuit) bool {
	var ands uint64
	inputs := make([]uint64, c.Parties)
	vectors := make([]uint64, c.Wires)
	for w, of := range masks(c) {
		for m := range of {
			vectors[w] |= 1 << m
		}
	}
	for w, of := range c.Inputs {
		inputs[of] |= 1 << w
	}
	for _, g := range c.Gates {
		if g.Op == circuit.AND {
			ands |= 1 << g.Out
		}
	}
	for coalition := 1; coalition < 1<<c.Parties-1; coalition++ {
		for told := range 1 << c.Parties {
			if told&^coalition == 0 && coalitionLearnsMore(c, vectors, inputs, ands, coalition, told) {
				return true
			}
		}
	}
	return false
}

func coalitionLearnsMore(c *circuit.Circuit, vectors, inputs []uint64, ands uint64, coalition, told int) bool {
	in := func(set, party int) bool { return set>>party&1 == 1 }
	known := uint64(0) // the coalition's own inputs
	var honest []int
	for p := range c.Parties {
		if in(coalition, p) {
			known |= inputs[p]
		} else {
			honest = append(honest, p)
		}
	}
	var ideal space
	opened := make([]space, c.Parties)
	for _, o := range c.Outputs {
		if !in(coalition, o.Party) {
			continue
		}
		v := vectors[o.Wire] &^ known
		kept := o.Class == circuit.Conditional && !in(told, o.Party)
		if !kept {
			ideal = append(ideal, v)
		}
		for _, h := range honest {
			if !kept || h != 0 {
				opened[h] = append(opened[h], v)
			}
		}
	}
	ideal = ideal.reduced()
	parts := make([]map[uint64]uint64, c.Parties) // by ANDs, one set of own inputs
	for _, h := range honest {
		parts[h] = make(map[uint64]uint64)
		for _, v := range opened[h].reduced().all() {
			if v&ands == 0 && ideal.rest(v&inputs[h]) != 0 {
				return true
			}
			parts[h][v&ands] = v & inputs[h]
		}
	}
	for s := range parts[honest[0]] {
		sum, common := s, true
		for _, h := range honest {
			own, ok := parts[h][s]
			common = common && ok
			sum |= own
		}
		if common && ideal.rest(sum) != 0 {
			return true
		}
	}
	return false
}

// Of circuits that are accepted nobody learns more than its outputs; most that are refused for their sums would tell more.
func TestSharesTellNoMoreThanOutputs(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 2026))
	var accepted, conditional, refused, rightly int
	for range 20_000 {
		c := circuittest.Random(rng, 2+rng.IntN(3), 3+rng.IntN(4), 1+rng.IntN(4), 0)
		for range 1 + rng.IntN(6) {
			c.Outputs = append(c.Outputs, circuit.Output{Wire: circuit.Wire(rng.IntN(c.Wires)), Party: rng.IntN(c.Parties)})
		}
		if c.Wires > 64 {
			continue
		}
		if d := circuittest.WithConditions(rng, c, 2); c.Validate() == nil && len(d.Outputs) > len(c.Outputs) {
			c = d
			conditional++
		}
		err := c.Validate()
		switch more := tellsMore(c); {
		case err == nil && more:
			t.Fatalf("%+v tells more than its outputs", c)
		case err == nil:
			accepted++
		case errors.Is(err, circuit.ErrSums):
			refused++
			if more {
				rightly++
			}
		}
	}
	if accepted < 1000 || conditional < 300 || rightly < 100 || 2*rightly < refused {
		t.Errorf("%d accepted, %d of them with conditional outputs; of %d refused %d would tell more", accepted, conditional, refused, rightly)
	}

}
