package match

import (
	"errors"
	"testing"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/placement"
)

// TestMatchMemory: a requester cannot make a provider's daemon keep gigabytes by the
// choice of policy and roster; what everybody may want is not refused.
func TestMatchMemory(t *testing.T) {
	const largest = "fit;cap;handicap;tiers;with=a,b,c,d"
	for _, tc := range []struct {
		policy    string
		providers int
		want      error
	}{
		{"lowest-price", 64, nil}, {largest, 32, nil}, {largest, 64, errLargeMatch}, {"split", 64, errLargeMatch},
	} {
		fn, err := placement.New(tc.policy, tc.providers)
		if err != nil {
			t.Fatal(err)
		}
		c, err := template(fn)
		if err != nil {
			t.Fatal(err)
		}
		h := c.Hash()
		r := &Roster{Policy: tc.policy, Circuit: h[:], Providers: make([]Member, tc.providers)}
		_, n, err := agreedFunction(r, 1)
		if !errors.Is(err, tc.want) || err == nil && (n < 1<<20 || n > matchMemory) {
			t.Errorf("%s among %d: %d bytes, error %v", tc.policy, tc.providers, n, err)
		}
	}

	for _, tc := range []struct {
		policy    string
		n, lo, hi int
	}{{"lowest-price", 64, 64, 64}, {"lowest-price", 5, 5, 5}, {largest, 32, 32, 32}, {largest, 64, 32, 40}, {"fit", 64, 40, 63}} {
		n, err := mostProviders(tc.policy, tc.n)
		if err != nil || n < tc.lo || n > tc.hi {
			t.Errorf("%s: at most %d of %d providers, error %v", tc.policy, n, tc.n, err)
		}
	}
	if _, err := mostProviders("dearest", 64); !errors.Is(err, placement.ErrPolicy) {
		t.Errorf("no policy: %v", err)
	}

	m, ann, bob, eve := newMemory(1), identity.PeerID{1}, identity.PeerID{2}, identity.PeerID{3}
	anns, err := m.take(ann, matchMemory-1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = m.take(ann, 2); !errors.Is(err, errNoMemory) {
		t.Errorf("one requester has more than half: %v", err)
	}
	bobs, err := m.take(bob, matchMemory)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = m.take(eve, 2); !errors.Is(err, errNoMemory) {
		t.Errorf("more than there is: %v", err)
	}
	anns()
	anns()
	if _, err = m.take(eve, matchMemory+1); !errors.Is(err, errNoMemory) {
		t.Errorf("what was given back twice counts twice: %v", err)
	}
	if _, err = m.take(eve, matchMemory); err != nil {
		t.Errorf("what was given back is not there: %v", err)
	}
	if bobs(); len(m.of) != 1 {
		t.Errorf("%d requesters are remembered", len(m.of))
	}
	if big := newMemory(64); big.total != 64*slotMemory {
		t.Errorf("%d bytes for 64 matches", big.total)
	}
}
