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
	wires := evalWires(c, slices.Grow(sliced(c, inputs), c.Wires))
	outputs := make([][][]bool, len(inputs))
	for lane := range inputs {
		outputs[lane] = make([][]bool, c.Parties)
		for _, o := range c.Outputs {
			outputs[lane][o.Party] = append(outputs[lane][o.Party], outputLanes(o, wires)>>lane&1 == 1)
		}
	}
	return outputs
}

// outputLanes is what an output gives in all lanes.
func outputLanes(o circuit.Output, wires []uint64) uint64 {
	if o.Class == circuit.Conditional {
		return wires[o.Wire] & wires[o.If]
	}
	return wires[o.Wire]
}

// sliced gives the input wires, a lane a bit.
func sliced(c *circuit.Circuit, inputs [][][]bool) []uint64 {
	wires := make([]uint64, len(c.Inputs))
	next := make([]int, c.Parties)
	for w, owner := range c.Inputs {
		for lane, in := range inputs {
			if in[owner][next[owner]] {
				wires[w] |= 1 << lane
			}
		}
		next[owner]++
	}
	return wires
}

// evalWires computes all wires behind those of the inputs.
func evalWires(c *circuit.Circuit, wires []uint64) []uint64 {
	wires = wires[:c.Wires]
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
	return wires
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

// The control of all comparisons with the references: a circuit with one AND in the place of a XOR, or the other way around, is
// noticed by the scenarios that they run.
func TestWrongGatesAreNoticed(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	noticed, tried, batches := 0, 0, 10_000/lanes
	if testing.Short() {
		batches = 1_000 / lanes
	}
	for _, policy := range samples() {
		const n = 3
		f := mustNew(t, policy, n)
		c := mustBuild(t, f, identity(n))
		var inputs, want [][]uint64
		for range batches {
			batch := make([][][]bool, lanes)
			for lane := range batch {
				batch[lane] = drawing{rng}.world(f.Policy(), n).inputs(t, f)
			}
			wires := sliced(c, batch)
			inputs = append(inputs, wires)
			want = append(want, evalWires(c, slices.Grow(slices.Clone(wires), c.Wires)))
		}
		room := make([]uint64, c.Wires)
		for range 30 {
			wrong := *c
			wrong.Gates = slices.Clone(c.Gates)
			g := &wrong.Gates[rng.IntN(len(wrong.Gates))]
			switch g.Op {
			case circuit.AND:
				g.Op = circuit.XOR
			case circuit.XOR:
				g.Op = circuit.AND
			default:
				continue // a NOT more or less changes what is behind it as well
			}
			tried++
			for k := range inputs {
				copy(room, inputs[k])
				got := evalWires(&wrong, room)
				if slices.ContainsFunc(c.Outputs, func(o circuit.Output) bool { return outputLanes(o, got) != outputLanes(o, want[k]) }) {
					noticed++
					break
				}
			}
		}
	}
	// The few that remain are high bits of comparisons between numbers that agree there in all scenarios.
	least := tried * 93 / 100
	if testing.Short() {
		least = tried * 85 / 100
	}
	if noticed < least {
		t.Errorf("%d of %d wrong gates are noticed", noticed, tried)
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
