package node

import (
	"context"
	"errors"
	"time"

	"github.com/angler-dex/angler/internal/control"
	"github.com/angler-dex/angler/internal/market"
)

// leaveEvery is how often a daemon that leaves looks whether it may.
const leaveEvery = time.Second

// drainStates are what control calls the ledger's states of draining.
var drainStates = map[market.Drain]string{
	market.NotDraining: control.NotDraining, market.Draining: control.Draining, market.Leaving: control.DrainingToLeave,
}

// draining is how far the daemon withdraws from new matches, as control calls it.
func (d *daemon) draining() string {
	if d.ledger == nil { // a node of the DHT only
		return control.NotDraining
	}
	return drainStates[d.ledger.Drain()]
}

// SetDrain implements control.Daemon. While the daemon drains it is announced
// no more, declines invitations and promises no renewals. That is on disk: a
// daemon that is started again goes on with it.
func (d *daemon) SetDrain(_ context.Context, to control.Drain) (control.Drain, error) {
	if err := d.provides(); err != nil {
		return control.Drain{}, err
	}
	before := d.draining()
	for state, name := range drainStates {
		if name != to.State {
			continue
		}
		if err := d.ledger.SetDrain(state); err != nil {
			return control.Drain{}, err
		}
	}
	if before != to.State {
		d.cfg.Log.Info("draining", "before", before, "now", to.State)
	}
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
// lease nor a match is left. It has left then: whoever starts it again finds it
// drained, and not gone at once.
func (d *daemon) leave(ctx context.Context, end func()) error {
	if state := d.draining(); state != control.NotDraining {
		d.cfg.Log.Warn("takes part in no match: it was told to drain; 'angler drain --undo' ends that", "state", state)
	}
	tick := time.NewTicker(leaveEvery)
	defer tick.Stop()
	for {
		// In this order: a match that does not run any more has put what it won
		// into the ledger.
		if d.ledger.Drain() == market.Leaving && d.provider.Matching() == 0 && d.living() == 0 {
			if err := d.ledger.SetDrain(market.Draining); err != nil {
				return err
			}
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
