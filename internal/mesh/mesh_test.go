package mesh

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/identity"
)

// Kinds of the test peers.
const (
	kindEcho  Kind = 1 + iota // sends back what it reads until EOF
	kindHold                  // reads until the stream or the node ends
	kindFrame                 // reads a frame of up to 1 KiB and sends it back
	kindNobody
)

// patience bounds a whole test, so that one that hangs says where.
const patience = 60 * time.Second

func testContext(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func testKey(t testing.TB, seed uint64) *identity.Key {
	t.Helper()
	var s [32]byte
	for i := range 8 {
		s[i] = byte(seed >> (8 * i))
	}
	k, err := identity.Generate(rand.NewChaCha8(s))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// orderedKeys returns two keys, the lower identity first.
func orderedKeys(t testing.TB) (low, high *identity.Key) {
	low, high = testKey(t, 1), testKey(t, 2)
	if low.ID().Compare(high.ID()) > 0 {
		low, high = high, low
	}
	return low, high
}

// testNode runs a node on loopback with the handlers above until the test ends.
func testNode(t testing.TB, cfg Config) *Node {
	t.Helper()
	if cfg.Addr == "" {
		cfg.Addr = "127.0.0.1:0"
	}
	n, err := Listen(cfg)
	if err != nil {
		t.Fatal(err)
	}
	n.Handle(kindEcho, func(_ context.Context, s *Stream) {
		if _, err := io.Copy(s, s); err != nil {
			s.Reset()
		}
	})
	n.Handle(kindHold, func(_ context.Context, s *Stream) { _, _ = io.Copy(io.Discard, s) })
	n.Handle(kindFrame, func(_ context.Context, s *Stream) {
		frame, err := s.ReadFrame(1 << 10)
		if err != nil {
			return
		}
		_ = s.WriteFrame(frame)
	})
	ended := make(chan error, 1)
	go func() { ended <- n.Run(context.WithoutCancel(t.Context())) }()
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return n
}

func connect(t testing.TB, from, to *Node) *Link {
	t.Helper()
	l, err := from.Connect(testContext(t), to.Self(), []netip.AddrPort{to.Addr()})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func open(t testing.TB, l *Link, kind Kind) *Stream {
	t.Helper()
	s, err := l.Open(testContext(t), kind)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return s
}

// echo sends message over a stream of l and fails unless it comes back.
func echo(t testing.TB, l *Link, message []byte) {
	t.Helper()
	s := open(t, l, kindEcho)
	defer s.Close()
	sent := make(chan error, 1)
	go func() {
		_, err := s.Write(message)
		if err == nil {
			err = s.CloseWrite()
		}
		sent <- err
	}()
	got, err := io.ReadAll(s)
	if err != nil {
		t.Fatal(err)
	}
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, message) {
		t.Fatalf("%d bytes came back of %d, or others", len(got), len(message))
	}
}

func wantError(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got error %v, want %v", err, want)
	}
}

// wantPeerError wants the fault to be put down to the peer.
func wantPeerError(t testing.TB, err error, peer identity.PeerID, want error) {
	t.Helper()
	wantError(t, err, want)
	if fault, ok := errors.AsType[*PeerError](err); !ok || fault.Peer != peer {
		t.Fatalf("error %v is not put down to %s", err, peer.Short())
	}
}

// eventually waits for what other goroutines will have done; it fails only
// after the test's whole patience.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !condition(); {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

func (n *Node) connections() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.total
}

