package match_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match"
	"github.com/angler-dex/angler/internal/match/matchtest"
	"github.com/angler-dex/angler/internal/mesh"
	"github.com/angler-dex/angler/internal/wire"
)

// echo is an API server of a kind: it says what it hears, and bye at the end.
func echo(t *testing.T) (addr string, conns func() int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	var mu sync.Mutex
	open := map[net.Conn]bool{}
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open[c] = true
			mu.Unlock()
			serving.Go(func() {
				defer func() {
					c.Close()
					mu.Lock()
					delete(open, c)
					mu.Unlock()
				}()
				if _, err := io.Copy(c, c); err == nil {
					_, _ = c.Write([]byte("bye"))
				}
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for c := range open {
			c.Close()
		}
		mu.Unlock()
		serving.Wait()
	})
	return l.Addr().String(), func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(open)
	}
}

func proxyBench(t *testing.T, edits ...func(*match.ProviderConfig)) (b *leaseBench, l market.Lease, conns func() int) {
	t.Helper()
	b = newLeaseBench(t, edits...)
	addr, conns := echo(t)
	b.p.Cluster.Serve(addr)
	l, _ = b.activate(3)
	return b, l, conns
}

func (b *leaseBench) dial(r *matchtest.Requester, l market.Lease) (c net.Conn, err error) {
	ctx := b.Context()
	err = r.Over(ctx, b.p, func(link *mesh.Link) error {
		c, err = match.DialLease(ctx, link, l.ID)
		return err
	})
	return c, err
}

func (b *leaseBench) mustDial(l market.Lease) net.Conn {
	b.TB.Helper()
	c, err := b.dial(b.r, l)
	if err != nil {
		b.TB.Fatalf("dial: %v", err)
	}
	b.TB.Cleanup(func() { c.Close() })
	return c
}

// speaks asserts that a connection carries both ways.
func speaks(t *testing.T, c net.Conn, n int) {
	t.Helper()
	said := make([]byte, n)
	_, _ = rand.Read(said)
	var writing sync.WaitGroup
	writing.Go(func() {
		if _, err := c.Write(said); err != nil {
			t.Error(err)
		}
	})
	heard := make([]byte, n)
	_, err := io.ReadFull(c, heard)
	writing.Wait()
	if err != nil || !bytes.Equal(said, heard) {
		t.Fatalf("said %d bytes, heard others: %v", n, err)
	}
}

func TestProxyCarries(t *testing.T) {
	b, l, _ := proxyBench(t)
	c := b.mustDial(l)
	speaks(t, c, 1)
	speaks(t, c, 3<<20)
	// Each side ends its own: what was still to be said is heard.
	if err := c.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(c); err != nil || string(rest) != "bye" {
		t.Errorf("heard %q, %v", rest, err)
	}
	// And for a connection of somebody else's.
	ours, theirs := net.Pipe()
	var carrying sync.WaitGroup
	carrying.Go(func() {
		if err := match.ProxyLease(b.Context(), b.r.Link(b.Context(), b.p), l.ID, theirs); err != nil {
			t.Error(err)
		}
	})
	speaks(t, ours, 100_000)
	ours.Close()
	carrying.Wait()
}

// cutOff asserts that a connection ends, and not in good order.
func cutOff(t *testing.T, c net.Conn) {
	t.Helper()
	if _, err := io.ReadAll(c); err == nil {
		t.Error("it ended in good order")
	}
}

// "Closed at once when the lease ends or is released", even if the cluster does
// not let go of the namespace.
func TestProxyEndsWithTheLease(t *testing.T) {
	for name, end := range map[string]func(b *leaseBench, l market.Lease){
		"released": func(b *leaseBench, l market.Lease) { b.background(match.Release, l) },
		"expired":  func(b *leaseBench, _ market.Lease) { b.Clock.Pass(time.Hour + market.Grace) },
		"ended":    func(b *leaseBench, l market.Lease) { _ = b.p.Match.End(b.Context(), l.ID, "by its operator") },
	} {
		t.Run(name, func(t *testing.T) {
			b, l, conns := proxyBench(t)
			other, _ := b.activate(1)
			c, d := b.mustDial(l), b.mustDial(l)
			speaks(t, c, 10)
			speaks(t, d, 10)
			b.p.Cluster.Before(refuse(matchtest.Release))
			end(b, l)
			cutOff(t, c)
			cutOff(t, d)
			if _, err := b.dial(b.r, l); statusOf(err) != match.StatusDenied {
				t.Errorf("dialled afterwards: %v", err)
			}
			waitFor(t, "the API server to be left alone", func() bool { return conns() == 0 })
			if name == "released" {
				speaks(t, b.mustDial(other), 10)
			}
		})
	}
}

