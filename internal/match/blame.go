package match

import (
	"context"
	"errors"
	"time"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/mpc"
)

// reportWithin is how long a requester waits after a failed match for the
// providers to say what they saw.
const reportWithin = 3 * time.Second

// blame decides whom the next try leaves out. A provider that has gone silent
// itself is out. If two providers accuse the link between them, a coin drops
// one of the two, for neither can prove that the other is at fault and neither
// may be able to frame the other. A failed check names nobody.
func (t *table) blame(err error) []identity.PeerID {
	ctx, cancel := context.WithTimeout(context.Background(), reportWithin)
	defer cancel()
	t.streams.reset() // tell everybody that this match is over
	var silent, accused []identity.PeerID
	for k, c := range t.seats {
		r, ok := c.reports.awaitEnd(ctx)
		self := c.candidate.Link.Peer()
		switch other := t.provider(r.Peer); {
		case !ok:
			silent = append(silent, self)
		case (r.State == Stalled || r.State == Unreachable) && other != nil && int(r.Peer) != k+1:
			if coin() {
				accused = append(accused, self)
			} else {
				accused = append(accused, other.candidate.Link.Peer())
			}
		}
	}
	if len(silent) > 0 {
		return silent
	}
	if len(accused) > 0 {
		return accused[:1]
	}
	// The requester's own link to a provider that says that it is fine.
	var abort *mpc.AbortError
	if errors.As(err, &abort) && errors.Is(err, errLink) {
		if c := t.provider(uint(max(abort.Peer, 0))); c != nil {
			return []identity.PeerID{c.candidate.Link.Peer()}
		}
	}
	return nil
}

// provider is who sits at a party index; nil: no provider does.
func (t *table) provider(party uint) *chair {
	if party == 0 || party > uint(len(t.seats)) {
		return nil
	}
	return t.seats[party-1]
}
