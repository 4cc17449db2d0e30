package mesh

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
)

// A stream counts until its handler has returned: a peer that resets its streams
// gets no more handlers at once for it.
func TestTooManyStreams(t *testing.T) {
	const most = 4
	var reached, noticed atomic.Int64
	release := make(chan struct{})
	n, err := Listen(Config{Key: testKey(t, 1), Addr: "127.0.0.1:0", MaxStreams: most})
	if err != nil {
		t.Fatal(err)
	}
	n.Handle(kindHold, func(_ context.Context, s *Stream) {
		reached.Add(1)
		_, _ = io.Copy(io.Discard, s)
		for err := error(nil); err == nil; {
			_, err = s.Write([]byte{1})
		}
		noticed.Add(1)
		<-release
	})
	go func() { _ = n.Run(t.Context()) }()
	defer n.Close()
	h := newHostile(t, 3)
	qc := h.dial(n)
	h.say(qc, nil)
	var streams []*quic.Stream
	for range most {
		s, err := qc.OpenStreamSync(testContext(t))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Write([]byte{byte(kindHold)}); err != nil {
			t.Fatal(err)
		}
		streams = append(streams, s)
	}
	eventually(t, "the streams are served", func() bool { return reached.Load() == most })
	if _, err := qc.OpenStream(); err == nil {
		t.Fatal("one stream more than is allowed")
	}
	for _, s := range streams {
		s.CancelRead(1)
		s.CancelWrite(1)
	}
	eventually(t, "the handlers have noticed", func() bool { return noticed.Load() == most })
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := qc.OpenStreamSync(ctx); err == nil {
		t.Fatal("one stream more than handlers may run")
	}
	close(release)
	if _, err := qc.OpenStreamSync(testContext(t)); err != nil {
		t.Fatalf("no stream after the handlers have returned: %v", err)
	}
}

// deaf is a socket that sends and never hears: handshakes stay half open.
type deaf struct {
	net.PacketConn
	closed chan struct{}
	once   sync.Once
}

func (d *deaf) ReadFrom([]byte) (int, net.Addr, error) {
	<-d.closed
	return 0, nil, net.ErrClosed
}

func (d *deaf) Close() error {
	d.once.Do(func() { close(d.closed) })
	return d.PacketConn.Close()
}

func TestHandshakeFlood(t *testing.T) {
	t.Parallel()
	n := testNode(t, Config{Key: testKey(t, 1), MaxHandshakes: 32, Handshake: 4 * time.Second})
	socket, err := bind("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	flood := &deaf{PacketConn: socket, closed: make(chan struct{})}
	tr := &quic.Transport{Conn: flood}
	ctx, cancel := context.WithCancel(t.Context())
	c := newHostile(t, 3).tls()
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			if _, err := tr.Dial(ctx, net.UDPAddrFromAddrPort(n.Addr()), c, nil); err == nil {
				t.Error("a handshake without hearing")
			}
		})
	}
	t.Cleanup(func() {
		cancel()
		wg.Wait()
		_ = flood.Close()
		_ = tr.Close()
	})
	pending := func() int {
		n.gate.mu.Lock()
		defer n.gate.mu.Unlock()
		return n.gate.handshakes
	}
	eventually(t, "the places for the unverified are taken", func() bool { return pending() >= 8 })
	// Who hears gets in all the same.
	for seed := range uint64(5) {
		echo(t, connect(t, testNode(t, Config{Key: testKey(t, 10+seed)}), n), []byte("through"))
		// A handshake of a peer that hears may be among them for a moment.
		if got := pending(); got > 9 {
			t.Fatalf("%d handshakes are kept for addresses that nobody has seen answering", got)
		}
	}
	cancel()
	eventually(t, "the places come back", func() bool { return pending() == 0 })
}

func TestLinksPerPrefix(t *testing.T) {
	n := testNode(t, Config{Key: testKey(t, 1), MaxLinksPerPrefix: 3, countLoopback: true})
	var links []*Link
	for seed := range uint64(3) {
		links = append(links, connect(t, testNode(t, Config{Key: testKey(t, 10+seed)}), n))
	}
	more := testNode(t, Config{Key: testKey(t, 20)})
	_, err := more.Connect(testContext(t), n.Self(), []netip.AddrPort{n.Addr()})
	wantPeerError(t, err, n.Self(), ErrBusy)
	links[0].Close()
	eventually(t, "a place is free", func() bool {
		_, err := more.Connect(testContext(t), n.Self(), []netip.AddrPort{n.Addr()})
		return err == nil
	})
}

