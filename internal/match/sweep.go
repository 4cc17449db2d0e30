package match

import (
	"context"
	"sync"
	"time"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/market"
)

const (
	// sweepEvery is how often the ledger is asked what must be undone.
	sweepEvery = time.Second
	// sweepers is how many leases are ended, told of their end and looked after
	// at once: after a long night there may be thousands, and the API server has
	// others to serve.
	sweepers = 8
)

// Run does what outlives a stream: provisioning, and ending what is due. What an
// earlier process left half done is in the ledger and is undone first. Run
// returns when ctx ends, or with market.ErrBroken when the ledger takes no more
// writes, and when all of its work has stopped.
func (p *Provider) Run(ctx context.Context) error {
	var jobs sync.WaitGroup
	defer jobs.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	start := func(job func(context.Context)) { jobs.Go(func() { job(ctx) }) }
	start(p.recheck)
	start(p.stock.run)
	start(p.follow)
	s := stage{start: start, turns: make(chan struct{}, sweepers)}
	tick := time.NewTicker(p.every)
	defer tick.Stop()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		p.sweep(s)
		p.tellAll(s)
		p.checkAll(s)
		select {
		case <-tick.C:
		case <-look.C:
			p.suspectAll()
		case job := <-p.queue:
			start(job)
		case err := <-p.broken:
			return err
		case <-ctx.Done():
			return nil
		}
	}
}

// sweep starts the ending of every lease that is due and in nobody's hands.
func (p *Provider) sweep(s stage) {
	p.Ledger.ExpireHolds()
	for _, due := range p.Ledger.Due() {
		p.cut(due.Lease.ID) // whoever is to end it, and when
		p.attend(s, due.Lease.ID, p.delays, p.settle)
	}
}

// settle ends a lease if it is still due, now that nobody else can change it:
// since the sweep looked, it may have been claimed or confirmed.
func (p *Provider) settle(ctx context.Context, lease market.Lease) error {
	due, ok := p.Ledger.IsDue(lease.ID)
	if !ok {
		return nil
	}
	p.Log.Info("ending lease", "lease", lease.ID.Short(), "because", due.Reason)
	return p.endNow(ctx, lease, due.Reason.String())
}

// delay is when to try again to end a lease, and how long was waited for that.
type delay struct {
	until time.Duration // on the boot-time clock
	wait  time.Duration
	paid  time.Duration // until when, at the usual pace, the looks at the lease would have taken
}

// How long a lease that could not be ended is left alone.
const (
	delayFirst = time.Second
	delayLast  = 5 * time.Minute
)

// delays are the leases that something is not done about for a while. The
// provider's lock guards them.
type delays map[market.LeaseID]delay

// delay leaves a lease alone for a while, the longer the more often.
func (p *Provider) delay(d delays, id market.LeaseID) {
	now := p.Clock().Since
	p.mu.Lock()
	defer p.mu.Unlock()
	wait := min(max(2*d[id].wait, delayFirst), delayLast)
	d[id] = delay{until: now + wait, wait: wait, paid: d[id].paid}
}

// waiting tells whether a lease is left alone at present.
func (p *Provider) waiting(d delays, id market.LeaseID) bool {
	now := p.Clock().Since
	p.mu.Lock()
	defer p.mu.Unlock()
	return now < max(d[id].until, d[id].paid-looksAtOnce*lookPace)
}

// undelay ends the delays of a lease.
func (p *Provider) undelay(d delays, id market.LeaseID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(d, id)
}

// postponed tells whether the ending of a lease is left alone at present.
func (p *Provider) postponed(id market.LeaseID) bool { return p.waiting(p.delays, id) }

// runs notes that a match runs, and for whom; the returned function, that it has
// ended, which it has once a win is in the ledger.
func (p *Provider) runs(id market.LeaseID, requester identity.PeerID) (ended func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running[id] = requester
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.running, id)
	}
}

// mayStillWin says whether a lease may come out of a match that runs.
func (p *Provider) mayStillWin(id market.LeaseID, requester identity.PeerID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.running[id] == requester
}
