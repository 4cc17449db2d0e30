package match

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/market"
)

// sweepEvery is how often the ledger is asked what must be undone.
const sweepEvery = time.Second

// work is one lease whose objects in the cluster are being changed. One at a
// time a lease: who else wants it waits for that one.
type work struct {
	done chan struct{}
	err  error
}

// Run does what outlives a stream: provisioning, and undoing what is due. It
// returns when ctx ends and all of it has stopped. What an earlier process left
// half done is in the ledger and is undone first.
func (p *Provider) Run(ctx context.Context) error {
	var g errgroup.Group
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case job := <-p.queue:
			g.Go(func() error {
				job(ctx)
				return nil
			})
		case <-tick.C:
			p.Ledger.ExpireHolds()
			for _, due := range p.Ledger.Due() {
				g.Go(func() error {
					p.settle(ctx, due)
					return nil
				})
			}
		case <-ctx.Done():
			return g.Wait()
		}
	}
}

// do has one function work on a lease, or waits for the work that is under way
// instead. It returns when that ended or ctx did; the work goes on regardless.
func (p *Provider) do(ctx context.Context, id market.LeaseID, f func(context.Context, market.Lease) error) error {
	w, mine := p.begin(id)
	if mine {
		job := func(ctx context.Context) { p.finish(ctx, id, w, f) }
		select {
		case p.queue <- job:
		case <-ctx.Done():
			p.end(id, w)
			return ctx.Err()
		}
	}
	select {
	case <-w.done:
		return w.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *Provider) begin(id market.LeaseID) (w *work, mine bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w = p.works[id]; w != nil {
		return w, false
	}
	w = &work{done: make(chan struct{})}
	p.works[id] = w
	return w, true
}

func (p *Provider) finish(ctx context.Context, id market.LeaseID, w *work, f func(context.Context, market.Lease) error) {
	defer p.end(id, w)
	lease, ok := p.Ledger.Lease(id)
	if !ok {
		w.err = market.ErrNoLease
		return
	}
	if w.err = f(ctx, lease); w.err != nil && ctx.Err() == nil {
		p.Log.Error("lease", "lease", id.Short(), "state", lease.State, "err", w.err)
	}
}

func (p *Provider) end(id market.LeaseID, w *work) {
	p.mu.Lock()
	delete(p.works, id)
	p.mu.Unlock()
	close(w.done)
}

// settle undoes one lease that is due, unless somebody works on it already.
func (p *Provider) settle(ctx context.Context, due market.Due) {
	w, mine := p.begin(due.Lease.ID)
	if !mine {
		return
	}
	p.Log.Info("ending lease", "lease", due.Lease.ID.Short(), "because", due.Reason)
	p.finish(ctx, due.Lease.ID, w, func(ctx context.Context, l market.Lease) error {
		return p.endNow(ctx, l, due.Reason.String())
	})
}

// End ends a lease, whatever its state: its objects are deleted and its
// capacity is free when End returns nil. Ending one that is over is no error.
func (p *Provider) End(ctx context.Context, id market.LeaseID, why string) error {
	for {
		err := p.do(ctx, id, func(ctx context.Context, l market.Lease) error { return p.endNow(ctx, l, why) })
		lease, ok := p.Ledger.Lease(id)
		if !ok {
			return market.ErrNoLease
		}
		if err != nil || lease.State.Terminal() {
			return err
		}
		// The work that was waited for was another one: now it is our turn.
	}
}

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
	return p.undo(ctx, lease.ID, nil)
}

// undo deletes what an expiring lease has in the cluster and closes its row.
// cause, if any, is returned beside what goes wrong.
func (p *Provider) undo(ctx context.Context, id market.LeaseID, cause error) error {
	if err := p.Cluster.Release(ctx, p.Key.ID().String(), id.String()); err != nil {
		return errors.Join(cause, err) // still expiring: tried again with the next sweep
	}
	lease, ok := p.Ledger.Lease(id)
	if !ok {
		return errors.Join(cause, market.ErrNoLease)
	}
	_, err := p.Ledger.Advance(id, lease.End(), nil)
	return errors.Join(cause, err)
}

// mayStillWin says whether a lease may come out of a match that runs.
func (p *Provider) mayStillWin(id market.LeaseID, requester identity.PeerID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.running[id] == requester
}

// runs notes that a match runs; the returned function notes that it ended.
func (p *Provider) runs(id market.LeaseID, requester identity.PeerID) (over func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running[id] = requester
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.running, id)
	}
}
