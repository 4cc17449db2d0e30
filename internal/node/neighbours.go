package node

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/angler-dex/angler/internal/dht"
)

// A provider looks for others of its pool now and then: the round trips to them
// give it its network coordinate and, if its operator did not say where it is,
// its cell; and they tell it whether it can be reached at all, by dialling it
// back. Until somebody has, or the first round is over, or as long as others try
// and fail to reach it, it does not announce itself: a provider that nobody can
// dial costs every requester a time-out. Nor does it if announcements of it lead
// where nobody answers: then those who have reached it refer others to it. With nobody there to ask, it goes on
// trust, and asks again soon. Neighbours are those who offer the same: before
// there is an offer there is nobody to look for, and nothing to announce.
const (
	firstRound  = 12 * time.Second // at most, for neighbours to be found and to try to reach us
	anyRound    = 20 * time.Second
	meetWithin  = 3 * time.Second // for one neighbour to answer
	maxNear     = 12              // neighbours a round
	maxDials    = 24              // at a time
	maxSeen     = 96              // addresses a round: many may be of those who are gone
	maxBacks    = 3               // of them are asked to dial back, all if these could not
	roundsEvery = 10 * time.Minute
	soonEvery   = time.Minute            // while there is nobody to ask, or too little is known of where we are
	retryEvery  = 15 * time.Second       // while others cannot reach us
	readyEvery  = 250 * time.Millisecond // while there is nothing to announce, or no DHT to do it in
)

// neighbours is the loop.
func (d *daemon) neighbours(ctx context.Context) error {
	limit := firstRound
	for {
		wait := readyEvery
		if rings := d.rings(); len(rings) > 0 && d.dht.Ready(ctx) == nil && d.lookAround(ctx, rings, limit) {
			limit = anyRound
			wait = d.place.pause()
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil
		}
	}
}

// lookAround is one round; false: nobody in the DHT has answered, which says
// nothing about who is there.
func (d *daemon) lookAround(ctx context.Context, rings [][]dht.Key, limit time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	r := &round{d: d}
	var g errgroup.Group
	g.SetLimit(maxDials)
	seen := map[netip.AddrPort]bool{}
	err := d.dht.Search(ctx, dht.Search{Rings: rings, Found: func(at netip.AddrPort) bool {
		if !seen[at] {
			seen[at] = true
			g.Go(func() error { r.meet(ctx, at); return nil })
		}
		return len(seen) < maxSeen && !r.full() && ctx.Err() == nil
	}})
	_ = g.Wait() // no function of this group returns an error
	if err != nil && ctx.Err() == nil {
		d.cfg.Log.Debug("no neighbours found", "err", err)
		if errors.Is(err, dht.ErrNoBootstrap) {
			return false
		}
	}
	r.conclude()
	if err := d.place.space.Save(d.cfg.PlacePath); err != nil && ctx.Err() == nil {
		d.cfg.Log.Warn("network coordinate not kept", "err", err)
	}
	return true
}

// rings are where neighbours are looked for: at those who offer the same.
func (d *daemon) rings() [][]dht.Key {
	var rings [][]dht.Key
	for _, class := range announced(d.ledger) {
		rings = append(rings, dht.Rings(d.poolName(), d.place.where(), class)...)
	}
	return rings
}
