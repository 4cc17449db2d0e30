package dht

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// seeded is a reader of deterministic bytes.
func seeded(seed uint64) *rand.ChaCha8 {
	var s [32]byte
	binary.LittleEndian.PutUint64(s[:], seed)
	return rand.NewChaCha8(s)
}

func listen(t testing.TB) net.PacketConn {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// running is a node with its Run.
type running struct {
	*Node
	kill func() // ends Run and waits for it
}

func start(t testing.TB, cfg Config) running {
	t.Helper()
	if cfg.Conn == nil {
		cfg.Conn = listen(t)
	}
	if cfg.Resend == 0 {
		cfg.Resend = time.Second // a machine that also runs the race detector is slow to answer
	}
	n, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context()) // ends before the cleanups: all nodes stop at once
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	killed := false
	kill := func() {
		if killed {
			return
		}
		killed = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	}
	t.Cleanup(kill)
	return running{n, kill}
}

// key is the node's id, as bytes.
func (r running) key() []byte {
	id := r.ID()
	return id[:]
}

// known are the nodes of the routing table.
func (r running) known() []contact { return r.sides[0].table.nearest(r.ID(), 1<<20) }

// pool starts a bootstrap node and count others, each on its own socket.
func pool(t testing.TB, count int, cfg Config) (bootstrap running, nodes []running) {
	t.Helper()
	first := cfg
	first.Rand = seeded(1)
	bootstrap = start(t, first)
	for i := range count {
		other := cfg
		other.Bootstrap = []string{bootstrap.Addr().String()}
		other.Rand = seeded(uint64(100 + i))
		nodes = append(nodes, start(t, other))
	}
	ready(t, append([]running{bootstrap}, nodes...)...)
	if cfg.Now == nil { // else refreshing waits for the test's clock
		settle(t, min(count, 8), nodes...)
	}
	return bootstrap, nodes
}

// settle waits until each node has heard enough others. Nodes that join at the
// same moment may meet only when they look around for the second time.
func settle(t testing.TB, enough int, nodes ...running) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for i, n := range nodes {
		for n.Stats().GoodNodes < enough {
			if !pause(ctx, 5*time.Millisecond) {
				t.Fatalf("node %d has heard %d others, want %d", i, n.Stats().GoodNodes, enough)
			}
		}
	}
}

func ready(t testing.TB, nodes ...running) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for i, n := range nodes {
		if err := n.Ready(ctx); err != nil {
			t.Fatalf("node %d: %v", i, err)
		}
	}
}

// lookup is all that one Lookup finds, sorted.
func lookup(t testing.TB, n running, keys ...Key) []netip.AddrPort {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	var found []netip.AddrPort
	err := n.Lookup(ctx, keys, func(a netip.AddrPort) bool {
		found = append(found, a)
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(found, netip.AddrPort.Compare)
	return found
}

func local(port int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(port))
}

// announceAll lets the providers announce ports 5001, 5002, … under the key at
// the same time and returns the addresses that a lookup must find.
func announceAll(t testing.TB, key Key, providers []running) []netip.AddrPort {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	var group errgroup.Group
	var want []netip.AddrPort
	for i, p := range providers {
		want = append(want, local(5001+i))
		group.Go(func() error { return p.Announce(ctx, key, 5001+i) })
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	return want
}

func TestEveryNodeFindsEveryProvider(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	bootstrap, nodes := pool(t, 32, Config{})
	key := ClassKey("lab", "u09t", "cpu=1,memory=1Gi")
	want := announceAll(t, key, nodes[:5])
	requester := start(t, Config{
		Bootstrap: []string{bootstrap.Addr().String()}, Passive: true,
		TablePath: dir + "/table", Rand: seeded(2),
	})
	ready(t, requester)
	allFind(t, key, want, append(slices.Clone(nodes), bootstrap, requester))
	requester.kill()

	bootstrap.kill()
	allFind(t, key, want, nodes[5:21])
	for name, cfg := range map[string]Config{
		"saved nodes only": {TablePath: dir + "/table", Bootstrap: []string{bootstrap.Addr().String()}},
		"one other node":   {Bootstrap: []string{nodes[20].Addr().String()}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg.Passive, cfg.Rand = true, seeded(3)
			fresh := start(t, cfg)
			ready(t, fresh)
			if got := lookup(t, fresh, key); !slices.Equal(got, want) {
				t.Errorf("found %v, want %v", got, want)
			}
		})
	}
	for _, n := range nodes {
		s := n.Stats()
		if s.Nodes < 10 || s.GoodNodes == 0 {
			t.Errorf("routing table has %d nodes, %d good", s.Nodes, s.GoodNodes)
		}
		if 20*s.PacketsDropped > s.PacketsReceived { // some may be meant for who had the port before
			t.Errorf("%d of %d packets among our own nodes were taken for malformed", s.PacketsDropped, s.PacketsReceived)
		}
	}
}

// allFind lets the nodes look up, 8 at the same time.
func allFind(t *testing.T, key Key, want []netip.AddrPort, nodes []running) {
	t.Helper()
	began := time.Now()
	var group errgroup.Group
	group.SetLimit(8)
	for i, n := range nodes {
		group.Go(func() error {
			var found []netip.AddrPort
			err := n.Lookup(t.Context(), []Key{key}, func(a netip.AddrPort) bool {
				found = append(found, a)
				return true
			})
			slices.SortFunc(found, netip.AddrPort.Compare)
			if err != nil || !slices.Equal(found, want) {
				t.Errorf("node %d found %v, %v, want %v", i, found, err, want)
			}
			return nil
		})
	}
	_ = group.Wait() // the functions return no errors
	t.Logf("%d lookups in %v", len(nodes), time.Since(began))
}

// In a pool of a few nodes all of them are asked. One that has died is waited
// for in the first walk, not in each that follows.
func TestADeadNodeIsWaitedForOnce(t *testing.T) {
	t.Parallel()
	bootstrap, nodes := pool(t, 4, Config{})
	nodes[3].kill()
	requester := start(t, Config{Bootstrap: []string{bootstrap.Addr().String()}, Passive: true, Rand: seeded(2)})
	ready(t, requester)
	lookup(t, requester, Key{1})
	if !requester.failing.has(nodes[3].Addr()) {
		t.Error("a node that did not answer is not doubted in the next walk")
	}
}
