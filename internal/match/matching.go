package match

import (
	"context"
	"sync"

	"github.com/angler-dex/angler/internal/identity"
)

// Matching is how many matches this provider takes part in now: between an
// invitation that it accepted and the end of its part.
func (p *Provider) Matching() int { return len(p.slots) }

// occupy takes a place among the matches, one of those that this requester may
// have, and returns how to give it free. Requests come in bursts and matches are
// short, so it waits a little, but less long than a requester waits for an
// answer.
func (p *Provider) occupy(ctx context.Context, requester identity.PeerID) (vacate func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, p.Patience.Slot)
	defer cancel()
	leave, err := p.shares.take(ctx, requester)
	if err != nil {
		return nil, err
	}
	select {
	case p.slots <- struct{}{}:
		return sync.OnceFunc(func() { <-p.slots; leave() }), nil
	case <-ctx.Done():
		leave()
		return nil, errBusy
	}
}

// shares bounds how many of the places one requester has at once, so that none
// shuts the others out: whoever is admitted can park a match for as long as one
// may take.
type shares struct {
	each int

	mu sync.Mutex
	of map[identity.PeerID]*sharer
}

// sharer is a requester that has a place or waits for one.
type sharer struct {
	places chan struct{}
	here   int // having or waiting; the last one forgets the sharer
}

func newShares(each int) *shares { return &shares{each: each, of: map[identity.PeerID]*sharer{}} }

// take waits for a place within the requester's share.
func (s *shares) take(ctx context.Context, who identity.PeerID) (leave func(), err error) {
	s.mu.Lock()
	one := s.of[who]
	if one == nil {
		one = &sharer{places: make(chan struct{}, s.each)}
		s.of[who] = one
	}
	one.here++
	s.mu.Unlock()
	gone := func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if one.here--; one.here == 0 {
			delete(s.of, who)
		}
	}
	select {
	case one.places <- struct{}{}:
		return func() { <-one.places; gone() }, nil
	case <-ctx.Done():
		gone()
		return nil, errShare
	}
}
