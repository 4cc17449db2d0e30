package circuit_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/angler-dex/angler/internal/mpc/circuit"
	"github.com/angler-dex/angler/internal/mpc/circuit/circuittest"
)

// told tells party 1, if x ∧ y, an input of party 0 and its second output.
func told() *circuit.Circuit {
	return &circuit.Circuit{
		Parties: 3, Inputs: []int{0, 1, 0, 2}, Wires: 6,
		Gates: []circuit.Gate{{Op: circuit.AND, A: 0, B: 1, Out: 4}, {Op: circuit.AND, A: 2, B: 3, Out: 5}},
		Outputs: []circuit.Output{
			{Wire: 4, Party: 0}, {Wire: 5, Party: 0}, {Wire: 4, Party: 1},
			{Wire: 2, Party: 1, Class: circuit.Conditional, If: 4}, {Wire: 5, Party: 1, Class: circuit.Conditional, If: 4},
		},
	}
}

func TestConditionalOutputs(t *testing.T) {
	c := told()
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	for v := range 16 {
		x := []bool{v&1 > 0, v&2 > 0, v&4 > 0, v&8 > 0}
		on, product := x[0] && x[1], x[2] && x[3]
		if got := c.Eval(x); !slices.Equal(got, []bool{on, product, on, x[2] && on, product && on}) {
			t.Errorf("of %v it is %v", x, got)
		}
	}
}

// Whatever party 0 could not disclose by itself, or the two would not agree on, is refused.
func TestConditionsThatAreRefused(t *testing.T) {
	for name, spoil := range map[string]func(o []circuit.Output){
		"a condition that party 0 does not learn":        func(o []circuit.Output) { o[0].Wire = 2 },
		"a condition that the recipient does not learn":  func(o []circuit.Output) { o[2].Wire = 5 },
		"a condition that another provider learns":       func(o []circuit.Output) { o[2].Party = 2 },
		"a value that party 0 does not learn":            func(o []circuit.Output) { o[1].Wire = 4 },
		"another's input":                                func(o []circuit.Output) { o[3].Wire = 1 },
		"two conditions":                                 func(o []circuit.Output) { o[4].If = 5 },
		"a condition that is no wire":                    func(o []circuit.Output) { o[3].If, o[4].If = 1<<32-1, 1<<32-1 },
		"a value that is no wire":                        func(o []circuit.Output) { o[3].Wire = 6 },
		"conditional to party 0":                         func(o []circuit.Output) { o[3].Party = 0 },
		"another class":                                  func(o []circuit.Output) { o[3].Class = 2 },
		"a private one with a condition":                 func(o []circuit.Output) { o[2].If = 4 },
		"its own condition":                              func(o []circuit.Output) { o[3].Wire = 4 },
		"a condition that is itself conditional":         func(o []circuit.Output) { o[2].Class, o[2].If = circuit.Conditional, 4 },
		"a value that party 0 would learn conditionally": func(o []circuit.Output) { o[1].Class, o[1].If = circuit.Conditional, 4 },
	} {
		c := told()
		spoil(c.Outputs)
		if err := c.Validate(); !errors.Is(err, circuit.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	c := told()
	c.Outputs = c.Outputs[:3]
	c.Outputs[0].If = 4
	if err := c.Validate(); !errors.Is(err, circuit.ErrInvalid) {
		t.Errorf("a condition where nothing is conditional: %v", err)
	}
}

// The rule on masks is one of private and conditional outputs together: here party 1's private output is the conditional one
// with an input of its own added, so its share of party 0 would tell it the other.
func TestConditionalMasks(t *testing.T) {
	c := told()
	c.Gates = append(c.Gates, circuit.Gate{Op: circuit.XOR, A: 5, B: 1, Out: 6})
	c.Wires++
	c.Outputs = append(c.Outputs, circuit.Output{Wire: 6, Party: 1})
	if err := c.Validate(); !errors.Is(err, circuit.ErrUnmasked) {
		t.Errorf("got %v", err)
	}
}

// A Builder makes the same circuit; a condition that is negated is a wire like any other, and a constant one is refused.
func TestOutputIf(t *testing.T) {
	b := circuit.New(3)
	x, y, u, v := b.Input(0), b.Input(1), b.Input(0), b.Input(2)
	on, product := b.And(x, y), b.And(u, v)
	b.OutputWord(0, circuit.Word{on, product})
	b.Output(1, on)
	b.OutputWordIf(1, on, circuit.Word{u, product})
	c, err := b.Build()
	if err != nil || c.Hash() != told().Hash() {
		t.Errorf("%+v, %v", c, err)
	}
	b.Output(0, b.Not(on))
	b.Output(2, b.Not(on))
	b.OutputIf(2, b.Not(on), product)
	if c, err = b.Build(); err != nil {
		t.Fatal(err)
	}
	if got := c.Eval([]bool{false, true, false, true}); got[len(got)-1] {
		t.Error("0 ∧ 1 is 1")
	}
	if got := c.Eval([]bool{false, true, true, true}); !got[len(got)-1] {
		t.Error("1 ∧ 1 is 0")
	}
	b.OutputIf(2, circuit.True, u)
	if _, err := b.Build(); !errors.Is(err, circuit.ErrInvalid) {
		t.Errorf("a constant condition: %v", err)
	}
}

// In Bristol Fashion a conditional output is an AND.
func TestConditionalInBristolFashion(t *testing.T) {
	c := told()
	var text bytes.Buffer
	if err := c.WriteBristol(&text, circuit.Bristol{}); err != nil {
		t.Fatal(err)
	}
	if len(c.Gates) != 2 || len(c.Outputs) != 5 {
		t.Error("the circuit itself has changed")
	}
	back, _, err := circuit.ReadBristol(&text, func(in, out []int) (circuit.Bristol, error) {
		return circuit.Bristol{Parties: 3, Owners: []int{0, 1, 0, 2}, Recipients: [][]int{{0}, {1}}}, nil
	})
	if err != nil || back.ANDs() != 4 {
		t.Fatalf("%v, %v", back, err)
	}
	for v := range 16 {
		x := []bool{v&1 > 0, v&2 > 0, v&4 > 0, v&8 > 0}
		if !slices.Equal(c.Eval(x), back.Eval(x)) {
			t.Errorf("another result at %v", x)
		}
	}
}

// Random circuits with conditional outputs are valid and compute what those without would, masked.
func TestRandomConditional(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 2026))
	found := 0
	for range 60 {
		plain := circuittest.Random(rng, 3, 9, 20, 3)
		c := circuittest.WithConditions(rng, plain, 3)
		if err := c.Validate(); err != nil {
			t.Fatal(err)
		}
		x := circuittest.Bits(rng, 9)
		values := c.Eval(x)
		for k, o := range c.Outputs {
			if o.Class != circuit.Conditional {
				continue
			}
			found++
			of := func(w circuit.Wire) bool { // by an output of the provider or of party 0, or an input
				if int(w) < len(x) {
					return x[w]
				}
				return values[slices.Index(c.Outputs, circuit.Output{Wire: w})]
			}
			if want := of(o.Wire) && of(o.If); values[k] != want {
				t.Fatalf("output %d is %v", k, values[k])
			}
		}
	}
	if found < 60 {
		t.Errorf("only %d conditional outputs", found)
	}
}
