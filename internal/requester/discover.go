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
	quiet  *time.Timer                // runs out when nobody has turned up for a while
	other  []string                   // policies of providers that would serve the class by another
}

// discover dials what the book remembers and what the finder finds, as it is
// found, and returns those that prove to be operators of the pool, serve the
// class and the policy, speak our version and are within the bounds: each
// identity once, the best first, at most as many as the bounds want.
func (c *Client) discover(ctx context.Context, req market.Request, b Bounds) ([]match.Candidate, error) {
	d := &discovery{client: c, req: req, bounds: b, wanted: b.MaxProviders, tried: map[netip.AddrPort]bool{}, met: map[string]match.Candidate{}}
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
	// The remembered ones are near. They are no reason to stop looking until the
	// finder has had its say: a market is as good as those whom it is run among.
	// Who names those to ask wants nobody else asked.
	_, named := c.Finder.(Fixed)
	if !named {
		for _, addr := range c.Book.serving(req.Class.String(), c.Space, c.Now()) {
			if len(d.tried) < b.MaxProviders {
				d.dial(ctx, addr, func() {})
			}
		}
	}
	findErr := c.Finder.Find(ctx, req.Class, func(addr netip.AddrPort) bool {
		if !named && !d.tried[addr] && c.Book.struck(addr, c.Now()) {
			d.later = append(d.later[:min(len(d.later), maxAddresses-1)], addr)
			return ctx.Err() == nil
		}
		return d.dial(ctx, addr, enough)
	})
	_ = d.dials.Wait() // no function of this group returns an error
	if d.count() < max(b.MinProviders, 1) {
		for _, addr := range d.later {
			d.dial(ctx, addr, enough)
		}
		_ = d.dials.Wait()
	}
	met := d.candidates()
	if len(met) == 0 && findErr != nil && len(d.met) == 0 {
		return nil, findErr
	}
	if err := c.Book.Save(); err != nil {
		c.log().Info("providers not remembered", "err", err)
	}
	if len(met) == 0 && len(d.other) > 0 {
		slices.Sort(d.other)
		return nil, &PolicyError{Policy: req.Policy, Known: slices.Compact(d.other)}
	}
	return met, nil
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
		before := d.count()
		d.meet(ctx, addr)
		if after := d.count(); after > before && after >= d.bounds.MinProviders {
			d.quiet.Reset(d.client.Patience.WithDefaults().Connect * 5 / 4) // those under way come to their end
		}
		d.tell(enough)
		return nil
	})
	return true
}

// count is how many providers there are.
func (d *discovery) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.met)
}

// tell calls enough if there are enough providers.
func (d *discovery) tell(enough func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.met) >= d.wanted {
		enough()
	}
}

// settle is content with as few providers as the request allows.
func (d *discovery) settle(enough func()) {
	d.mu.Lock()
	d.wanted = min(d.wanted, max(d.bounds.MinProviders, 1))
	d.mu.Unlock()
	d.tell(enough)
}

// meet dials one address and keeps whom it finds there if this request can use
// it.
func (d *discovery) meet(ctx context.Context, addr netip.AddrPort) {
	c := d.client
	whole := ctx
	ctx, cancel := context.WithTimeout(ctx, c.Patience.WithDefaults().Connect)
	defer cancel()
	link, err := c.Mesh.Dial(ctx, addr)
	if err != nil {
		c.log().Debug("no answer", "addr", addr, "err", err)
		if whole.Err() == nil { // else it was given no time
			c.Book.strike(addr, c.Now())
		}
		return
	}
	if link.Peer() == c.Key.ID() {
		return // our own daemon
	}
	m, err := match.Meet(ctx, link, c.Pool, c.Now())
	if err != nil {
		c.log().Debug("no candidate", "addr", addr, "err", err)
		return
	}
	c.Book.note(m, c.Now())
	c.place(m)
	d.keep(m)
}

// place moves this requester's coordinate by one sample.
func (c *Client) place(m match.Candidate) {
	at, err := coord.Parse(m.Record.Coordinate)
	if err != nil || c.Space == nil {
		return // it has none yet, or an implausible one
	}
	if err := c.Space.Observe(m.Record.ID.String(), at, m.Link.RTT()); err != nil {
		c.log().Debug("no sample", "peer", m.Record.ID.Short(), "err", err)
	}
}
