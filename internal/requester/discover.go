package requester

import (
	"context"
	"math"
	"net/netip"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/angler-dex/angler/internal/coord"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match"
	"github.com/angler-dex/angler/internal/mesh"
)

// Bounds of one discovery.
const (
	maxDials     = 16  // at once
	maxAddresses = 256 // looked at in one discovery: a flooded key cannot keep us busy
)

// discovery is one search for providers.
type discovery struct {
	client *Client
	req    market.Request
	bounds Bounds

	dials  errgroup.Group
	looked int                     // addresses, as is tried by the caller of dial alone
	tried  map[netip.AddrPort]bool // each once
	later  []netip.AddrPort        // where nobody answered a while ago

	mu     sync.Mutex
	wanted int                        // providers that are enough
	met    map[string]match.Candidate // by peer
	at     map[netip.AddrPort]string  // peers of met, by where they were met
	told   map[netip.AddrPort]bool    // by the finder
	quiet  *time.Timer                // runs out when nobody has turned up for a while
	other  []string                   // policies of providers that would serve the class by another
	unfit  map[string]misfit          // by peer: would serve the request, were they elsewhere
	named  map[string]referred        // peers to whom others have referred us
	dialed int                        // how often one of them was dialled
}

// discover dials what the book remembers and what the finder finds, as it is
// found, and returns those that prove to be operators of the pool, serve the
// class and the policy, speak our version and are within the bounds: each
// identity once, the best first, at most as many as the bounds want. The error
// is a *TooFewError if there are fewer than they need, a *PolicyError if there
// are none but by another policy, or the finder's if it kept us from finding any.
func (c *Client) discover(ctx context.Context, req market.Request, b Bounds) ([]match.Candidate, error) {
	d := &discovery{
		client: c, req: req, bounds: b, wanted: b.MaxProviders, tried: map[netip.AddrPort]bool{}, met: map[string]match.Candidate{},
		at: map[netip.AddrPort]string{}, told: map[netip.AddrPort]bool{}, unfit: map[string]misfit{}, named: map[string]referred{},
	}
	d.dials.SetLimit(maxDials)
	ctx, enough := context.WithCancel(ctx)
	defer enough()
	if b.Deadline > 0 {
		// The match is to have its share of the time, too.
		half := time.AfterFunc(b.Deadline/2, func() { d.settle(enough) })
		defer half.Stop()
	}
	// Old announcements name those who are gone, and a flood of them names
	// anybody: once there are providers enough for the request, the others have
	// the time of one dial to turn up.
	d.quiet = time.AfterFunc(math.MaxInt64, func() { d.settle(enough) })
	defer d.quiet.Stop()
	// The remembered ones are near. They are no reason to stop looking: a market
	// is as good as those whom it is run among. Who names those to ask wants
	// nobody else asked.
	_, named := c.Finder.(expects)
	if !named {
		for _, addr := range c.Book.serving(req.Class.String(), c.Space, b.Near, c.Now()) {
			if len(d.tried) < b.MaxProviders {
				d.dial(ctx, addr, func() {})
			}
		}
	}
	findErr := c.Finder.Find(ctx, req.Class, func(addr netip.AddrPort) bool {
		d.hear(addr)
		if !named && !d.tried[addr] && c.Book.struck(addr, c.Now()) {
			d.later = append(d.later[:min(len(d.later), maxAddresses-1)], addr)
			return ctx.Err() == nil
		}
		return d.dial(ctx, addr, enough)
	})
	stopped := ctx.Err() != nil // then it was told to end
	_ = d.dials.Wait()          // no function of this group returns an error
	if d.count() < max(b.MinProviders, 1) {
		for _, addr := range d.later {
			d.dial(ctx, addr, enough)
		}
		_ = d.dials.Wait()
	}
	if err := c.Book.Save(); err != nil {
		c.log().Info("providers not remembered", "err", err)
	}
	if stopped {
		findErr = nil
	}
	return d.conclude(findErr)
}

// conclude says what came of it, with what was wrong with the finder.
func (d *discovery) conclude(findErr error) ([]match.Candidate, error) {
	met, least, unfit := d.candidates(), max(d.bounds.MinProviders, 1), d.misfits()
	switch {
	case len(met) >= least:
		if findErr != nil {
			d.client.progress(Event{Phase: Unsearched, Err: findErr})
		}
		return met, nil
	case len(met) == 0 && findErr != nil && len(unfit) == 0:
		return nil, findErr
	case len(met) == 0 && len(d.other) > 0 && unfit[far]+unfit[outside] == 0:
		slices.Sort(d.other)
		return nil, &PolicyError{Policy: d.req.Policy, Known: slices.Compact(d.other)}
	}
	return nil, &TooFewError{
		Found: len(met), Wanted: least, Far: unfit[far], Outside: unfit[outside], Other: unfit[other], Apart: unfit[apart], Foreign: unfit[foreign], Search: findErr,
	}
}