func TestLinksPerPeer(t *testing.T) {
	n := testNode(t, Config{Key: testKey(t, 1), MaxLinksPerPeer: 2})
	other := connect(t, testNode(t, Config{Key: testKey(t, 3)}), n)
	instance := func() *Link { return connect(t, testNode(t, Config{Key: testKey(t, 2)}), n) }
	first, second := instance(), instance()
	busy := open(t, first, kindHold)
	defer busy.Close()
	eventually(t, "the first is in use", func() bool { return inUse(n) == 1 })
	third := instance() // takes the place of the unused one
	select {
	case <-second.Done():
	case <-testContext(t).Done():
		t.Fatal("the unused link did not give way")
	}
	_, err := second.Open(testContext(t), kindEcho)
	wantError(t, err, ErrLinkLost)
	busier := open(t, third, kindHold)
	defer busier.Close()
	eventually(t, "both are in use", func() bool { return inUse(n) == 2 })
	_, err = testNode(t, Config{Key: testKey(t, 2)}).Connect(testContext(t), n.Self(), []netip.AddrPort{n.Addr()})
	wantPeerError(t, err, n.Self(), ErrBusy)
	echo(t, first, []byte("still here"))
	echo(t, other, []byte("not concerned"))
}

func TestLinksInAll(t *testing.T) {
	n := testNode(t, Config{Key: testKey(t, 1), MaxLinks: 3})
	ours := connect(t, n, testNode(t, Config{Key: testKey(t, 2)}))
	old := connect(t, testNode(t, Config{Key: testKey(t, 3)}), n)
	used := connect(t, testNode(t, Config{Key: testKey(t, 4)}), n)
	echo(t, old, []byte("older"))
	echo(t, used, []byte("younger"))
	eventually(t, "the streams have ended", func() bool { return quiet(3, n) && inUse(n) == 0 })
	fresh := connect(t, testNode(t, Config{Key: testKey(t, 5)}), n)
	select {
	case <-old.Done():
	case <-testContext(t).Done():
		t.Fatal("the link that was unused for longest did not give way")
	}
	echo(t, used, []byte("stays"))
	echo(t, fresh, []byte("has come"))
	echo(t, ours, []byte("what was dialled here stays"))
}

// inUse counts the connections on which a stream is open.
func inUse(n *Node) (count int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, links := range n.links {
		for _, l := range links {
			for _, c := range l.conns {
				if c.streams > 0 || c.opening > 0 {
					count++
				}
			}
		}
	}
	return count
}

// However many strangers a node is made to dial, half of its places are left for
// who comes in; what is in use stays.
func TestDiallingLeavesRoom(t *testing.T) {
	t.Parallel()
	n := testNode(t, Config{Key: testKey(t, 1), MaxLinks: 8})
	used := testNode(t, Config{Key: testKey(t, 2)})
	held := open(t, connect(t, n, used), kindHold)
	defer held.Reset()
	for k := range uint64(8) {
		other := testNode(t, Config{Key: testKey(t, 10+k)})
		if _, err := n.Dial(testContext(t), other.Addr()); err != nil {
			t.Fatal(err)
		}
	}
	if got := n.connections(); got != 4 {
		t.Errorf("%d connections, want 4", got)
	}
	for k := range uint64(4) {
		comer := testNode(t, Config{Key: testKey(t, 30+k)})
		echo(t, connect(t, comer, n), []byte("hello"))
	}
	if _, err := held.Write([]byte("more")); err != nil {
		t.Errorf("what is in use was cut: %v", err)
	}
}

// A probe says who answers and leaves nothing behind.
func TestProbe(t *testing.T) {
	t.Parallel()
	n, peer := testNode(t, Config{Key: testKey(t, 1)}), testNode(t, Config{Key: testKey(t, 2)})
	id := peer.Self()
	at := []netip.AddrPort{peer.Addr()}
	if err := n.Probe(testContext(t), id, at); err != nil {
		t.Error(err)
	}
	if err := n.Probe(testContext(t), testKey(t, 3).ID(), at); !errors.Is(err, ErrWrongPeer) {
		t.Errorf("somebody else: %v", err)
	}
	wantError(t, n.Probe(testContext(t), n.Self(), at), ErrSelf)
	wantError(t, n.Probe(testContext(t), id, nil), ErrNoAddress)
	link := connect(t, n, peer)
	held := open(t, link, kindEcho)
	defer held.Reset()
	if err := n.Probe(testContext(t), id, at); err != nil {
		t.Error(err)
	}
	echo(t, link, []byte("still there"))
	eventually(t, "nothing is left of the probes", func() bool { return n.connections() == 1 && peer.connections() == 1 })
}
