package placement

import (
	"testing"

	"github.com/angler-dex/angler/internal/mpc/circuit"
)

// TestTemplates: a circuit of leaves in their order is built once and is that of a
// build anew; another order, size or policy has its own; the oldest make room.
func TestTemplates(t *testing.T) {
	build := func(policy string, order ...int) *circuit.Circuit {
		t.Helper()
		fn, err := New(policy, len(order))
		if err != nil {
			t.Fatal(err)
		}
		c, err := fn.Build(order)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	first := build(LowestPricePolicy, 0, 1, 2)
	if build(LowestPricePolicy, 0, 1, 2) != first {
		t.Error("built again")
	}
	anew, err := function{policy: mustParse(t, LowestPricePolicy), providers: 3}.build([]int{0, 1, 2})
	if err != nil || anew.Hash() != first.Hash() {
		t.Errorf("another circuit than one built anew: %v", err)
	}
	for _, other := range []*circuit.Circuit{
		build(LowestPricePolicy, 0, 2, 1), build(LowestPricePolicy, 0, 1), build("split;winners=2", 0, 1, 2),
	} {
		if other == first || other.Hash() == first.Hash() {
			t.Error("the circuit of something else")
		}
	}
	if drawn := build(LowestPricePolicy, 2, 1, 0); build(LowestPricePolicy, 2, 1, 0) == drawn {
		t.Error("kept a drawn order")
	}
}

func mustParse(t *testing.T, policy string) Policy {
	t.Helper()
	p, err := ParsePolicy(policy)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestTemplatesAreBounded: by their number and by their gates.
func TestTemplatesAreBounded(t *testing.T) {
	s := shelf{made: make(map[templateKey]*circuit.Circuit)}
	for k := range 3 * mostTemplates {
		s.keep(templateKey{"few", k}, &circuit.Circuit{Gates: make([]circuit.Gate, 10)})
	}
	if len(s.made) != mostTemplates || s.gates != 10*mostTemplates || s.find(templateKey{"few", 0}) != nil || s.find(templateKey{"few", 3*mostTemplates - 1}) == nil {
		t.Errorf("%d templates with %d gates", len(s.made), s.gates)
	}
	s.keep(templateKey{"large", 0}, &circuit.Circuit{Gates: make([]circuit.Gate, mostGates-5)})
	if len(s.made) != 1 || s.gates != mostGates-5 {
		t.Errorf("%d templates with %d gates beside a large one", len(s.made), s.gates)
	}
	s.keep(templateKey{"too large", 0}, &circuit.Circuit{Gates: make([]circuit.Gate, mostGates+1)})
	if len(s.made) != 1 || s.find(templateKey{"large", 0}) == nil {
		t.Error("one that is too large was kept")
	}
}