// hear notes that the finder has told of an address.
func (d *discovery) hear(addr netip.AddrPort) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.told) <= maxAddresses {
		d.told[addr] = true
	}
}

// dial meets whoever is at an address, once; false: there have been enough
// addresses. enough is called once there are enough providers.
func (d *discovery) dial(ctx context.Context, addr netip.AddrPort, enough func()) bool {
	d.looked++
	switch {
	case d.looked > maxAddresses || ctx.Err() != nil:
		return false
	case d.tried[addr]:
		d.tell(enough)
		return true
	}
	d.tried[addr] = true
	d.dials.Go(func() error {
		var link *mesh.Link
		d.counted(enough, func() { link = d.meet(ctx, addr) })
		if link != nil {
			d.counted(enough, func() { d.refer(ctx, link) })
		}
		return nil
	})
	return true
}

// counted looks after something was done whether there are enough providers.
func (d *discovery) counted(enough, do func()) {
	before := d.count()
	do()
	if after := d.count(); after > before && after >= d.bounds.MinProviders {
		d.quiet.Reset(d.client.Patience.WithDefaults().Connect * 5 / 4) // those under way come to their end, and are struck
	}
	d.tell(enough)
}

// count is how many providers there are.
func (d *discovery) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.met)
}

// tell calls enough if there are enough providers of whom the finder has told.
func (d *discovery) tell(enough func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	peers := map[string]bool{}
	for addr, peer := range d.at {
		if d.told[addr] {
			peers[peer] = true
		}
	}
	if len(peers) >= d.wanted {
		enough()
	}
}

// settle is content with as few providers as the request allows, whoever told of
// them.
func (d *discovery) settle(enough func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wanted = min(d.wanted, max(d.bounds.MinProviders, 1))
	if len(d.met) >= d.wanted {
		enough()
	}
}

// meet dials one address and keeps whom it finds there if this request can use
// it; nil: there is no provider.
func (d *discovery) meet(ctx context.Context, addr netip.AddrPort) *mesh.Link {
	c := d.client
	whole := ctx
	ctx, cancel := context.WithTimeout(ctx, c.Patience.WithDefaults().Connect)
	defer cancel()
	link, err := d.reach(ctx, addr)
	switch {
	case err == nil && link.Peer() == c.Key.ID():
		return nil // our own daemon
	case err == nil:
		err = d.greet(ctx, link, addr)
	case whole.Err() == nil: // else it was given no time
		c.log().Debug("no answer", "addr", addr, "err", err)
		c.Book.strike(addr, c.Now())
	}
	if err == nil {
		return link
	}
	c.log().Debug("no candidate", "addr", addr, "err", err)
	if whole.Err() == nil {
		d.leave(addr, err)
	}
	return nil
}

// greet asks who is at the other end of a link, and keeps it.
func (d *discovery) greet(ctx context.Context, link *mesh.Link, addr netip.AddrPort) error {
	c := d.client
	m, err := match.Meet(ctx, link, c.Pool, c.Now())
	if err != nil {
		return err
	}
	c.Book.note(m, c.Now())
	c.place(m)
	d.keep(addr, m)
	return nil
}

// leave says that nobody at an address is of use.
func (d *discovery) leave(addr netip.AddrPort, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.client.progress(Event{Phase: Unusable, Addr: addr, Err: err})
}

// reach dials an address, and wants whom the finder expects there.
func (d *discovery) reach(ctx context.Context, addr netip.AddrPort) (*mesh.Link, error) {
	if f, named := d.client.Finder.(expects); named {
		if id := f.expect(addr); !id.IsZero() {
			return d.client.Mesh.Connect(ctx, id, []netip.AddrPort{addr})
		}
	}
	return d.client.Mesh.Dial(ctx, addr)
}

// place moves this requester's coordinate by one sample.
func (c *Client) place(m match.Candidate) {
	at, err := coord.Parse(m.Record.Coordinate)
	if err != nil || c.Space == nil {
		return // it has none yet, or an implausible one
	}
	if err := c.Space.Observe(m.Record.ID.String(), at, m.Link.MinRTT()); err != nil {
		c.log().Debug("no sample", "peer", m.Record.ID.Short(), "err", err)
	}
}
