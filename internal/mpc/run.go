package mpc

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/angler-dex/angler/internal/mpc/auth"
	"github.com/angler-dex/angler/internal/mpc/block"
	"github.com/angler-dex/angler/internal/mpc/circuit"
	"github.com/angler-dex/angler/internal/mpc/triple"
	"github.com/angler-dex/angler/internal/mpc/work"
)

// Network carries one party's messages: an ordered, authenticated, encrypted
// stream of bytes to and from each other party.
type Network interface {
	// Send writes a chunk to party to. It may keep the chunk. Calls for different
	// parties run at once. It returns when ctx ends.
	Send(ctx context.Context, to int, chunk []byte) error
	// Recv fills buf with the next bytes from party from. Calls for different
	// parties run at once. It returns when ctx ends.
	Recv(ctx context.Context, from int, buf []byte) error
}

// Run takes a party through the match over net: it reads from all peers and
// writes to all of them at once, makes one step a flight, and returns when the
// party is through and all has been sent that can be, or when it has failed.
// Every goroutine has ended by then. If ctx ends before the party is through,
// the party is abandoned. A peer that does not read holds up nothing that goes
// to others.
//
// An *AbortError names the peer whose message did not come, or was wrong.
//
// While a party of no unusual size runs, the garbage collector of the process is made
// to wait longer (see work.Unhurried).
func Run(ctx context.Context, p *Party, net Network) error {
	if p.memory() <= unhurriedMemory {
		defer work.Unhurried()()
	}
	inner, cancel := context.WithCancel(ctx)
	r := &runner{party: p, net: net, frames: make([]chan []byte, p.n), queues: make([]chan piece, p.n), failed: make(chan error, 2*p.n)}
	var readers, writers sync.WaitGroup
	unreached := make([]bool, p.n)
	for j := range p.n {
		if j != p.self {
			r.frames[j] = make(chan []byte, 1) // a peer may be one flight ahead
			r.queues[j] = make(chan piece, p.pieces(j))
			readers.Go(func() { r.read(inner, j) })
			writers.Go(func() { unreached[j] = !r.write(inner, j) })
		}
	}
	err := r.steps(inner)
	if err != nil {
		cancel()
	}
	for j, q := range r.queues {
		if j != p.self {
			close(q)
		}
	}
	writers.Wait()
	cancel()
	readers.Wait()
	for j, lost := range unreached {
		if lost {
			p.unreached = append(p.unreached, j)
		}
	}
	if err != nil {
		p.Abandon()
		if ctx.Err() != nil {
			return fmt.Errorf("mpc: %w", context.Cause(ctx))
		}
	}
	return err
}

// unhurriedMemory is what a party may keep without the collector having to be quick: it
// bounds what is added to the memory of a process by collecting late.
const unhurriedMemory = 24 << 20

// memory is what a party keeps for its peers until its triples are made, in bytes.
func (m *params) memory() int { return memory(m.shapes, m.self) }

func memory(shapes []auth.Shape, self int) (n int) {
	for j := range shapes {
		if j != self {
			n += block.Size * (shapes[j].Rows() + shapes[j].Pairs() + shapes[self].Rows() + shapes[self].Pairs())
		}
	}
	return n
}

// Memory is what a party of a match of this circuit keeps for its peers until its
// triples are made, in bytes; at its peak a party needs two to three times that. It
// grows with the number of parties and of ANDs: who lets others choose a circuit
// bounds it.
func Memory(c *circuit.Circuit, self int) int {
	ell, bucket := triple.Plan(c.ANDs())
	var shapes []auth.Shape
	for i := range c.Parties {
		shapes = append(shapes, auth.Shape{Leaky: bucket * ell, ANDs: c.ANDs(), Inputs: len(c.InputsOf(i))})
	}
	return memory(shapes, self)
}

type runner struct {
	party  *Party
	net    Network
	frames []chan []byte // by peer: what has come and was not taken yet
	queues []chan piece  // by peer: what is to be sent, with room for the whole match
	failed chan error
}

// piece is a part of a flight on its way.
type piece struct {
	flight int
	chunk  []byte
}

// pieces is how many the party emits for party to in a match.
func (m *params) pieces(to int) (n int) {
	for f := firstFlight; f <= lastFlight; f++ {
		n += m.size(f, m.self, to)/chunkSize + 2*len(layout[f]) + 1 // large fields, and what is between them
	}
	return n
}

// write sends what there is for one peer. A failure before F9 fails the match;
// one in F9 means that the peer was not reached.
func (r *runner) write(ctx context.Context, j int) (reached bool) {
	var err error
	reached = true
	for p := range r.queues[j] {
		if err == nil {
			if err = r.net.Send(ctx, j, p.chunk); err != nil && p.flight < lastFlight {
				r.failed <- &AbortError{Peer: j, Flight: p.flight, Err: err}
			}
		}
		if err != nil && p.flight == lastFlight {
			reached = false
		}
	}
	return reached
}

// read reads every frame of one peer. The length of each is known beforehand.
func (r *runner) read(ctx context.Context, j int) {
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

func (r *runner) steps(ctx context.Context) error {
	emit := func(to int, chunk []byte) error {
		r.queues[to] <- piece{r.party.flight, chunk}
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
func (r *runner) next(ctx context.Context, j int) ([]byte, error) {
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
