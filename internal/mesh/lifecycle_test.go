package mesh

import (
	"context"
	"io"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/identity"
)

func TestCloseWithoutRun(t *testing.T) {
	n, err := Listen(Config{Key: testKey(t, 1), Addr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err = n.Close(); err != nil {
			t.Fatal(err)
		}
	}
	wantError(t, n.Run(t.Context()), ErrClosed)
	_, err = n.Connect(testContext(t), testKey(t, 2).ID(), nil)
	wantError(t, err, ErrClosed)
	again, err := Listen(Config{Key: testKey(t, 1), Addr: n.Addr().String()})
	if err != nil {
		t.Fatalf("the socket was not freed: %v", err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestListenRefuses(t *testing.T) {
	for name, cfg := range map[string]Config{
		"no key":         {Addr: "127.0.0.1:0"},
		"no address":     {Key: testKey(t, 1), Addr: "nowhere"},
		"idle too short": {Key: testKey(t, 1), Addr: "127.0.0.1:0", Idle: time.Second},
		"no randomness":  {Key: testKey(t, 1), Addr: "127.0.0.1:0", Rand: new(net.Buffers)},
	} {
		t.Run(name, func(t *testing.T) {
			if n, err := Listen(cfg); err == nil {
				n.Close()
				t.Fatal("accepted")
			}
		})
	}
}

func TestConnectWaitsForRun(t *testing.T) {
	b := testNode(t, Config{Key: testKey(t, 2)})
	a, err := Listen(Config{Key: testKey(t, 1), Addr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = a.Connect(ctx, b.Self(), []netip.AddrPort{b.Addr()})
	wantError(t, err, context.Canceled)
	linked := make(chan error, 1)
	go func() {
		_, err := a.Connect(testContext(t), b.Self(), []netip.AddrPort{b.Addr()})
		linked <- err
	}()
	go func() { _ = a.Run(t.Context()) }()
	if err := <-linked; err != nil {
		t.Fatal(err)
	}
	wantError(t, a.Run(t.Context()), ErrClosed)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
}

// Run ends with its context, and joins handlers and callers that are in the
// middle of something.
func TestShutdownInTheMiddle(t *testing.T) {
	leakCheck(t, func(t *testing.T) {
		b := testNode(t, Config{Key: testKey(t, 2)})
		a, err := Listen(Config{Key: testKey(t, 1), Addr: "127.0.0.1:0", StreamWindow: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		var running atomic.Int64
		a.Handle(kindHold, func(ctx context.Context, s *Stream) {
			running.Add(1)
			_, _ = io.Copy(io.Discard, s)
			<-ctx.Done()
			running.Add(-1)
		})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- a.Run(ctx) }()
		l := connect(t, b, a)
		theirs := open(t, l, kindHold)
		defer theirs.Close()
		ours := open(t, connect(t, a, b), kindEcho)
		wrote := make(chan error, 1)
		go func() {
			for {
				if _, failed := ours.Write(noise(1 << 20)); failed != nil {
					wrote <- failed
					return
				}
			}
		}()
		h := newHostile(t, 3)
		h.dial(a) // and never says hello
		eventually(t, "the handler runs", func() bool { return running.Load() == 1 })
		cancel()
		if err = <-ended; err != nil {
			t.Fatal(err)
		}
		if running.Load() != 0 {
			t.Fatal("Run has left a handler behind")
		}
		if err = <-wrote; err == nil {
			t.Fatal("a write after the end")
		}
		select {
		case <-l.Done():
		case <-testContext(t).Done():
			t.Fatal("the peer was not told")
		}
		_, err = l.Open(testContext(t), kindEcho)
		wantPeerError(t, err, a.Self(), ErrLinkLost)
		_, err = a.Connect(testContext(t), b.Self(), []netip.AddrPort{b.Addr()})
		wantError(t, err, ErrClosed)
		_, err = a.Dial(testContext(t), b.Addr())
		wantError(t, err, ErrClosed)
	})
}

func TestLinkClose(t *testing.T) {
	a := testNode(t, Config{Key: testKey(t, 1)})
	b := testNode(t, Config{Key: testKey(t, 2)})
	l := connect(t, a, b)
	back, err := b.Connect(testContext(t), a.Self(), nil)
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, back, kindEcho)
	defer s.Close()
	l.Close()
	_, err = s.Read(make([]byte, 1))
	wantPeerError(t, err, a.Self(), ErrLinkLost)
	<-l.Done()
	<-back.Done()
	_, err = l.Open(testContext(t), kindEcho)
	wantError(t, err, ErrLinkLost)
	fresh := connect(t, a, b)
	if fresh == l {
		t.Fatal("a link that has ended came back")
	}
	echo(t, fresh, []byte("again"))
}

func TestConnectIsGivenUp(t *testing.T) {
	leakCheck(t, func(t *testing.T) {
		silent, err := net.ListenPacket("udp", "127.0.0.1:0") // hears, says nothing
		if err != nil {
			t.Fatal(err)
		}
		defer silent.Close()
		a := testNode(t, Config{Key: testKey(t, 1)})
		b := testNode(t, Config{Key: testKey(t, 2)})
		ctx, cancel := context.WithCancel(t.Context())
		gaveUp := make(chan error, 1)
		go func() {
			_, err := a.Connect(ctx, b.Self(), []netip.AddrPort{addrPort(silent.LocalAddr())})
			gaveUp <- err
		}()
		eventually(t, "the attempt is under way", func() bool {
			a.mu.Lock()
			defer a.mu.Unlock()
			return a.dials[b.Self()] != nil
		})
		cancel()
		wantError(t, <-gaveUp, context.Canceled)
		echo(t, connect(t, a, b), []byte("a better address"))
		// Somebody else's bad address does not spoil one's own good one.
		c := testNode(t, Config{Key: testKey(t, 3), Handshake: 3 * time.Second})
		go func() { _, _ = c.Connect(t.Context(), b.Self(), []netip.AddrPort{addrPort(silent.LocalAddr())}) }()
		eventually(t, "the other call is first", func() bool {
			c.mu.Lock()
			defer c.mu.Unlock()
			return c.dials[b.Self()] != nil
		})
		echo(t, connect(t, c, b), []byte("mine"))
	})
}

// A silent address does not keep the next from being tried.
func TestSilentAddressFirst(t *testing.T) {
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	a := testNode(t, Config{Key: testKey(t, 1), Handshake: time.Hour})
	b := testNode(t, Config{Key: testKey(t, 2)})
	l, err := a.Connect(testContext(t), b.Self(), []netip.AddrPort{addrPort(silent.LocalAddr()), b.Addr()})
	if err != nil {
		t.Fatal(err)
	}
	echo(t, l, []byte("second"))
}

// A node that died without a word and came back at its address ends its former
// life's links at the first packet, long before they would time out.
func TestCrashAndReturn(t *testing.T) {
	a := testNode(t, Config{Key: testKey(t, 1), Idle: time.Hour})
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b, err := Listen(Config{Key: testKey(t, 2), Conn: socket, Idle: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	b.Handle(kindEcho, func(_ context.Context, s *Stream) { _, _ = io.Copy(s, s) })
	died := make(chan error, 1)
	go func() { died <- b.Run(t.Context()) }()
	l := connect(t, a, b)
	echo(t, l, []byte("before"))
	if err = socket.Close(); err != nil {
		t.Fatal(err)
	}
	if err = <-died; err == nil {
		t.Fatal("Run did not notice that the socket is gone")
	}
	again := testNode(t, Config{Key: testKey(t, 2), Addr: b.Addr().String()})
	s := open(t, l, kindEcho) // the packet that finds nobody who knows the connection
	defer s.Close()
	_, err = s.Read(make([]byte, 1))
	wantPeerError(t, err, b.Self(), ErrLinkLost)
	<-l.Done()
	echo(t, connect(t, a, again), []byte("after"))
}

// pipe is a socket that can go dead in both directions.
type pipe struct {
	net.PacketConn
	dead atomic.Bool
}

func (p *pipe) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, addr, err := p.PacketConn.ReadFrom(b)
		if err != nil || !p.dead.Load() {
			return n, addr, err
		}
	}
}

func (p *pipe) WriteTo(b []byte, addr net.Addr) (int, error) {
	if p.dead.Load() {
		return len(b), nil
	}
	return p.PacketConn.WriteTo(b, addr)
}

func TestIdleLinkLivesAndSilentLinkDies(t *testing.T) {
	t.Parallel()
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	line := &pipe{PacketConn: socket}
	a := testNode(t, Config{Key: testKey(t, 1), Idle: 7 * time.Second})
	b := testNode(t, Config{Key: testKey(t, 2), Idle: 5 * time.Second})
	c := testNode(t, Config{Key: testKey(t, 3), Idle: 7 * time.Second, Conn: line})
	idle, silent := connect(t, a, b), connect(t, a, c)
	s := open(t, silent, kindEcho)
	defer s.Close()
	line.dead.Store(true)
	_, err = s.Read(make([]byte, 1))
	wantPeerError(t, err, c.Self(), ErrLinkLost)
	<-silent.Done()
	select {
	case <-idle.Done():
		t.Fatal("a link was lost for being unused")
	default:
	}
	echo(t, idle, []byte("awake"))
}

// The transport library's warning about buffers goes to our log, not to stderr.
func TestNoWarningOnStandardError(t *testing.T) {
	testNode(t, Config{Key: testKey(t, 1)}).mustRun(t)
	if os.Getenv("QUIC_GO_DISABLE_RECEIVE_BUFFER_WARNING") != "true" {
		t.Fatal("not silenced")
	}
}

func (n *Node) mustRun(t *testing.T) {
	t.Helper()
	if err := n.ready(testContext(t)); err != nil {
		t.Fatal(err)
	}
}

func TestPeerErrorText(t *testing.T) {
	id := testKey(t, 1).ID()
	if got := (&PeerError{id, ErrReset}).Error(); got != "peer "+id.Short()+": stream reset" {
		t.Error(got)
	}
	if got := (&PeerError{identity.PeerID{}, ErrReset}).Error(); got != "stream reset" {
		t.Error(got)
	}
}
