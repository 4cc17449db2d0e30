// Package circuittest makes random circuits for the tests of whatever runs circuits.
package circuittest

import (
	"math/rand/v2"

	"github.com/angler-dex/angler/internal/mpc/circuit"
)

// Random draws a valid circuit with the given numbers of input bits and ANDs and about as many XORs and NOTs, wired at
// random; each party gets outputs entries, a provider fewer where the rule on output masks leaves no choice. Nothing is
// optimised: dead gates, gates that read one wire twice, inputs that nobody reads and outputs that are inputs occur.
// inputs must be at least 2.
func Random(rng *rand.Rand, parties, inputs, ands, outputs int) *circuit.Circuit {
	c := &circuit.Circuit{Parties: parties, Wires: inputs}
	for range inputs {
		c.Inputs = append(c.Inputs, rng.IntN(parties))
	}
	for n := 0; n < ands; {
		g := circuit.Gate{Op: circuit.Op(1 + rng.IntN(4)%3), Out: circuit.Wire(c.Wires)}
		g.A, g.B = circuit.Wire(rng.IntN(c.Wires)), circuit.Wire(rng.IntN(c.Wires))
		switch {
		case g.Op == circuit.NOT:
			g.B = 0
		case g.Op == circuit.AND && g.A == g.B:
			continue
		case g.Op == circuit.AND:
			n++
		}
		c.Gates = append(c.Gates, g)
		c.Wires++
	}
	for k := range parties * outputs {
		for range 20 {
			c.Outputs = append(c.Outputs, circuit.Output{Wire: circuit.Wire(rng.IntN(c.Wires)), Party: k % parties})
			if c.Validate() == nil {
				break
			}
			c.Outputs = c.Outputs[:len(c.Outputs)-1]
		}
	}
	return c
}

// WithConditions adds to a circuit up to so many conditional outputs for each provider that has outputs: one of these becomes
// their condition and an output of party 0, and what they tell is outputs and inputs of party 0.
func WithConditions(rng *rand.Rand, c *circuit.Circuit, most int) *circuit.Circuit {
	d := &circuit.Circuit{Parties: c.Parties, Inputs: c.Inputs, Gates: c.Gates, Outputs: append([]circuit.Output(nil), c.Outputs...), Wires: c.Wires}
	for party := 1; party < c.Parties; party++ {
		own := c.OutputsOf(party)
		if len(own) == 0 {
			continue
		}
		on := c.Outputs[own[rng.IntN(len(own))]].Wire
		d.Outputs = append(d.Outputs, circuit.Output{Wire: on})
		known := append(c.InputsOf(0), on)
		for _, k := range d.OutputsOf(0) {
			known = append(known, d.Outputs[k].Wire)
		}
		for range most {
			d.Outputs = append(d.Outputs, circuit.Output{Wire: known[rng.IntN(len(known))], Party: party, Class: circuit.Conditional, If: on})
			if d.Validate() != nil {
				d.Outputs = d.Outputs[:len(d.Outputs)-1]
			}
		}
	}
	return d
}

// Bits draws n random bits.
func Bits(rng *rand.Rand, n int) []bool {
	bits := make([]bool, n)
	for i := range bits {
		bits[i] = rng.Uint32()&1 == 1
	}
	return bits
}