// Nobody gets to an API server but who has a lease there that can be used; all
// refusals look alike.
func TestProxyRefuses(t *testing.T) {
	b, l, conns := proxyBench(t)
	reserved := b.p.Reserve(b.r.Key.ID(), 1)
	stranger := b.Requester("stranger")
	refused := func(what string, err error) {
		t.Helper()
		if statusOf(err) != match.StatusDenied {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err := b.dial(stranger, l)
	refused("a stranger", err)
	_, err = b.dial(b.r, market.Lease{ID: market.LeaseID{1}})
	refused("no lease", err)
	_, err = b.dial(b.r, reserved)
	refused("a reservation", err)
	if n := b.p.Cluster.Calls(matchtest.Dial); n != 0 || conns() != 0 {
		t.Errorf("the API server was dialled %d times", n)
	}
	b.p.Cluster.Before(refuse(matchtest.Dial))
	_, err = b.dial(b.r, l)
	refused("an API server that is not there", err)
	b.p.Cluster.Before(nil)
	speaks(t, b.mustDial(l), 10)
	for name, raw := range map[string][]byte{
		"nothing": {}, "garbage": {1, 2, 3}, "a short id": wire.Encode(match.ProxyRequest{Lease: make([]byte, 31)}),
		"too much": make([]byte, 1000), "an address": []byte("127.0.0.1:22"),
	} {
		s, err := b.r.Link(b.Context(), b.p).Open(b.Context(), match.KindProxy)
		if err != nil {
			t.Fatal(err)
		}
		if err = s.WriteFrame(raw); err == nil {
			_, err = s.ReadFrame(64)
		}
		if err == nil {
			t.Errorf("%s was answered", name)
		}
		s.Reset()
	}
}

// A lease has so many connections and no more, and a place is free again when
// one ends.
func TestProxyIsBounded(t *testing.T) {
	b, l, _ := proxyBench(t)
	other, _ := b.activate(1)
	var open []net.Conn
	for range match.MaxLeaseTunnels {
		open = append(open, b.mustDial(l))
	}
	if _, err := b.dial(b.r, l); statusOf(err) != match.StatusDenied {
		t.Errorf("one more: %v", err)
	}
	speaks(t, b.mustDial(other), 10)
	open[0].Close()
	waitFor(t, "a place", func() bool {
		c, err := b.dial(b.r, l)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	for _, c := range open[1:] {
		speaks(t, c, 10)
	}
}

// A connection that carries nothing is cut after a while; one that does is not.
func TestProxyIdles(t *testing.T) {
	b, l, conns := proxyBench(t, func(c *match.ProviderConfig) { c.Idle = 300 * time.Millisecond })
	c := b.mustDial(l)
	speaks(t, c, 10)
	cutOff(t, c)
	waitFor(t, "the API server to be left alone", func() bool { return conns() == 0 })
}

// A requester that goes away, or a provider that goes down, leaves nothing open.
func TestProxyEndsWithItsEnds(t *testing.T) {
	b, l, conns := proxyBench(t)
	c := b.mustDial(l)
	speaks(t, c, 10)
	c.Close()
	waitFor(t, "the API server to be left alone", func() bool { return conns() == 0 })
	c = b.mustDial(l)
	speaks(t, c, 10)
	b.p.Stop()
	cutOff(t, c)
	waitFor(t, "the API server to be left alone", func() bool { return conns() == 0 })
	b.p.Start()
	speaks(t, b.mustDial(l), 10)
	ctx, cancel := context.WithCancel(b.Context())
	cancel()
	if _, err := match.DialLease(ctx, b.r.Link(b.Context(), b.p), l.ID); !errors.Is(err, context.Canceled) {
		t.Errorf("dialled by who has left: %v", err)
	}
}

// A requester with many leases does not take all places of a provider, and who
// knows the id of another's lease takes none of its places.
func TestProxyPlacesAreShared(t *testing.T) {
	b, l, _ := proxyBench(t)
	self, stranger := b.r.Key.ID(), b.Requester("stranger").Key.ID()
	if b.p.Match.Dig(b.Context(), l.ID, stranger) != nil || b.p.Match.Tunnels() != 0 {
		t.Error("a stranger has a place")
	}
	var fills []func()
	for len(fills) < match.MaxPeerTunnels {
		for range match.MaxLeaseTunnels {
			fill := b.p.Match.Dig(b.Context(), l.ID, self)
			if fill == nil {
				t.Fatalf("no place after %d", len(fills))
			}
			fills = append(fills, fill)
		}
		l, _ = b.activate(1)
	}
	if b.p.Match.Dig(b.Context(), l.ID, self) != nil {
		t.Error("one more than a requester may have")
	}
	fills[0]()
	fill := b.p.Match.Dig(b.Context(), l.ID, self)
	if fill == nil {
		t.Fatal("no place when one is free again")
	}
	fills[0] = fill
	for _, fill := range fills {
		fill()
	}
	if n := b.p.Match.Tunnels(); n != 0 {
		t.Errorf("%d are remembered at the end", n)
	}
}
