package node

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/angler-dex/angler/internal/control"
	"github.com/angler-dex/angler/internal/market"
)

// leaveEvery is how often a daemon that leaves looks whether it may.
const leaveEvery = time.Second

// drain is how far the daemon withdraws from new matches. It is memory only: a
// daemon that starts takes part.
type drain struct {
	mu    sync.Mutex
	state string
}

func (d *drain) get() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.state
}

func (d *drain) set(state string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.state = state
}

// SetDrain implements control.Daemon. While the daemon drains it is announced
// no more, declines invitations and promises no renewals.
func (d *daemon) SetDrain(_ context.Context, to control.Drain) (control.Drain, error) {
	if err := d.provides(); err != nil {
		return control.Drain{}, err
	}
	if before := d.drain.get(); before != to.State {
		d.cfg.Log.Info("draining", "before", before, "now", to.State)
	}
	if to.State == control.NotDraining {
		d.provider.Undrain()
	} else {
		d.provider.Drain()
	}
	d.drain.set(to.State)
	return control.Drain{State: to.State, Leases: d.living()}, nil
}

// living counts the leases that are not over.
func (d *daemon) living() (n int) {
	for _, l := range d.ledger.Leases() {
		if !l.State.Terminal() {
			n++
		}
	}
	return n
}

// leave ends the daemon, by calling end, once it drains to leave and neither a
// lease nor a match is left.
func (d *daemon) leave(ctx context.Context, end func()) error {
	tick := time.NewTicker(leaveEvery)
	defer tick.Stop()
	for {
		// In this order: a match that does not run any more has put what it won
		// into the ledger.
		if d.drain.get() == control.DrainingToLeave && d.provider.Matching() == 0 && d.living() == 0 {
			d.cfg.Log.Info("drained: no lease is left")
			end()
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// ReclaimLease implements control.Daemon.
func (d *daemon) ReclaimLease(ctx context.Context, prefix string) (control.Lease, error) {
	l, err := d.find(prefix)
	if err != nil {
		return control.Lease{}, err
	}
	switch _, err = d.provider.Reclaim(ctx, l.ID); {
	case errors.Is(err, market.ErrNotReclaimable):
		return control.Lease{}, control.New(control.ErrConflict, "lease "+l.ID.Short()+": "+err.Error())
	case err != nil:
		return control.Lease{}, err
	}
	return d.Lease(ctx, l.ID.String())
}
