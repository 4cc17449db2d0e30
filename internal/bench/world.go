package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/mesh"
)

// world is everything that is between the parties of one run: a node each, a
// link a pair and a stream on it, with relays in between if there is a delay.
type world struct {
	sites    []*site
	relays   []*relay
	over     chan struct{} // closed by close: handlers let go of their streams
	children sync.WaitGroup
}

// site is the place of one party.
type site struct {
	key     *identity.Key
	node    *mesh.Node
	streams []*mesh.Stream // to each party; nil at the own place
	arrived chan arrival   // streams that lower parties have opened
}

type arrival struct {
	from   int
	stream *mesh.Stream
}

// kindBench is the one kind of stream here: the opener's index in a byte, and
// then what the run says.
const kindBench mesh.Kind = 1

// Bounds that nothing on one machine should meet, so that a run among many ends
// by its context only.
const (
	handshakeWithin = 2 * time.Minute
	idleWithin      = 10 * time.Minute
	silenceWithin   = 10 * time.Minute
	dialsAtOnce     = 16
)

// newWorld makes and connects n parties. The caller closes what it returns.
func newWorld(ctx context.Context, n int, rtt time.Duration, rnd io.Reader) (_ *world, err error) {
	w := &world{over: make(chan struct{})}
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	for range n {
		if err = w.settle(ctx, n, rnd); err != nil {
			return nil, err
		}
	}
	return w, w.connect(ctx, rtt/2)
}

// settle makes the next party's node.
func (w *world) settle(ctx context.Context, n int, rnd io.Reader) error {
	key, err := identity.Generate(rnd)
	if err != nil {
		return err
	}
	node, err := mesh.Listen(mesh.Config{
		Key: key, Addr: "127.0.0.1:0", Rand: rnd, Handshake: handshakeWithin, Idle: idleWithin, MaxHandshakes: 4 * n * dialsAtOnce,
	})
	if err != nil {
		return err
	}
	s := &site{key: key, node: node, streams: make([]*mesh.Stream, n), arrived: make(chan arrival, n)}
	node.Handle(kindBench, func(ctx context.Context, st *mesh.Stream) { w.welcome(ctx, s, st) })
	w.sites = append(w.sites, s)
	ctx = context.WithoutCancel(ctx) // until close
	w.children.Go(func() { _ = node.Run(ctx) })
	return nil
}

// welcome takes a stream that a lower party has opened, and keeps it open until
// the run is over.
func (w *world) welcome(ctx context.Context, s *site, st *mesh.Stream) {
	var from [1]byte
	if _, err := io.ReadFull(st, from[:]); err != nil {
		return
	}
	select {
	case s.arrived <- arrival{int(from[0]), st}:
	default: // more streams than there are parties: not ours
		return
	}
	select {
	case <-w.over:
	case <-ctx.Done():
	}
}

// connect gives each pair a link and a stream; the lower party dials.
func (w *world) connect(ctx context.Context, delay time.Duration) error {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(dialsAtOnce)
	for i, s := range w.sites {
		for j := i + 1; j < len(w.sites); j++ {
			to, err := w.address(j, delay)
			if err != nil {
				return errors.Join(err, g.Wait())
			}
			g.Go(func() (err error) {
				s.streams[j], err = s.open(gctx, i, w.sites[j], to)
				return err
			})
		}
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for j, s := range w.sites {
		for range j {
			select {
			case a := <-s.arrived:
				if a.from >= j || a.stream.Peer() != w.sites[a.from].key.ID() {
					return fmt.Errorf("bench: party %d met a stranger", j)
				}
				s.streams[a.from] = a.stream
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	return nil
}

// address is where party j is dialled: at home, or at a relay of this link's own.
func (w *world) address(j int, delay time.Duration) (netip.AddrPort, error) {
	home := w.sites[j].node.Addr()
	if delay <= 0 {
		return home, nil
	}
	r, err := newRelay(home, delay)
	if err != nil {
		return netip.AddrPort{}, err
	}
	w.relays = append(w.relays, r)
	w.children.Go(r.run)
	return r.addr(), nil
}

func (s *site) open(ctx context.Context, self int, to *site, addr netip.AddrPort) (*mesh.Stream, error) {
	link, err := s.node.Connect(ctx, to.key.ID(), []netip.AddrPort{addr})
	if err != nil {
		return nil, err
	}
	st, err := link.Open(ctx, kindBench)
	if err != nil {
		return nil, err
	}
	_, err = st.Write([]byte{byte(self)})
	return st, err
}

// close ends all links, nodes and relays, and waits for them.
func (w *world) close() {
	close(w.over)
	for _, s := range w.sites {
		w.children.Go(func() { s.node.Close() })
	}
	for _, r := range w.relays {
		r.close()
	}
	w.children.Wait()
}
