package match_test

import (
	"bytes"
	"context"
	"sync"
	"sync/atomic"

	"github.com/angler-dex/angler/internal/match"
	"github.com/angler-dex/angler/internal/match/matchtest"
	"github.com/angler-dex/angler/internal/mpc"
)

// Where in the header of a frame of package mpc the flight stands, behind the
// sid, and how long the header is.
const (
	flightAt   = 32
	headerSize = 67
)

// fault is what happens to a provider in a match.
type fault func(ctx context.Context, p *matchtest.Provider) error

// vanish ends the provider's node, and with it all of its links.
func vanish(ctx context.Context, p *matchtest.Provider) error {
	go p.Node.Close() // which waits for the very match that calls this
	<-ctx.Done()
	return ctx.Err()
}

// stall does nothing more, and is silent about it.
func stall(ctx context.Context, _ *matchtest.Provider) error {
	<-ctx.Done()
	return ctx.Err()
}

// atFlight has the provider suffer a fault when it is about to send its message
// of a flight, once.
func atFlight(p *matchtest.Provider, flight int, f fault) {
	var done atomic.Bool
	p.Prepare = func(prov *match.Provider) {
		prov.Drive(func(ctx context.Context, party *mpc.Party, net mpc.Network) error {
			return mpc.Run(ctx, party, &faulty{Network: net, before: func(ctx context.Context, at int) error {
				if at == flight && !done.Swap(true) {
					return f(ctx, p)
				}
				return nil
			}})
		})
	}
}

// faulty is a network with something in front of each flight that is sent.
type faulty struct {
	mpc.Network
	before func(ctx context.Context, flight int) error

	mu     sync.Mutex
	sid    []byte // of the first frame
	flight [256]beginning
}

// beginning is what comes before a flight, once.
type beginning struct {
	once sync.Once
	err  error
}

// Send holds back all parties' frames of a flight, and no other's, until what
// stands before the flight is over.
func (n *faulty) Send(ctx context.Context, to int, chunk []byte) error {
	n.mu.Lock()
	if n.sid == nil {
		n.sid = chunk[:flightAt]
	}
	begins := bytes.HasPrefix(chunk, n.sid) // else it is the rest of a frame
	n.mu.Unlock()
	if begins {
		f := &n.flight[chunk[flightAt]]
		f.once.Do(func() { f.err = n.before(ctx, int(chunk[flightAt])) })
		if f.err != nil {
			return f.err
		}
	}
	return n.Network.Send(ctx, to, chunk)
}
