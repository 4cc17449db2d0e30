package match

import (
	"context"
	"fmt"
	"time"

	"github.com/angler-dex/angler/internal/k8s"
	"github.com/angler-dex/angler/internal/market"
)

// noticeWithin bounds one try to tell a namespace of its end.
const noticeWithin = 10 * time.Second

var noticeKinds = map[market.NoticeKind]k8s.NoticeKind{
	market.NoNotice: k8s.NoticeRenewed, market.NoticeExpiry: k8s.NoticeExpiry, market.NoticeReclaim: k8s.NoticeReclaim,
}

// tellAll starts the telling of every notice that is due, of leases that are in
// nobody's hands.
func (p *Provider) tellAll(s stage) {
	for _, telling := range p.Ledger.Tellings() {
		p.attend(s, telling.Lease.ID, p.hushed, p.tell)
	}
}

// tell makes a namespace say what fits its lease now. A cluster that cannot be
// told is told later.
func (p *Provider) tell(ctx context.Context, lease market.Lease) error {
	if !lease.State.Usable() {
		return nil
	}
	n := lease.NoticeAt(p.Clock())
	kind := noticeKinds[n.Kind]
	if n.Kind == market.NoNotice && lease.Told.Ends.IsZero() {
		kind = k8s.NoticeBegun
	}
	limited, cancel := context.WithTimeout(ctx, noticeWithin)
	defer cancel()
	err := p.Cluster.Notice(limited, p.Key.ID().String(), lease.ID.String(), k8s.Notice{Kind: kind, Ends: n.Ends})
	if err == nil {
		err = p.Ledger.Told(lease.ID, n)
	}
	if err != nil {
		p.delay(p.hushed, lease.ID)
		return fmt.Errorf("notice (%s) not given: %w", n.Kind, err)
	}
	p.undelay(p.hushed, lease.ID)
	if n.Kind != market.NoNotice {
		p.Log.Info("notice given", "lease", lease.ID.Short(), "notice", n.Kind)
	}
	return nil
}

// Reclaim takes a lease back: it ends when the notice that its offer stated has
// passed, or its term if that is sooner. The notice is on disk when Reclaim
// returns; the namespace and the requester are told from then on. Errors:
// market.ErrNoLease, market.ErrNotReclaimable, market.ErrBroken.
func (p *Provider) Reclaim(_ context.Context, id market.LeaseID) (ends time.Time, err error) {
	lease, err := p.Ledger.Reclaim(id)
	if err != nil {
		p.ledgerFailed(err)
		return time.Time{}, err
	}
	p.Log.Info("lease taken back", "lease", id.Short(), "ends", lease.Expires)
	return lease.Expires, nil
}

// Drained tells whether the provider takes no new matches and promises no
// renewals, as its ledger says. Matches that run and leases go on.
func (p *Provider) Drained() bool { return p.Ledger.Drain() != market.NotDraining }
