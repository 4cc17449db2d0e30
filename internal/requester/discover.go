package requester

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match"
)

// Bounds of one discovery.
const (
	maxDials     = 16  // at once
	maxAddresses = 256 // looked at in one discovery: a flooded key cannot keep us busy
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
		seen  = map[netip.AddrPort]bool{}
		g     errgroup.Group
	)
	g.SetLimit(maxDials)
	findErr := c.Finder.Find(ctx, req.Class, func(addr netip.AddrPort) bool {
		if tried++; tried > maxAddresses || ctx.Err() != nil {
			return false
		}
		if seen[addr] {
			return true
		}
		seen[addr] = true
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
	_ = g.Wait() // no function of this group returns an error
	if len(met) == 0 && findErr != nil {
		return nil, findErr
	}
	slices.SortStableFunc(met, func(a, b match.Candidate) int { return cmp.Compare(a.Link.RTT(), b.Link.RTT()) })
	return met[:min(wanted, len(met))], nil
}

// meet dials one address; false: nobody there whom this request can use.
func (c *Client) meet(ctx context.Context, addr netip.AddrPort, req market.Request) (match.Candidate, bool) {
	ctx, cancel := context.WithTimeout(ctx, c.Patience.WithDefaults().Connect)
	defer cancel()
	link, err := c.Mesh.Dial(ctx, addr)
	if err != nil {
		c.log().Debug("no answer", "addr", addr, "err", err)
		return match.Candidate{}, false
	}
	if link.Peer() == c.Key.ID() {
		return match.Candidate{}, false // our own daemon
	}
	cand, err := match.Meet(ctx, link, c.Pool, c.Now())
	if err != nil {
		c.log().Debug("no candidate", "addr", addr, "err", err)
		return match.Candidate{}, false
	}
	r := cand.Record
	usable := slices.Contains(r.Classes, req.Class.String()) && slices.Contains(r.Policies, req.Policy) && slices.Contains(r.Versions, match.Version)
	return cand, usable
}
