package node

import (
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/angler-dex/angler/internal/control"
	"github.com/angler-dex/angler/internal/coord"
)

// place is what the daemon knows of where it is, by what its neighbours tell.
type place struct {
	space *coord.Space

	mu    sync.Mutex
	cell  string
	auto  bool // the cell is to be found out
	reach string
	near  int // neighbours that were met in the last round
}

// openPlace begins where an earlier run has left off.
func (d *daemon) openPlace() {
	space, err := coord.Load(d.cfg.PlacePath)
	if err != nil {
		d.cfg.Log.Warn("beginning anew", "err", err)
	}
	d.place = &place{space: space, cell: d.cfg.Cell, auto: d.cfg.AutoCell}
}

// where returns the cell under which the daemon is found.
func (p *place) where() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cell
}

// announces says whether the daemon may announce itself: others have reached it,
// or there was nobody to ask.
func (p *place) announces() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reach == control.Reachable || p.reach == control.ReachUntold
}

// refused says whether others have tried to reach the daemon and could not, or
// not where announcements lead.
func (p *place) refused() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reach == control.Unreachable || p.reach == control.Astray
}

// reached is what is known of whether others reach the daemon; empty: nothing yet.
func (p *place) reached() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reach
}

// pause is how long to wait until the next round among the neighbours.
func (p *place) pause() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	wait := roundsEvery
	switch {
	case p.reach == control.Unreachable || p.reach == "":
		return retryEvery
	case p.reach == control.ReachUntold || !p.space.Here().Settled():
		wait = soonEvery
	}
	return time.Duration((0.75 + rand.Float64()/2) * float64(wait)) // so that a pool's rounds spread
}

// learn takes what a round among the neighbours has shown; an empty cell or
// reach leaves what is.
func (p *place) learn(near int, cell, reach string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.near = near
	// A round that tells less than one before changes nothing: answers are late at
	// times, and never early.
	if p.auto && !strings.HasPrefix(p.cell, cell) {
		p.cell = cell
	}
	if reach != "" {
		p.reach = reach
	}
}

// show says it for status.
func (p *place) show() control.Place {
	p.mu.Lock()
	defer p.mu.Unlock()
	shown := control.Place{Auto: p.auto, Reach: p.reach, Neighbours: p.near}
	if at := p.space.Here(); at.Settled() {
		shown.Coordinate = at.String()
	}
	return shown
}

// fix sets the cell to what somebody has said who knows; nothing is found out
// from then on.
func (p *place) fix(cell string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cell, p.auto = cell, false
}
