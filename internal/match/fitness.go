package match

import (
	"context"
	"time"
)

// A cluster that failed is looked at again every few sweeps, and given a while
// to answer.
const (
	recheckSweeps = 5
	answersWithin = 5 * time.Second
)

// A provider whose cluster refuses or does not answer would go on winning
// matches, at the cost of everybody who asks. So after a failure it is unfit: it
// takes part, for declining would say something, and enters 0, until the cluster
// has answered that it lets us work.

// unfitNow notes that the cluster failed.
func (p *Provider) unfitNow(why error) {
	if !p.unfit.Swap(true) {
		p.Log.Warn("offering nothing until the cluster answers", "err", why)
	}
}

// recheck looks at a cluster until ctx ends: at once, and while it is unfit.
func (p *Provider) recheck(ctx context.Context) {
	tick := time.NewTicker(recheckSweeps * p.every)
	defer tick.Stop()
	for first := true; ; first = false {
		if first || p.unfit.Load() {
			p.look(ctx)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (p *Provider) look(ctx context.Context) {
	limited, cancel := context.WithTimeout(ctx, answersWithin)
	defer cancel()
	err := p.Cluster.Ping(limited)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		p.unfitNow(err)
	case p.unfit.Swap(false):
		p.Log.Info("the cluster answers: offering again")
	}
}
