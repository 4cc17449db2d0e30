package circuit_test

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/angler-dex/angler/internal/mpc/circuit"
	"github.com/angler-dex/angler/internal/mpc/circuit/circuittest"
)

func sound() *circuit.Circuit {
	return &circuit.Circuit{
		Parties: 3, Inputs: []int{0, 1, 2}, Wires: 6,
		Gates: []circuit.Gate{
			{Op: circuit.AND, A: 0, B: 1, Out: 3},
			{Op: circuit.NOT, A: 2, Out: 4},
			{Op: circuit.XOR, A: 3, B: 4, Out: 5},
		},
		Outputs: []circuit.Output{{Wire: 5, Party: 1}, {Wire: 2, Party: 0}},
	}
}

func TestValidate(t *testing.T) {
	if err := sound().Validate(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(c *circuit.Circuit){
		"one party":             func(c *circuit.Circuit) { c.Parties = 1 },
		"257 parties":           func(c *circuit.Circuit) { c.Parties = circuit.MaxParties + 1 },
		"too few wires":         func(c *circuit.Circuit) { c.Wires-- },
		"too many wires":        func(c *circuit.Circuit) { c.Wires++ },
		"owner 3 of 3":          func(c *circuit.Circuit) { c.Inputs[0] = 3 },
		"owner −1":              func(c *circuit.Circuit) { c.Inputs[0] = -1 },
		"a wire driven twice":   func(c *circuit.Circuit) { c.Gates[1].Out = 3 },
		"a gate that drives in": func(c *circuit.Circuit) { c.Gates[0].Out = 0 },
		"a cycle":               func(c *circuit.Circuit) { c.Gates[0].A = 3 },
		"a wire read early":     func(c *circuit.Circuit) { c.Gates[0].B = 5 },
		"a wire that is not":    func(c *circuit.Circuit) { c.Gates[2].B = 99 },
		"AND(w, w)":             func(c *circuit.Circuit) { c.Gates[0].B = 0 },
		"a NOT of two":          func(c *circuit.Circuit) { c.Gates[1].B = 1 },
		"operation 0":           func(c *circuit.Circuit) { c.Gates[0].Op = 0 },
		"operation 4":           func(c *circuit.Circuit) { c.Gates[0].Op = 4 },
		"an output beyond":      func(c *circuit.Circuit) { c.Outputs[1].Wire = 6 },
		"an output of 2^32−1":   func(c *circuit.Circuit) { c.Outputs[1].Wire = 1<<32 - 1 },
		"recipient 3 of 3":      func(c *circuit.Circuit) { c.Outputs[0].Party = 3 },
		"recipient −1":          func(c *circuit.Circuit) { c.Outputs[0].Party = -1 },
		"an unmasked output":    func(c *circuit.Circuit) { c.Outputs[1].Party = 2 },
	} {
		c := sound()
		spoil(c)
		if err := c.Validate(); !errors.Is(err, circuit.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestStats(t *testing.T) {
	b := circuit.New(2)
	x := b.InputWord(0, 4)
	b.Output(0, b.And(b.Xor(b.And(x[0], x[1]), x[2]), b.Not(x[3])))
	b.Output(1, b.And(x[2], x[3]))
	c, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	if want := (circuit.Stats{Inputs: 4, Outputs: 2, ANDs: 3, XORs: 1, NOTs: 1, Depth: 2}); c.Stats() != want || c.ANDs() != 3 {
		t.Errorf("got %v", c.Stats())
	}
	if got, want := c.String(), "circuit of 2 parties: 4 inputs, 2 outputs, 3 AND, 1 XOR, 1 NOT, depth 2"; got != want {
		t.Errorf("got %q", got)
	}
	if got, want := circuit.NOT.String()+circuit.AND.String()+circuit.XOR.String()+circuit.Op(9).String(), "NOTANDXOROp(9)"; got != want {
		t.Errorf("operations are called %q", got)
	}
}

func TestRandomCircuitsAreValid(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for range 100 {
		c := circuittest.Random(rng, 2+rng.IntN(8), 10, 14, 3)
		if err := c.Validate(); err != nil {
			t.Fatal(err)
		}
		if c.ANDs() != 14 || len(c.OutputsOf(0)) != 3 || len(c.OutputsOf(1)) == 0 {
			t.Fatalf("%v", c)
		}
		if got := c.Eval(circuittest.Bits(rng, 10)); len(got) != len(c.Outputs) {
			t.Fatalf("%d outputs of %d", len(got), len(c.Outputs))
		}
	}
}

func TestEvalWantsAllInputs(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("an input value is missing and nobody noticed")
		}
	}()
	sound().Eval(make([]bool, 2))
}
