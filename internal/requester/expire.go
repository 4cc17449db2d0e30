package requester

import (
	"errors"
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
	if !l.lapsed(now) {
		return l, nil, false, nil
	}
	expired, err = s.Change(l.ID, func(l *Lease) error {
		if !l.lapsed(now) { // another process has renewed or ended it meanwhile
			return errNothing
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
		return nil
	})
	switch {
	case errors.Is(err, errNothing):
		return expired, nil, false, nil
	case err != nil:
		return l, nil, false, err
	}
	return expired, kept, true, nil
}

// lapsed tells whether the time of a lease is over, for all clocks, and the lease
// does not say so yet.
func (l Lease) lapsed(now time.Time) bool {
	end := l.Ends()
	return (l.State == Active || l.State == Granted || l.State == Releasing) && !end.IsZero() && !now.Before(end.Add(market.Grace))
}
