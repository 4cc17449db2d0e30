// Package ideal is the ideal functionality of a match: a trusted party that
// gets everybody's inputs, computes the circuit in clear and hands each party
// its own outputs. The product never does this; the tests of the protocol are
// "as the ideal functionality, or an abort".
package ideal

import (
	"fmt"

	"github.com/angler-dex/angler/internal/mpc/circuit"
)

// Compute returns the outputs of each party, in the order of its entries, given
// each party's input bits in the order of its wires.
func Compute(c *circuit.Circuit, inputs [][]bool) ([][]bool, error) {
	if len(inputs) != c.Parties {
		return nil, fmt.Errorf("ideal: inputs of %d parties, not %d", len(inputs), c.Parties)
	}
	all := make([]bool, len(c.Inputs))
	for party, own := range inputs {
		wires := c.InputsOf(party)
		if len(own) != len(wires) {
			return nil, fmt.Errorf("ideal: %d input bits of party %d, not %d", len(own), party, len(wires))
		}
		for k, w := range wires {
			all[w] = own[k]
		}
	}
	values := c.Eval(all)
	outputs := make([][]bool, c.Parties)
	for k, o := range c.Outputs {
		outputs[o.Party] = append(outputs[o.Party], values[k])
	}
	return outputs, nil
}
