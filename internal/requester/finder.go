package requester

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/angler-dex/angler/internal/dht"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match"
	"golang.org/x/sync/errgroup"
)

// Finder streams addresses at which providers of a class may listen, until the
// search is complete, ctx ends, or found returns false. found is called from
// one goroutine at a time.
type Finder interface {
	Find(ctx context.Context, class market.Class, found func(netip.AddrPort) bool) error
}

// DHTFinder finds through a DHT node of one's own.
type DHTFinder struct {
	Node  *dht.Node
	Pool  string
	Cells []string // geohash prefixes; "" is the whole world
}

// Find looks the class up under every cell. The error is dht.ErrNoBootstrap
// if no node of the DHT answers.
func (f DHTFinder) Find(ctx context.Context, class market.Class, found func(netip.AddrPort) bool) error {
	if err := f.Node.Ready(ctx); err != nil {
		return err
	}
	var keys []dht.Key
	for _, cell := range f.Cells {
		keys = append(keys, dht.ClassKey(f.Pool, cell, class.String()))
	}
	return f.Node.Lookup(ctx, keys, found)
}

// Fixed is a Finder of addresses that are known already.
type Fixed []netip.AddrPort

// Find reports the addresses.
func (f Fixed) Find(_ context.Context, _ market.Class, found func(netip.AddrPort) bool) error {
	for _, a := range f {
		if !found(a) {
			break
		}
	}
	return nil
}

const (
	dialWithin   = 3 * time.Second // a provider that is gone costs this much at most
	maxDials     = 16              // at once
	maxAddresses = 256             // looked at in one discovery: a flooded key cannot keep us busy
)

// discover dials what the finder finds, as it is found, and returns those that
// prove to be operators of the pool, serve the class and the policy and speak
// our version: nearest first, each identity once, at most wanted.
func (c *Client) discover(ctx context.Context, req market.Request, wanted int) ([]match.Candidate, error) {
	ctx, enough := context.WithCancel(ctx)
	defer enough()
	var (
		mu    sync.Mutex
		met   []match.Candidate
		tried int
		g     errgroup.Group
	)
	g.SetLimit(maxDials)
	findErr := c.Finder.Find(ctx, req.Class, func(addr netip.AddrPort) bool {
		if tried++; tried > maxAddresses || ctx.Err() != nil {
			return false
		}
		g.Go(func() error {
			cand, ok := c.meet(ctx, addr, req)
			if !ok {
				return nil
			}
			mu.Lock()
			defer mu.Unlock()
			if !slices.ContainsFunc(met, func(m match.Candidate) bool { return m.Record.ID == cand.Record.ID }) {
				met = append(met, cand)
				c.progress(Event{Phase: Discovered, Done: len(met)})
			}
			if len(met) >= wanted {
				enough()
			}
			return nil
		})
		return true
	})
	_ = g.Wait() //nolint:errcheck // a provider that cannot be met is simply not a candidate
	if len(met) == 0 && findErr != nil && !errors.Is(findErr, context.Canceled) {
		return nil, findErr
	}
	slices.SortStableFunc(met, func(a, b match.Candidate) int { return int(a.Link.RTT() - b.Link.RTT()) })
	return met[:min(wanted, len(met))], nil
}

// meet dials one address; false: nobody there whom this request can use.
func (c *Client) meet(ctx context.Context, addr netip.AddrPort, req market.Request) (match.Candidate, bool) {
	ctx, cancel := context.WithTimeout(ctx, dialWithin)
	defer cancel()
	link, err := c.Mesh.Dial(ctx, addr)
	if err != nil {
		c.Log.Debug("no answer", "addr", addr, "err", err)
		return match.Candidate{}, false
	}
	if link.Peer() == c.Key.ID() {
		return match.Candidate{}, false // our own daemon
	}
	cand, err := match.Meet(ctx, link, c.Pool, c.Now())
	if err != nil {
		c.Log.Debug("no candidate", "addr", addr, "err", err)
		return match.Candidate{}, false
	}
	r := cand.Record
	usable := slices.Contains(r.Classes, req.Class.String()) && slices.Contains(r.Policies, req.Policy) && slices.Contains(r.Versions, match.Version)
	return cand, usable
}
