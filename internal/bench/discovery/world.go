package discovery

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"time"

	"github.com/angler-dex/angler/internal/dht"
)

const (
	startRate = 60 // nodes started a second
	warmUp    = 5 * time.Second
	floodFrom = 10 * time.Second // between two announcements of a flooding node
	tick      = 500 * time.Millisecond
)

// world is the nodes that are up. Its methods are called by one goroutine,
// except where they say otherwise.
type world struct {
	o     Options
	key   dht.Key
	plane plane
	gang  gang
	rng   *rand.Rand

	first netip.AddrPort // the bootstrap node, which stays
	count int            // nodes ever started: numbers addresses
	mu    sync.Mutex     // guards up
	up    []*member
	all   sync.WaitGroup
}

// member is a node.
type member struct {
	node      *dht.Node
	wire      *wire
	harm      harm
	provider  bool
	announced netip.AddrPort // what is to be found
	since     time.Time      // when it became a provider
	kill      func()
}

func newWorld(o Options) *world {
	var seed [32]byte
	binary.LittleEndian.PutUint64(seed[:], o.Seed)
	rng := rand.New(rand.NewChaCha8(seed))
	w := &world{o: o, rng: rng, key: dht.ClassKey("bench", "", fmt.Sprintf("seed=%d", o.Seed))}
	w.plane.median = o.Latency
	w.gang.rng = rand.New(rand.NewPCG(o.Seed, 1))
	return w
}

// listen binds the next free address: a /24 of its own for each node, on
// systems where all of 127.0.0.0/8 is this machine.
func (w *world) listen() (net.PacketConn, error) {
	w.count++
	ip := net.IPv4(127, byte(1+w.count/250%190), byte(1+w.count%250), 1)
	if runtime.GOOS != "linux" {
		ip = net.IPv4(127, 0, 0, 1)
	}
	if w.o.listen != nil {
		return w.o.listen(&net.UDPAddr{IP: ip, Port: 1024 + w.count})
	}
	return net.ListenUDP("udp4", &net.UDPAddr{IP: ip})
}

// config is what all nodes have in common.
func (w *world) config(conn net.PacketConn) dht.Config {
	var seed [32]byte
	for i := range 4 {
		binary.LittleEndian.PutUint64(seed[8*i:], w.rng.Uint64())
	}
	cfg := dht.Config{
		Conn: conn, Rand: rand.NewChaCha8(seed),
		Limits: dht.StoreLimits{CapLoopback: runtime.GOOS == "linux"},
	}
	if w.first.IsValid() {
		cfg.Bootstrap = []string{w.first.String()}
	}
	return cfg
}

// start brings a node up.
func (w *world) start(ctx context.Context, h harm, provider bool) (*member, error) {
	conn, err := w.listen()
	if err != nil {
		return nil, err
	}
	m := &member{wire: w.plane.connect(conn, place{w.rng.Float64(), w.rng.Float64()}), harm: h, provider: provider}
	cfg := w.config(m.wire)
	if h != honest {
		cfg.Conn = &crook{wire: m.wire, gang: &w.gang, harm: h, id: func() dht.Key { return m.node.ID() }}
		w.gang.mu.Lock()
		if h == conspires || h == lies && len(w.gang.liars)%2 == 0 {
			cfg.ID = w.key
			binary.BigEndian.PutUint32(cfg.ID[16:], w.rng.Uint32())
		}
		w.gang.mu.Unlock()
	}
	if m.node, err = dht.New(cfg); err != nil {
		return nil, err
	}
	if h == lies || h == conspires {
		w.gang.join(m.wire.addr)
	}
	ctx, cancel := context.WithCancel(ctx)
	var jobs sync.WaitGroup
	jobs.Go(func() { _ = m.node.Run(ctx) }) // fails only when its socket is closed by somebody else
	switch {
	case provider:
		m.since = time.Now()
		port := 10000 + w.count%50000
		m.announced = netip.AddrPortFrom(m.wire.addr.Addr(), uint16(port))
		jobs.Go(func() { _ = m.node.KeepAnnounced(ctx, func() []dht.Key { return []dht.Key{w.key} }, port) }) // ends with ctx
	case h == floods:
		jobs.Go(func() { w.flood(ctx, m) })
	}
	var once sync.Once
	m.kill = func() {
		once.Do(func() {
			cancel()
			jobs.Wait()
		})
	}
	w.mu.Lock()
	w.up = append(w.up, m)
	w.mu.Unlock()
	return m, nil
}

// flood announces the key over and over.
func (w *world) flood(ctx context.Context, m *member) {
	for wait(ctx, floodFrom) {
		_ = m.node.Announce(ctx, w.key, 19999) // tried again
	}
}

// build starts the bootstrap node and all others.
func (w *world) build(ctx context.Context) error {
	first, err := w.start(ctx, honest, false)
	if err != nil {
		return err
	}
	w.first = first.wire.addr
	hostile := int(w.o.Hostile * float64(w.o.Nodes))
	for i := 1; i < w.o.Nodes; i++ {
		if i%startRate == 0 {
			w.o.say(fmt.Sprintf("%d of %d nodes", i, w.o.Nodes))
			if !wait(ctx, time.Second) {
				return ctx.Err()
			}
		}
		// Providers start last: the network is there when they come.
		h := honest
		if i <= hostile {
			h = drops + harm(i%3)
			if w.o.conspiracy {
				h = conspires
			}
		}
		if i == w.o.Nodes-w.o.Providers && !wait(ctx, min(warmUp, w.o.settledAfter())) {
			return ctx.Err()
		}
		if _, err := w.start(ctx, h, i >= w.o.Nodes-w.o.Providers); err != nil {
			return err
		}
	}
	return nil
}

// churn replaces nodes until ctx ends. It is the only one to start nodes then.
func (w *world) churn(ctx context.Context) error {
	var due float64
	for wait(ctx, tick) {
		due += w.o.Churn * float64(w.o.Nodes) * tick.Minutes()
		for ; due >= 1; due-- {
			w.mu.Lock()
			i := 1 + w.rng.IntN(len(w.up)-1) // all but the bootstrap node
			old := w.up[i]
			w.up[i] = w.up[len(w.up)-1]
			w.up = w.up[:len(w.up)-1]
			w.mu.Unlock()
			w.all.Go(old.kill)
			if _, err := w.start(ctx, old.harm, old.provider); err != nil {
				return err
			}
		}
	}
	return nil
}

// providers are those that are up and have been since before the time.
func (w *world) providers(since time.Time) []*member {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []*member
	for _, m := range w.up {
		if m.provider && !m.since.After(since) {
			out = append(out, m)
		}
	}
	return out
}

// end stops everybody.
func (w *world) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range w.up {
		w.all.Go(m.kill)
	}
	w.all.Wait()
}

// wait sleeps and reports whether ctx is still alive.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
