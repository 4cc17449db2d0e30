package node

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/angler-dex/angler/internal/control"
	"github.com/angler-dex/angler/internal/coord"
	"github.com/angler-dex/angler/internal/dht"
	"github.com/angler-dex/angler/internal/match"
)

// A provider looks for others of its pool now and then: the round trips to them
// give it its network coordinate and, if its operator did not say where it is,
// its cell; and they tell it whether it can be reached at all, by dialling it
// back. Until somebody has, or the first round is over, or as long as others try
// and fail to reach it, it does not announce itself: a provider that nobody can
// dial costs every requester a time-out. With nobody there to ask, it goes on
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

// round is one look at the neighbours.
type round struct {
	d *daemon

	mu       sync.Mutex
	marks    []coord.Mark
	asked    int
	reached  bool
	astray   netip.AddrPort // where announcements lead and nobody answers, while somebody has reached us elsewhere
	missed   bool           // somebody tried and could not reach us
	measured int
}

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

// full says whether enough neighbours were met.
func (r *round) full() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.measured == maxNear
}

// meet times one neighbour, and asks it to dial back if that is yet to be known.
func (r *round) meet(ctx context.Context, at netip.AddrPort) {
	d := r.d
	limited, cancel := context.WithTimeout(ctx, meetWithin)
	defer cancel()
	link, err := d.mesh.Dial(limited, at)
	if err != nil || link.Peer() == d.cfg.Key.ID() {
		return
	}
	m, err := match.Meet(limited, link, d.cfg.Pool, d.wall())
	if err != nil {
		return
	}
	rtt := link.RTT()
	r.mu.Lock()
	if r.measured == maxNear {
		r.mu.Unlock()
		return
	}
	r.measured++
	r.marks = append(r.marks, coord.Mark{Cell: m.Record.Cell, RTT: rtt})
	// A few are asked; all of them, if some say that they could not reach us: one
	// that could is right, whatever liars say. So are all that others are to be
	// referred by.
	ask := !r.reached && (r.asked < maxBacks || r.missed || r.astray.IsValid())
	if ask {
		r.asked++
	}
	r.mu.Unlock()
	there, err := coord.Parse(m.Record.Coordinate)
	if err == nil {
		err = d.place.space.Observe(m.Record.ID.String(), there, rtt)
	}
	if err != nil {
		d.cfg.Log.Debug("no sample", "peer", link.Peer().Short(), "err", err)
	}
	if ask {
		r.askBack(ctx, link)
	}
}

func (r *round) askBack(ctx context.Context, link match.Opener) {
	astray := r.d.astray()
	record, err := r.d.record.get()
	if err == nil {
		err = match.DialBack(ctx, link, record, astray)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err == nil:
		r.reached = true
		r.settle(control.Reachable) // the rest of the round can wait
	case errors.Is(err, match.ErrAstray):
		r.astray = astray
	case errors.Is(err, match.ErrUnreachable):
		r.missed = true
	}
}

// conclude makes of a round what it says.
func (r *round) conclude() {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch p := r.d.place; {
	case r.reached:
		r.settle(control.Reachable)
	case r.astray.IsValid():
		r.settle(control.Astray)
	case r.missed:
		r.settle(control.Unreachable)
	case !p.announces() && (r.measured == 0 || !p.refused()):
		r.settle(control.ReachUntold) // nobody is there to say otherwise
	default:
		r.settle("")
	}
}

// settle passes on what is known by now; an empty reach leaves what is.
func (r *round) settle(reach string) {
	p, log := r.d.place, r.d.cfg.Log
	before, was, cellBefore := p.announces(), p.strays(), p.where()
	p.learn(r.measured, coord.Cell(r.marks, r.d.cfg.Precision), reach)
	if reach == control.Astray && !was {
		log.Warn("not announced, for announcements lead where nobody answers; those who have reached it at what it advertises refer others to it", "announcements", r.astray, "addresses", r.d.record.addrs)
	} else if reach == control.Unreachable {
		log.Warn("others cannot reach this node at the addresses that it advertises: not announced until they can; see --listen and --advertise", "addresses", r.d.record.addrs)
	} else if !before && p.announces() {
		log.Info("announcing", "reach", reach, "neighbours", r.measured)
	}
	if cell := p.where(); cell != cellBefore {
		log.Info("found out where this node is", "cell", cell)
	}
}
