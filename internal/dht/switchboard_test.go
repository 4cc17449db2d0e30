package dht

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"
)

// switchboard connects packet sockets with addresses that this machine does
// not have: IPv6 where the host has none, and public IPv4, for which BEP 42
// has rules that loopback is exempt from.
type switchboard struct {
	mu    sync.Mutex
	conns map[netip.AddrPort]*plug
}

type plug struct {
	board *switchboard
	addr  netip.AddrPort
	other netip.AddrPort // of the other family, for a socket of both
	in    chan letter
	gone  chan struct{}
	once  sync.Once
}

type letter struct {
	from netip.AddrPort
	text []byte
}

func (b *switchboard) listen(addr string) *plug {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.conns == nil {
		b.conns = make(map[netip.AddrPort]*plug)
	}
	p := &plug{board: b, addr: netip.MustParseAddrPort(addr), in: make(chan letter, 256), gone: make(chan struct{})}
	b.conns[p.addr] = p
	return p
}

// listenBoth is a socket of both families, as [::]:port is.
func (b *switchboard) listenBoth(v4, v6 string) *plug {
	p := b.listen(v4)
	b.mu.Lock()
	defer b.mu.Unlock()
	p.other = netip.MustParseAddrPort(v6)
	b.conns[p.other] = p
	return p
}

func (p *plug) ReadFrom(buf []byte) (int, net.Addr, error) {
	select {
	case l := <-p.in:
		return copy(buf, l.text), net.UDPAddrFromAddrPort(l.from), nil
	case <-p.gone:
		return 0, nil, net.ErrClosed
	}
}

func (p *plug) WriteTo(b []byte, to net.Addr) (int, error) {
	p.board.mu.Lock()
	other := p.board.conns[addrPortOf(to)]
	p.board.mu.Unlock()
	from := p.addr
	if p.other.IsValid() && addrPortOf(to).Addr().Is6() {
		from = p.other
	}
	if other != nil && (p.other.IsValid() || from.Addr().Is4() == addrPortOf(to).Addr().Is4()) {
		select {
		case other.in <- letter{from, slices.Clone(b)}:
		default: // as a full socket buffer
		}
	}
	return len(b), nil
}

func (p *plug) Close() error {
	p.once.Do(func() { close(p.gone) })
	return nil
}

func (p *plug) LocalAddr() net.Addr {
	if p.other.IsValid() {
		return &net.UDPAddr{IP: net.IPv6unspecified, Port: int(p.addr.Port())}
	}
	return net.UDPAddrFromAddrPort(p.addr)
}
func (p *plug) SetDeadline(time.Time) error      { return nil }
func (p *plug) SetReadDeadline(time.Time) error  { return nil }
func (p *plug) SetWriteDeadline(time.Time) error { return nil }

// meet starts a node at each address, the first being the bootstrap node, lets
// two announce, and checks what the last and a passive requester find.
func meet(t *testing.T, board *switchboard, public bool, addrs []string, requester string) []running {
	t.Helper()
	var nodes []running
	for i, addr := range addrs {
		cfg := Config{Conn: board.listen(addr), Public: public, Rand: seeded(uint64(i + 1))}
		if public {
			cfg.PublicIP = netip.MustParseAddrPort(addr).Addr()
		}
		if i > 0 {
			cfg.Bootstrap = addrs[:1]
		}
		nodes = append(nodes, start(t, cfg))
	}
	ready(t, nodes...)
	key := ClassKey("lab", "", "x")
	var want []netip.AddrPort
	for _, n := range nodes[1:3] {
		if err := n.Announce(t.Context(), key, 4242); err != nil {
			t.Fatal(err)
		}
		want = append(want, netip.AddrPortFrom(n.Addr().Addr(), 4242))
	}
	slices.SortFunc(want, netip.AddrPort.Compare)
	passive := start(t, Config{Conn: board.listen(requester), Public: public, Passive: true, Bootstrap: addrs[:1], Rand: seeded(99)})
	ready(t, passive)
	for _, n := range []running{nodes[len(nodes)-1], passive} {
		if got := lookup(t, n, key); !slices.Equal(got, want) {
			t.Errorf("%s found %v, want %v", n.Addr(), got, want)
		}
	}
	return nodes
}

