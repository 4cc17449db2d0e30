package circuit_test

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/angler-dex/angler/internal/mpc/circuit"
	"github.com/angler-dex/angler/internal/mpc/circuit/circuittest"
)

// Providers' outputs that pass and that don't; γ is an AND of two inputs of provider 1, x an input of it, r one of party 0.
func TestProviderOutputNeedsShareOfParty0(t *testing.T) {
	type bits = []circuit.Bit
	for _, tc := range []struct {
		name string
		ok   bool
		outs func(b *circuit.Builder, g, x, r circuit.Bit) bits
	}{
		{"an AND", true, func(_ *circuit.Builder, g, _, _ circuit.Bit) bits { return bits{g} }},
		{"a negated AND", true, func(b *circuit.Builder, g, _, _ circuit.Bit) bits { return bits{b.Not(g)} }},
		{"an AND ⊕ an own input", true, func(b *circuit.Builder, g, x, _ circuit.Bit) bits { return bits{b.Xor(g, x)} }},
		{"an input of party 0", true, func(_ *circuit.Builder, _, _, r circuit.Bit) bits { return bits{r} }},
		{"an own input ⊕ one of party 0", true, func(b *circuit.Builder, _, x, r circuit.Bit) bits { return bits{b.Xor(x, r)} }},
		{"an own input", false, func(_ *circuit.Builder, _, x, _ circuit.Bit) bits { return bits{x} }},
		{"a negated own input", false, func(b *circuit.Builder, _, x, _ circuit.Bit) bits { return bits{b.Not(x)} }},
		{"an AND twice", true, func(b *circuit.Builder, g, _, _ circuit.Bit) bits { return bits{g, g, b.Not(g)} }},
		{"two outputs, their XOR a provider's input", false, func(b *circuit.Builder, g, x, _ circuit.Bit) bits { return bits{g, b.Xor(g, x)} }},
		{"two outputs, their XOR party 0's input", true, func(b *circuit.Builder, g, _, r circuit.Bit) bits { return bits{g, b.Xor(g, r)} }},
		{"three outputs, their XOR a provider's input", false, func(b *circuit.Builder, g, x, r circuit.Bit) bits {
			return bits{b.Xor(g, x), b.Xor(g, r), r}
		}},
	} {
		b := circuit.New(3)
		x, y, r := b.Input(1), b.Input(1), b.Input(0)
		outs := tc.outs(b, b.And(x, y), x, r)
		for k, out := range outs {
			b.Output(1+k%2, out)
		}
		_, err := b.Build()
		if (err == nil) != tc.ok || (err != nil && !errors.Is(err, circuit.ErrUnmasked)) {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
}

// A wire whose AND cancels through gates that the builder does not see through.
func TestCancelledMaskIsRefused(t *testing.T) {
	c := &circuit.Circuit{
		Parties: 2, Inputs: []int{1, 1}, Wires: 6,
		Gates: []circuit.Gate{
			{Op: circuit.AND, A: 0, B: 1, Out: 2},
			{Op: circuit.NOT, A: 2, Out: 3},
			{Op: circuit.XOR, A: 3, B: 0, Out: 4},
			{Op: circuit.XOR, A: 4, B: 2, Out: 5}, // ¬x
		},
		Outputs: []circuit.Output{{Wire: 5, Party: 0}},
	}
	if err := c.Validate(); err != nil {
		t.Errorf("an output to party 0: %v", err)
	}
	c.Outputs[0].Party = 1
	if err := c.Validate(); !errors.Is(err, circuit.ErrUnmasked) {
		t.Errorf("an output to the provider: %v", err)
	}
}

// masks spells a wire's mask out: the inputs and ANDs in it.
func masks(c *circuit.Circuit) []map[circuit.Wire]bool {
	sum := make([]map[circuit.Wire]bool, c.Wires)
	for w := range c.Inputs {
		sum[w] = map[circuit.Wire]bool{circuit.Wire(w): true}
	}
	for _, g := range c.Gates {
		s := map[circuit.Wire]bool{}
		if g.Op == circuit.AND {
			s[g.Out] = true
		} else {
			toggle(s, sum[g.A])
			if g.Op == circuit.XOR {
				toggle(s, sum[g.B])
			}
		}
		sum[g.Out] = s
	}
	return sum
}

func toggle(s, other map[circuit.Wire]bool) {
	for w := range other {
		if s[w] {
			delete(s, w)
		} else {
			s[w] = true
		}
	}
}

// The rule word for word, over all subsets of outputs: "every XOR of provider outputs either vanishes identically or has a
// share of party 0", and no output vanishes by itself.
func masked(c *circuit.Circuit) bool {
	var outs []circuit.Wire
	for _, o := range c.Outputs {
		if o.Party != 0 {
			outs = append(outs, o.Wire)
		}
	}
	sums := masks(c)
	for set := 1; set < 1<<len(outs); set++ {
		s, shared := map[circuit.Wire]bool{}, false
		for i, w := range outs {
			if set>>i&1 == 1 {
				toggle(s, sums[w])
			}
		}
		for w := range s {
			shared = shared || int(w) >= len(c.Inputs) || c.Inputs[w] == 0
		}
		if !shared && (len(s) > 0 || set&(set-1) == 0) {
			return false
		}
	}
	return true
}

func TestMaskRuleMatchesItsWording(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	var count [2]int
	for range 3000 {
		c := circuittest.Random(rng, 3, 5, 1+rng.IntN(5), 0)
		for range 2 + rng.IntN(5) {
			c.Outputs = append(c.Outputs, circuit.Output{Wire: circuit.Wire(rng.IntN(c.Wires)), Party: rng.IntN(3)})
		}
		err, want := c.Validate(), masked(c)
		if want && errors.Is(err, circuit.ErrSums) {
			continue // another rule
		}
		if (err == nil) != want || (err != nil && !errors.Is(err, circuit.ErrUnmasked)) {
			t.Fatalf("%+v: %v, the wording says %v", c, err, want)
		}
		if want {
			count[1]++
		} else {
			count[0]++
		}
	}
	if count[0] < 300 || count[1] < 300 {
		t.Errorf("%d refused and %d accepted: too one-sided to mean anything", count[0], count[1])
	}
}

// More than 64 provider outputs: the vectors have more than one word.
func TestMaskRuleOverManyOutputs(t *testing.T) {
	b := circuit.New(2)
	x, y := b.InputWord(1, 130), b.InputWord(0, 130)
	z := b.AndWord(x, y)
	b.OutputWord(1, z)
	if _, err := b.Build(); err != nil {
		t.Fatal(err)
	}
	b.Output(1, b.Xor(b.Sum(z), x[129]))
	if _, err := b.Build(); !errors.Is(err, circuit.ErrUnmasked) {
		t.Errorf("the XOR of all 131 outputs is an input of the provider: %v", err)
	}
}
