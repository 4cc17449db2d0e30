package match

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/angler-dex/angler/internal/market"
)

// releaseWithin bounds one try to delete what a lease has in the cluster.
const releaseWithin = time.Minute

// End ends a lease, whatever its state: its objects are deleted and its
// capacity is free when End returns nil. Ending one that is over is no error.
// Errors: market.ErrNoLease, the cluster's, the context's; the lease is then
// still being ended, and Run goes on trying.
func (p *Provider) End(ctx context.Context, id market.LeaseID, why string) error {
	return p.do(ctx, id, func(ctx context.Context, l market.Lease) error { return p.endNow(ctx, l, why) })
}

// endNow ends a lease that has been taken.
func (p *Provider) endNow(ctx context.Context, lease market.Lease, why string) error {
	because := func(l *market.Lease) {
		if l.Reason == "" {
			l.Reason = why
		}
	}
	switch lease.State {
	case market.Released, market.Failed:
		return nil
	case market.Reserved: // the cluster knows nothing of it
		_, err := p.Ledger.Advance(lease.ID, market.Released, because)
		return err
	case market.Expiring:
	default:
		if _, err := p.Ledger.Advance(lease.ID, market.Expiring, because); err != nil {
			return err
		}
	}
	p.cut(lease.ID)
	return p.undo(ctx, lease.ID)
}

// undo deletes what an expiring lease has in the cluster and closes its row. If
// the cluster refuses, the lease stays as it is, occupies its capacity, and is
// tried again after a while.
func (p *Provider) undo(ctx context.Context, id market.LeaseID) error {
	limited, cancel := context.WithTimeout(ctx, releaseWithin)
	defer cancel()
	if err := p.Cluster.Release(limited, p.Key.ID().String(), id.String()); err != nil {
		p.delay(p.delays, id)
		return fmt.Errorf("not deleted yet: %w", err)
	}
	lease, ok := p.Ledger.Lease(id)
	if !ok {
		return market.ErrNoLease
	}
	var last func(*market.Lease)
	if p.archive(lease) {
		last = abridge
	}
	if _, err := p.Ledger.Advance(id, lease.End(), last); err != nil {
		return err
	}
	p.undelay(p.delays, id)
	p.undelay(p.hushed, id)
	p.undelay(p.doubted, id)
	return nil
}

// fail ends a lease that could not be provisioned, and returns why with what
// went wrong in undoing it.
func (p *Provider) fail(ctx context.Context, id market.LeaseID, cause error) error {
	_, err := p.Ledger.Advance(id, market.Expiring, func(l *market.Lease) { l.Reason = "provisioning failed" })
	if err == nil {
		err = p.undo(ctx, id)
	}
	return errors.Join(fmt.Errorf("provisioning failed: %w", cause), err)
}

// giveUp ends a lease of which the cluster has nothing, without asking it: it
// may not even let us look.
func (p *Provider) giveUp(id market.LeaseID, cause error) error {
	_, err := p.Ledger.Advance(id, market.Expiring, func(l *market.Lease) { l.Reason = "provisioning failed" })
	if err == nil {
		_, err = p.Ledger.Advance(id, market.Failed, nil)
	}
	return errors.Join(fmt.Errorf("provisioning failed: %w", cause), err)
}
