package mpc

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Network carries one party's messages: an ordered, authenticated, encrypted
// stream of bytes to and from each other party.
type Network interface {
	// Send writes a chunk to party to. It may keep the chunk.
	Send(ctx context.Context, to int, chunk []byte) error
	// Recv fills buf with the next bytes from party from. Calls for different
	// parties run at once. It returns when ctx ends.
	Recv(ctx context.Context, from int, buf []byte) error
}

// Run takes a party through the match over net: it reads from all peers at
// once, makes one step a flight, and returns when the party is through or has
// failed. Every goroutine has ended by then. If ctx ends first, the party is
// abandoned.
//
// An *AbortError names the peer whose message did not come, or was wrong.
func Run(ctx context.Context, p *Party, net Network) error {
	inner, cancel := context.WithCancel(ctx)
	r := &reader{party: p, net: net, frames: make([]chan []byte, p.n), failed: make(chan error, p.n)}
	var wg sync.WaitGroup
	for j := range p.n {
		if j != p.self {
			r.frames[j] = make(chan []byte, 1) // a peer may be one flight ahead
			wg.Go(func() { r.read(inner, j) })
		}
	}
	err := r.steps(inner)
	cancel()
	wg.Wait()
	if err != nil {
		p.Abandon()
		if ctx.Err() != nil {
			return fmt.Errorf("mpc: %w", context.Cause(ctx))
		}
	}
	return err
}

type reader struct {
	party  *Party
	net    Network
	frames []chan []byte
	failed chan error
}

// read reads every frame of one peer. The length of each is known beforehand.
func (r *reader) read(ctx context.Context, j int) {
	for f := firstFlight; f <= lastFlight; f++ {
		size := r.party.expect(f, j)
		if size == 0 {
			continue
		}
		buf := make([]byte, size)
		if err := r.net.Recv(ctx, j, buf); err != nil {
			r.failed <- &AbortError{Peer: j, Flight: f, Err: err}
			return
		}
		select {
		case r.frames[j] <- buf:
		case <-ctx.Done():
			return
		}
	}
}

func (r *reader) steps(ctx context.Context) error {
	emit := func(to int, chunk []byte) error {
		if err := r.net.Send(ctx, to, chunk); err != nil {
			return &AbortError{Peer: to, Flight: r.party.flight, Err: err}
		}
		return nil
	}
	var in [][]byte
	for {
		if err := r.party.Step(in, emit); err != nil {
			return err
		}
		sizes := r.party.Expect()
		if sizes == nil {
			return nil
		}
		in = make([][]byte, len(sizes))
		for j, size := range sizes {
			if size == 0 {
				continue
			}
			var err error
			if in[j], err = r.next(ctx, j); err != nil {
				return err
			}
		}
	}
}

// next waits for the next frame of one peer, or the failure of any. What has
// come is taken before a failure of somebody else is looked at.
func (r *reader) next(ctx context.Context, j int) ([]byte, error) {
	select {
	case b := <-r.frames[j]:
		return b, nil
	default:
	}
	select {
	case b := <-r.frames[j]:
		return b, nil
	case err := <-r.failed:
		return nil, err
	case <-ctx.Done():
		return nil, errors.New("mpc: cancelled")
	}
}
