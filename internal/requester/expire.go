package requester

import (
	"slices"
	"time"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/market"
)

// Expire notes that the time of a lease is over, and erases its credentials. It
// does so five minutes late, for this clock need not be the providers'. ok is
// false for a lease that is not over, or was before; kept are the providers of
// the parts that lasted.
func (s *Store) Expire(l Lease, now time.Time) (expired Lease, kept []identity.PeerID, ok bool, err error) {
	end := l.Ends()
	if l.State != Active && l.State != Granted && l.State != Releasing || end.IsZero() || now.Before(end.Add(market.Grace)) {
		return l, nil, false, nil
	}
	l.Parts = slices.Clone(l.Parts)
	for k := range l.Parts {
		p := &l.Parts[k]
		if p.over() {
			continue
		}
		if p.State == Active {
			kept = append(kept, p.Provider)
		}
		p.State, p.Grant = Expired, nil
	}
	l.State = Expired
	return l, kept, true, s.Put(l)
}
