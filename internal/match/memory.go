package match

import (
	"errors"
	"fmt"
	"sort"
	"sync"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/mpc"
	"github.com/angler-dex/angler/internal/mpc/circuit"
	"github.com/angler-dex/angler/internal/placement"
)

// What a match makes a party keep grows with the square of the roster and with the
// policy, both of which the requester chooses: 64 providers under the largest policy
// would cost each of them 2.3 GB. So it is bounded, for one match and for all that a
// provider is in at once. As mpc.Memory counts it, lowest-price takes 123 MiB among 64
// providers, and every policy less than 512 MiB among 32.
const (
	matchMemory = 512 << 20 // of one match
	slotMemory  = 128 << 20 // of all, for each that a provider takes part in at once; no less than that of two
)

var (
	errLargeMatch = errors.New("so many providers under this policy need more memory than a match may take")
	errNoMemory   = errors.New("the matches that are running need all the memory that they may have")
)

// checkMemory refuses a match that is too large for the party.
func checkMemory(c *circuit.Circuit, self int) (int, error) {
	n := mpc.Memory(c, self)
	if n > matchMemory {
		return 0, fmt.Errorf("%w: %d parties", errLargeMatch, c.Parties)
	}
	return n, nil
}

// alwaysFit is among how many providers a match under any policy is not too large.
const alwaysFit = 32

// mostProviders is the number of providers, up to n, that a match under a policy may
// have.
func mostProviders(policy string, n int) (int, error) {
	var failed error
	more := sort.Search(max(n-alwaysFit, 0), func(k int) bool { // k + 1 more are too many
		fn, err := placement.New(policy, alwaysFit+k+1)
		if err == nil {
			var c *circuit.Circuit
			if c, err = template(fn); err == nil {
				_, err = checkMemory(c, 0)
			}
		}
		if err != nil && !errors.Is(err, errLargeMatch) {
			failed = err
		}
		return err != nil
	})
	return min(n, alwaysFit+more), failed
}

// memory is what the matches of a provider may keep together: those of one requester
// half of it, so that none shuts the others out.
type memory struct {
	total int

	mu   sync.Mutex
	used int
	of   map[identity.PeerID]int
}

func newMemory(matches int) *memory {
	return &memory{total: max(2*matchMemory, matches*slotMemory), of: map[identity.PeerID]int{}}
}

// take reserves n bytes for a match of a requester until done is called. It does not
// wait: the other parties would.
func (m *memory) take(requester identity.PeerID, n int) (done func(), err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.used+n > m.total || m.of[requester]+n > m.total/2 {
		return nil, errNoMemory
	}
	m.used += n
	m.of[requester] += n
	return sync.OnceFunc(func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.used -= n
		if m.of[requester] -= n; m.of[requester] == 0 {
			delete(m.of, requester)
		}
	}), nil
}
