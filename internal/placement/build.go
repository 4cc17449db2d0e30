package placement

import "github.com/angler-dex/angler/internal/mpc/circuit"

// Build gives the circuit in which leaf k is provider order[k]+1.
func (f function) Build(order []int) (*circuit.Circuit, error) {
	if err := checkOrder(order, f.providers); err != nil {
		return nil, err
	}
	if !inOrder(order) {
		return f.build(order)
	}
	key := templateKey{f.policy.String(), f.providers}
	if c := templates.find(key); c != nil {
		return c, nil
	}
	c, err := f.build(order)
	if err == nil {
		templates.keep(key, c)
	}
	return c, err
}

func (f function) build(order []int) (*circuit.Circuit, error) {
	b := circuit.New(f.Parties())
	e := f.enter(b)
	if f.policy.splits() {
		f.buildSplit(b, e, order)
	} else {
		f.buildSingle(b, e, order)
	}
	return b.Build()
}
