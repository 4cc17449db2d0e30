package placement

import "github.com/angler-dex/angler/internal/mpc/circuit"

// Build gives the circuit in which leaf k is provider order[k]+1.
func (f function) Build(order []int) (*circuit.Circuit, error) {
	if err := checkOrder(order, f.providers); err != nil {
		return nil, err
	}
	b := circuit.New(f.Parties())
	e := f.enter(b)
	if f.policy.splits() {
		f.buildSplit(b, e, order)
	} else {
		f.buildSingle(b, e, order)
	}
	return b.Build()
}