func TestIPv6(t *testing.T) {
	nodes := meet(t, &switchboard{}, false, []string{
		"[2001:db8:1::1]:6881", "[2001:db8:2::1]:6881", "[2001:db8:3::1]:6881", "[2001:db8:4::1]:6881", "[2001:db8:5::1]:6881",
	}, "[2001:db8:9::1]:6881")
	if got, want := nodes[1].Stats().External, netip.MustParseAddr("2001:db8:2::1"); got != want {
		t.Errorf("seen as %v, want %v", got, want)
	}
}

// A provider in both families is found in each, by requesters that have only
// one, at the address that they can reach.
func TestBothFamilies(t *testing.T) {
	board := &switchboard{}
	bootstrap := []string{"198.51.1.1:6881", "[2001:db8:1::1]:6881"}
	nodes := []running{start(t, Config{Conn: board.listenBoth(bootstrap[0], bootstrap[1]), Rand: seeded(1)})}
	for i := range 4 {
		nodes = append(nodes,
			start(t, Config{Conn: board.listen(fmt.Sprintf("198.51.%d.1:6881", 10+i)), Bootstrap: bootstrap, Rand: seeded(uint64(10 + i))}),
			start(t, Config{Conn: board.listen(fmt.Sprintf("[2001:db8:%d::1]:6881", 10+i)), Bootstrap: bootstrap, Rand: seeded(uint64(20 + i))}))
	}
	provider := start(t, Config{Conn: board.listenBoth("198.51.30.1:6881", "[2001:db8:30::1]:6881"), Bootstrap: bootstrap, Rand: seeded(30)})
	nodes = append(nodes, provider)
	ready(t, nodes...)
	settle(t, 3, nodes...)
	key := ClassKey("lab", "", "x")
	if err := provider.Announce(t.Context(), key, 4242); err != nil {
		t.Fatal(err)
	}
	v4, v6 := netip.MustParseAddrPort("198.51.30.1:4242"), netip.MustParseAddrPort("[2001:db8:30::1]:4242")
	for i, c := range []struct {
		conn net.PacketConn
		want []netip.AddrPort
	}{
		{board.listen("198.51.40.1:6881"), []netip.AddrPort{v4}},
		{board.listen("[2001:db8:40::1]:6881"), []netip.AddrPort{v6}},
		{board.listenBoth("198.51.41.1:6881", "[2001:db8:41::1]:6881"), []netip.AddrPort{v4, v6}},
	} {
		r := start(t, Config{Conn: c.conn, Bootstrap: bootstrap, Passive: true, Rand: seeded(uint64(40 + i))})
		ready(t, r)
		if got := lookup(t, r, key); !slices.Equal(got, c.want) {
			t.Errorf("%s found %v, want %v", r.Addr(), got, c.want)
		}
	}
}

// BEP 42: nodes whose id fits their address make up the network; one whose id
// does not is in nobody's table, though it may ask.
func TestPublicNetworkBindsIdsToAddresses(t *testing.T) {
	board := &switchboard{}
	addrs := []string{"8.8.1.1:6881", "9.9.2.1:6881", "11.3.3.1:6881", "12.4.4.1:6881", "13.5.5.1:6881"}
	liar := start(t, Config{Conn: board.listen("14.6.6.1:6881"), PublicIP: netip.MustParseAddr("66.1.2.3"), Bootstrap: addrs[:1], Rand: seeded(50), Public: true, Resend: 50 * time.Millisecond})
	nodes := meet(t, board, true, addrs, "15.7.7.1:6881")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for liar.Ready(ctx) != nil {
		if !pause(ctx, 20*time.Millisecond) {
			t.Fatal("not joined")
		}
	}
	lookup(t, liar, Key{1})
	if len(liar.known()) == 0 {
		t.Error("the stranger has met nobody")
	}
	for _, n := range nodes {
		listed := n.known()
		if len(listed) < 3 {
			t.Errorf("%s knows %d nodes", n.Addr(), len(listed))
		}
		for _, c := range listed {
			if c.id == liar.ID() {
				t.Errorf("%s has a node whose id does not fit", n.Addr())
			}
		}
	}
}
