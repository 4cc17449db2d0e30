package placement

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/angler-dex/angler/internal/mpc/circuit"
)

// lanes is how many scenarios are evaluated at once: one a bit of a machine word.
const lanes = 64

// evalSliced computes a circuit on up to 64 sets of inputs: inputs[lane][party], and the outputs likewise.
func evalSliced(c *circuit.Circuit, inputs [][][]bool) [][][]bool {
	wires := make([]uint64, c.Wires)
	next := make([]int, c.Parties)
	for w, owner := range c.Inputs {
		for lane, in := range inputs {
			if in[owner][next[owner]] {
				wires[w] |= 1 << lane
			}
		}
		next[owner]++
	}
	for _, g := range c.Gates {
		switch g.Op {
		case circuit.AND:
			wires[g.Out] = wires[g.A] & wires[g.B]
		case circuit.XOR:
			wires[g.Out] = wires[g.A] ^ wires[g.B]
		case circuit.NOT:
			wires[g.Out] = ^wires[g.A]
		}
	}
	outputs := make([][][]bool, len(inputs))
	for lane := range inputs {
		outputs[lane] = make([][]bool, c.Parties)
		for _, o := range c.Outputs {
			outputs[lane][o.Party] = append(outputs[lane][o.Party], wires[o.Wire]>>lane&1 == 1)
		}
	}
	return outputs
}

// The sliced evaluation is that of package circuit.
func TestSlicedEvaluation(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, policy := range samples() {
		f := mustNew(t, policy, 3)
		c := mustBuild(t, f, identity(3))
		inputs := make([][][]bool, lanes)
		for lane := range inputs {
			inputs[lane] = make([][]bool, c.Parties)
			for party := range inputs[lane] {
				for range c.InputsOf(party) {
					inputs[lane][party] = append(inputs[lane][party], rng.IntN(2) == 1)
				}
			}
		}
		for lane, got := range evalSliced(c, inputs) {
			if want := run(c, inputs[lane]); !slices.EqualFunc(got, want, slices.Equal) {
				t.Fatalf("%s, lane %d: %v, want %v", policy, lane, got, want)
			}
		}
	}
}

// run evaluates a circuit on each party's inputs and gives each party's outputs.
func run(c *circuit.Circuit, inputs [][]bool) [][]bool {
	values := make([]bool, len(c.Inputs))
	for party := range inputs {
		for k, w := range c.InputsOf(party) {
			values[w] = inputs[party][k]
		}
	}
	all := c.Eval(values)
	outputs := make([][]bool, c.Parties)
	for party := range outputs {
		for _, k := range c.OutputsOf(party) {
			outputs[party] = append(outputs[party], all[k])
		}
	}
	return outputs
}

func mustNew(t testing.TB, policy string, providers int) Function {
	t.Helper()
	f, err := New(policy, providers)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func mustBuild(t testing.TB, f Function, order []int) *circuit.Circuit {
	t.Helper()
	c, err := f.Build(order)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func identity(n int) []int {
	order := make([]int, n)
	for k := range order {
		order[k] = k
	}
	return order
}
