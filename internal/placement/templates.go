package placement

import (
	"slices"
	"sync"

	"github.com/angler-dex/angler/internal/mpc/circuit"
)

// templates keeps the circuits of leaves in their order, which every match of a
// policy among so many providers begins with: they are public, the same each
// time, and nobody changes a circuit. The oldest make room.
var templates = shelf{made: make(map[templateKey]*circuit.Circuit)}

type templateKey struct {
	policy    string
	providers int
}

// mostTemplates and mostGates bound what is kept, some 20 MB: others may ask for
// any policy.
const (
	mostTemplates = 16
	mostGates     = 1 << 20
)

type shelf struct {
	mu    sync.Mutex
	made  map[templateKey]*circuit.Circuit
	order []templateKey // by age
	gates int
}

func (s *shelf) find(k templateKey) *circuit.Circuit {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.made[k]
}

func (s *shelf) keep(k templateKey, c *circuit.Circuit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.made[k] != nil || len(c.Gates) > mostGates {
		return
	}
	s.made[k], s.order, s.gates = c, append(s.order, k), s.gates+len(c.Gates)
	for len(s.order) > mostTemplates || s.gates > mostGates {
		s.gates -= len(s.made[s.order[0]].Gates)
		delete(s.made, s.order[0])
		s.order = slices.Delete(s.order, 0, 1)
	}
}

// inOrder tells whether leaf k is provider k+1 for all of them.
func inOrder(order []int) bool {
	for k, o := range order {
		if k != o {
			return false
		}
	}
	return true
}
