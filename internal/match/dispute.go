package match

import (
	"context"

	"github.com/angler-dex/angler/internal/identity"
)

// Dispute is what a provider says that has no result of a match although the
// requester has: in the last flight something from another provider was wrong, or
// did not come. Neither can prove it. But a loser could do that to whoever may have
// won, so that its rival does not provide and it is chosen in the rerun: a winner in
// a dispute is not left out alone.
type Dispute struct {
	By identity.PeerID // has no result
	Of identity.PeerID // is named
}

// disputes waits until every provider has said how it ended, as long as ctx lasts, and
// returns who names whom.
func (t *table) disputes(ctx context.Context) (list []Dispute) {
	for k, c := range t.seats {
		r, ended := c.reports.awaitEnd(ctx)
		if of := int(min(r.Peer, MaxProviders+1)); ended && r.names() && of > 0 && of <= len(t.seats) && of != k+1 {
			list = append(list, Dispute{By: c.candidate.Link.Peer(), Of: t.seats[of-1].candidate.Link.Peer()})
		}
	}
	return list
}

// names tells whether a report is one that names somebody.
func (r Report) names() bool {
	return r.State == Aborted || r.State == Stalled || r.State == Broken
}
