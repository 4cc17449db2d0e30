package node

import (
	"context"
	"errors"
	"net/netip"
	"sync"

	"github.com/angler-dex/angler/internal/control"
	"github.com/angler-dex/angler/internal/coord"
	"github.com/angler-dex/angler/internal/match"
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
	rtt := link.MinRTT()
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
	announced, before, cellBefore := p.announces(), p.reached(), p.where()
	p.learn(r.measured, coord.Cell(r.marks, r.d.cfg.Precision), reach)
	switch {
	case reach == before: // it was said when it began
	case reach == control.Astray:
		log.Warn("not announced, for announcements lead where nobody answers; those who have reached it at what it advertises refer others to it",
			"announcements", r.astray, "addresses", r.d.record.addrs)
	case reach == control.Unreachable:
		log.Warn("others cannot reach this node at the addresses that it advertises: not announced until they can; see --listen and --advertise",
			"addresses", r.d.record.addrs)
	case !announced && p.announces():
		log.Info("announcing", "reach", reach, "neighbours", r.measured)
	}
	if cell := p.where(); cell != cellBefore {
		log.Info("found out where this node is", "cell", cell)
	}
}
