package match

import (
	"context"

	"github.com/angler-dex/angler/internal/market"
)

// work is one lease in somebody's hands. Whoever changes a lease's state or its
// objects in the cluster takes it first, so that a decision about a lease holds
// until it has been carried out: a claim cannot come between the finding that
// nobody claimed and the end of the reservation.
type work struct{ done chan struct{} }

// begin takes a lease. If somebody has it, put is nil and busy is closed when it
// is put back.
func (p *Provider) begin(id market.LeaseID) (put func(), busy <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w := p.works[id]; w != nil {
		return nil, w.done
	}
	w := &work{done: make(chan struct{})}
	p.works[id] = w
	return func() {
		p.mu.Lock()
		delete(p.works, id)
		p.mu.Unlock()
		close(w.done)
	}, nil
}

// take waits for a lease and takes it.
func (p *Provider) take(ctx context.Context, id market.LeaseID) (put func(), err error) {
	for {
		put, busy := p.begin(id)
		if put != nil {
			return put, nil
		}
		select {
		case <-busy:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// hold takes a lease that lives, for somebody who wants something of it; put is
// nil if there is none, or if somebody has it for longer than ctx waits, and the
// reply says so then.
func (p *Provider) hold(ctx context.Context, id market.LeaseID) (lease market.Lease, put func(), r LeaseReply) {
	put, err := p.take(ctx, id)
	if err != nil {
		return market.Lease{}, nil, LeaseReply{Status: StatusPending}
	}
	lease, _ = p.Ledger.Lease(id)
	if r, lives := p.lives(lease); !lives {
		put()
		return market.Lease{}, nil, r
	}
	return lease, put, LeaseReply{}
}

// attend has f done to a lease, unless that is in somebody's hands, or left alone
// for a while. Of all that is attended to, so much is done at once as there are
// turns.
func (p *Provider) attend(s stage, id market.LeaseID, left delays, f func(context.Context, market.Lease) error) {
	if p.waiting(left, id) {
		return
	}
	put, _ := p.begin(id)
	if put == nil {
		return
	}
	s.start(func(ctx context.Context) {
		defer put()
		select {
		case s.turns <- struct{}{}:
			defer func() { <-s.turns }()
			_ = p.work(ctx, id, f) // logged, and done again later
		case <-ctx.Done():
		}
	})
}

// stage is where Run has work done.
type stage struct {
	start func(func(context.Context))
	turns chan struct{} // a token for each that is attended to
}

// do takes a lease and has Run work on it. It returns when that ended or ctx
// did; work that was begun goes on regardless of who waits for it.
func (p *Provider) do(ctx context.Context, id market.LeaseID, f func(context.Context, market.Lease) error) error {
	put, err := p.take(ctx, id)
	if err != nil {
		return err
	}
	result := make(chan error, 1)
	job := func(ctx context.Context) {
		err := p.work(ctx, id, f)
		put()
		result <- err
	}
	select {
	case p.queue <- job:
	case <-ctx.Done():
		put()
		return ctx.Err()
	}
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// work runs f on a lease that has been taken, as the ledger has it now. A
// failure is logged here and nowhere else, for who asked may be gone.
func (p *Provider) work(ctx context.Context, id market.LeaseID, f func(context.Context, market.Lease) error) error {
	lease, ok := p.Ledger.Lease(id)
	if !ok {
		return market.ErrNoLease
	}
	err := f(ctx, lease)
	if err != nil && ctx.Err() == nil {
		p.ledgerFailed(err)
		p.Log.Error("lease", "lease", id.Short(), "state", lease.State, "err", err)
	}
	return err
}
