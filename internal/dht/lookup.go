package dht

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"

	"golang.org/x/sync/errgroup"
)

// walksAtOnce bounds the walks that one search has in flight.
const walksAtOnce = 9

// Search is what to look for: rings of keys, the nearest first (see [Rings]).
type Search struct {
	Rings [][]Key

	// Found is called with each address once, the first as soon as a node
	// tells it. Calls do not overlap, and while one lasts the others wait and
	// are put into the order in which they deserve to be tried: it may block
	// until there is time to dial. When it returns false the search ends.
	Found func(netip.AddrPort) bool

	// Widen, if not nil, is called when the ring of that index has been searched
	// and all that was found there has been handed to Found; false ends the
	// search, true goes on with the next ring. It may block, for example until
	// those who were found have been dialled.
	Widen func(ring int) bool
}

// Lookup is a search of one ring.
func (n *Node) Lookup(ctx context.Context, keys []Key, found func(netip.AddrPort) bool) error {
	return n.Search(ctx, Search{Rings: [][]Key{keys}, Found: found})
}

// Search looks for those who announced themselves under any of the keys, ring
// by ring. The result is the union over the keys of the rings, over both
// address families, over the independent paths of each walk, and over what this
// node stores itself; at most MaxFound addresses, chosen so that neither many
// announcements from one network nor the fancies of a few nodes leave no room
// for the others.
//
// It returns nil when the search is over, whatever it found, the context's
// error when that ended first, and an error that wraps ErrNoBootstrap when no
// node answered (unless this is the first node of its network). Addresses are
// hints from strangers: whoever stands behind one must prove who it is.
func (n *Node) Search(ctx context.Context, s Search) error {
	if err := n.serving(ctx); err != nil {
		return err
	}
	run := &search{n: n, found: s.Found, sample: newSample(n.cfg.Limits.networkOf), news: make(chan struct{}, 1), asked: make(map[Key]bool)}
	for i, ring := range s.Rings {
		if err := run.ring(ctx, ring); err != nil {
			return err
		}
		if run.enough || i == len(s.Rings)-1 || s.Widen != nil && !s.Widen(i) {
			break
		}
	}
	if run.answered == 0 && run.lonely != nil {
		return fmt.Errorf("lookup: %w", run.lonely)
	}
	return nil
}

// search is a Search under way.
type search struct {
	n     *Node
	found func(netip.AddrPort) bool

	mu       sync.Mutex
	sample   *sample
	answered int
	lonely   error

	news   chan struct{} // the sample has changed
	asked  map[Key]bool
	enough bool
}

// ring walks to the keys and hands out what is heard, until all of it is.
func (r *search) ring(ctx context.Context, keys []Key) (err error) {
	walking, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		err = r.walks(walking, keys)
	}()
	for over := false; !over && !r.enough; {
		select {
		case <-r.news:
		case <-ended:
			over = true
		}
		r.enough = !r.handOut(ctx, over)
	}
	cancel()
	<-ended
	switch {
	case r.enough:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return fmt.Errorf("lookup: %w", err)
	}
	return nil
}

// handOut gives the caller what the sample has for it, and reports whether it
// wants more. The best is chosen anew each time: more may be known by then.
func (r *search) handOut(ctx context.Context, over bool) bool {
	for {
		r.mu.Lock()
		r.sample.over = over
		addr, ok := r.sample.next()
		full := r.sample.full()
		r.mu.Unlock()
		switch {
		case !ok:
			return !full
		case ctx.Err() != nil:
			return true
		case !r.found(addr):
			return false
		}
	}
}

// walks walks to each key that has not been walked to yet, in each family.
func (r *search) walks(ctx context.Context, keys []Key) error {
	var group errgroup.Group
	group.SetLimit(walksAtOnce)
	for _, key := range keys {
		if r.asked[key] {
			continue
		}
		r.asked[key] = true
		r.hear(r.n.local, r.n.store.sample(key, r.n.cfg.Limits.PerKey))
		for _, s := range r.n.sides {
			group.Go(func() error { return r.walk(ctx, s, key) })
		}
	}
	return group.Wait()
}

func (r *search) walk(ctx context.Context, s *side, key Key) error {
	_, err := r.n.walk(ctx, s, key, "get_peers", r.hear)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err == nil, errors.Is(err, ErrNoBootstrap) && r.n.founds():
		r.answered++
		return nil
	case errors.Is(err, ErrNoBootstrap):
		r.lonely = err
		return nil
	}
	return err
}

func (r *search) hear(from netip.AddrPort, told []netip.AddrPort) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sample.add(from, told)
	select {
	case r.news <- struct{}{}:
	default:
	}
}