// leakCheck fails unless the goroutines that f leaves behind end.
func leakCheck(t *testing.T, f func(t *testing.T)) {
	before := runtime.NumGoroutine()
	t.Run("leakcheck", f)
	end := time.Now().Add(patience)
	for runtime.NumGoroutine() > before {
		if time.Now().After(end) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines before, now:\n%s", before, stacks[:runtime.Stack(stacks, true)])
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestEchoBothWays(t *testing.T) {
	leakCheck(t, func(t *testing.T) {
		a := testNode(t, Config{Key: testKey(t, 1)})
		b := testNode(t, Config{Key: testKey(t, 2)})
		l := connect(t, a, b)
		if l.Peer() != b.Self() || l.Addr() != b.Addr() {
			t.Fatalf("link to %v at %v", l.Peer(), l.Addr())
		}
		echo(t, l, []byte("over there"))
		if l.RTT() <= 0 {
			t.Error("no round-trip time")
		}
		// The other side has a link as well, and needs no address for it.
		back, err := b.Connect(testContext(t), a.Self(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if back.Peer() != a.Self() || back.Addr() != a.Addr() {
			t.Fatalf("link back to %v at %v", back.Peer(), back.Addr())
		}
		echo(t, back, []byte("and back"))
		if again := connect(t, a, b); again != l {
			t.Error("a second link")
		}
	})
}

func TestIPv6(t *testing.T) {
	a := testNode(t, Config{Key: testKey(t, 1), Addr: "[::1]:0"})
	b := testNode(t, Config{Key: testKey(t, 2), Addr: "[::1]:0"})
	l := connect(t, a, b)
	echo(t, l, []byte("six"))
	if !l.Addr().Addr().Is6() {
		t.Fatalf("address %v", l.Addr())
	}
}

func TestBothFamiliesOnOneSocket(t *testing.T) {
	dual := testNode(t, Config{Key: testKey(t, 1), Addr: ":0"})
	four := testNode(t, Config{Key: testKey(t, 2)})
	six := testNode(t, Config{Key: testKey(t, 3), Addr: "[::1]:0"})
	echo(t, connect(t, dual, four), []byte("out by four"))
	echo(t, connect(t, dual, six), []byte("out by six"))
	back, err := four.Connect(testContext(t), dual.Self(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !back.Addr().Addr().Is4() {
		t.Fatalf("address %v", back.Addr())
	}
}

func TestDialProvesWhoAnswers(t *testing.T) {
	a := testNode(t, Config{Key: testKey(t, 1)})
	b := testNode(t, Config{Key: testKey(t, 2)})
	l, err := a.Dial(testContext(t), b.Addr())
	if err != nil {
		t.Fatal(err)
	}
	if l.Peer() != b.Self() {
		t.Fatalf("peer %v", l.Peer())
	}
	echo(t, l, []byte("who?"))
	if again := connect(t, a, b); again != l {
		t.Error("Connect does not see the link that Dial made")
	}
}

// Dialling again replaces the connection under the link, not the link.
func TestDialTwiceIsOneLink(t *testing.T) {
	a := testNode(t, Config{Key: testKey(t, 1)})
	b := testNode(t, Config{Key: testKey(t, 2)})
	first := connect(t, a, b)
	s := open(t, first, kindEcho)
	for range 3 {
		l, err := a.Dial(testContext(t), b.Addr())
		if err != nil {
			t.Fatal(err)
		}
		if l != first {
			t.Fatal("another link")
		}
	}
	if _, err := s.Write([]byte("still here")); err != nil {
		t.Fatal(err)
	}
	if err := s.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(s); err != nil || string(got) != "still here" {
		t.Fatalf("%q, %v", got, err)
	}
	s.Close()
	eventually(t, "one connection each", func() bool { return a.connections() == 1 && b.connections() == 1 })
	echo(t, first, []byte("and after"))
}

func TestWrongPeerRefused(t *testing.T) {
	a := testNode(t, Config{Key: testKey(t, 1)})
	b := testNode(t, Config{Key: testKey(t, 2), Admit: func(id identity.PeerID, _ netip.AddrPort) error {
		t.Errorf("the wrong peer learned that %s dialled", id.Short())
		return nil
	}})
	want := testKey(t, 3).ID()
	_, err := a.Connect(testContext(t), want, []netip.AddrPort{b.Addr()})
	wantPeerError(t, err, want, ErrWrongPeer)
	if !strings.Contains(err.Error(), b.Self().Short()) || !strings.Contains(err.Error(), b.Addr().String()) {
		t.Errorf("the message says neither who nor where: %v", err)
	}
	if a.connections() != 0 || b.connections() != 0 {
		t.Fatal("a link was left")
	}
}

func TestRightPeerAmongAddresses(t *testing.T) {
	a := testNode(t, Config{Key: testKey(t, 1)})
	b := testNode(t, Config{Key: testKey(t, 2)})
	c := testNode(t, Config{Key: testKey(t, 3)})
	l, err := a.Connect(testContext(t), c.Self(), []netip.AddrPort{b.Addr(), c.Addr()})
	if err != nil {
		t.Fatal(err)
	}
	echo(t, l, []byte("third time"))
}

func TestAdmit(t *testing.T) {
	a := testNode(t, Config{Key: testKey(t, 1)})
	asked := make(chan netip.AddrPort, 8)
	b := testNode(t, Config{Key: testKey(t, 2), Admit: func(id identity.PeerID, addr netip.AddrPort) error {
		asked <- addr
		if id == a.Self() {
			return errors.New("not on the list")
		}
		return nil
	}})
	_, err := a.Connect(testContext(t), b.Self(), []netip.AddrPort{b.Addr()})
	wantPeerError(t, err, b.Self(), ErrRefused)
	if addr := <-asked; addr != a.Addr() {
		t.Errorf("asked about %v", addr)
	}
	_, err = a.Dial(testContext(t), b.Addr())
	wantPeerError(t, err, b.Self(), ErrRefused)
	if a.connections() != 0 || b.connections() != 0 {
		t.Fatal("a link was left")
	}
	echo(t, connect(t, testNode(t, Config{Key: testKey(t, 3)}), b), []byte("on the list"))
}

func TestSelf(t *testing.T) {
	a := testNode(t, Config{Key: testKey(t, 1)})
	_, err := a.Connect(testContext(t), a.Self(), []netip.AddrPort{a.Addr()})
	wantError(t, err, ErrSelf)
	_, err = a.Dial(testContext(t), a.Addr())
	wantError(t, err, ErrSelf)
}

func TestNoAddress(t *testing.T) {
	a := testNode(t, Config{Key: testKey(t, 1)})
	_, err := a.Connect(testContext(t), testKey(t, 2).ID(), nil)
	wantPeerError(t, err, testKey(t, 2).ID(), ErrNoAddress)
}

func TestNobodyThere(t *testing.T) {
	a := testNode(t, Config{Key: testKey(t, 1), Handshake: 200 * time.Millisecond})
	gone, err := Listen(Config{Key: testKey(t, 2), Addr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	if err = gone.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = a.Connect(testContext(t), gone.Self(), []netip.AddrPort{gone.Addr()})
	wantPeerError(t, err, gone.Self(), ErrUnreachable)
	_, err = a.Dial(testContext(t), gone.Addr())
	wantError(t, err, ErrUnreachable)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = a.Connect(ctx, gone.Self(), []netip.AddrPort{gone.Addr()})
	wantError(t, err, context.Canceled)
}

func TestDialOnly(t *testing.T) {
	a := testNode(t, Config{Key: testKey(t, 1), DialOnly: true})
	b := testNode(t, Config{Key: testKey(t, 2)})
	_, err := testNode(t, Config{Key: testKey(t, 3), Handshake: 200 * time.Millisecond}).
		Connect(testContext(t), a.Self(), []netip.AddrPort{a.Addr()})
	wantPeerError(t, err, a.Self(), ErrUnreachable)
	connect(t, a, b)
	back, err := b.Connect(testContext(t), a.Self(), nil)
	if err != nil {
		t.Fatal(err)
	}
	echo(t, back, []byte("on its own link"))
}

// Parallel requesters share an identity and must not end each other's links.
func TestInstancesOfOneIdentity(t *testing.T) {
	b := testNode(t, Config{Key: testKey(t, 2)})
	var links []*Link
	for range 3 {
		links = append(links, connect(t, testNode(t, Config{Key: testKey(t, 1), DialOnly: true}), b))
	}
	for _, l := range links {
		echo(t, l, []byte("each its own"))
	}
	if got := len(b.Links()); got != 3 {
		t.Fatalf("%d links", got)
	}
}
