package mesh

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"

	"github.com/quic-go/quic-go"
)

var errGate = errors.New("too many connections")

// gate counts the connections that come in, from the first packet on, when all
// that is known of a peer is an address that may be forged.
type gate struct {
	maxHandshakes int
	maxPerPrefix  int
	countLoopback bool

	mu         sync.Mutex
	handshakes int
	prefixes   map[netip.Prefix]prefixCount
}

// prefixCount is of one address prefix: all connections, and those of them that
// are still being set up.
type prefixCount struct{ all, handshakes int }

// ticket is one connection's place in the counts.
type ticket struct {
	gate   *gate
	prefix netip.Prefix // invalid: not counted by prefix
	opened bool         // under gate.mu: no handshake any more
	left   bool         // under gate.mu
}

type ticketKey struct{}

func newGate(c Config) *gate {
	return &gate{
		maxHandshakes: c.MaxHandshakes,
		maxPerPrefix:  c.MaxLinksPerPrefix,
		countLoopback: c.countLoopback,
		prefixes:      make(map[netip.Prefix]prefixCount),
	}
}

// suspicious tells whether a source must prove that it receives what is sent to
// its address before anything is kept for it: when many handshakes are under
// way, in all or from its prefix. So forged addresses can take up at most a
// quarter of the places, and few of any prefix.
func (g *gate) suspicious(addr net.Addr) bool {
	prefix := g.prefixOf(addr)
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.handshakes >= g.maxHandshakes/4 || g.prefixes[prefix].handshakes >= max(1, g.maxPerPrefix/4)
}

// enter takes a place, which leave gives back; it refuses when there is none.
func (g *gate) enter(addr net.Addr) (*ticket, error) {
	t := &ticket{gate: g, prefix: g.prefixOf(addr)}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.handshakes >= g.maxHandshakes {
		return nil, errGate
	}
	if t.prefix.IsValid() {
		count := g.prefixes[t.prefix]
		if count.all >= g.maxPerPrefix {
			return nil, errGate
		}
		g.prefixes[t.prefix] = prefixCount{count.all + 1, count.handshakes + 1}
	}
	g.handshakes++
	return t, nil
}

// open says that the connection is set up: the peer is known.
func (t *ticket) open() {
	t.gate.mu.Lock()
	defer t.gate.mu.Unlock()
	t.openLocked()
}

func (t *ticket) openLocked() {
	if t.opened {
		return
	}
	t.opened = true
	t.gate.handshakes--
	if t.prefix.IsValid() {
		count := t.gate.prefixes[t.prefix]
		t.gate.prefixes[t.prefix] = prefixCount{count.all, count.handshakes - 1}
	}
}

// leave gives the place back.
func (t *ticket) leave() {
	g := t.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	if t.left {
		return
	}
	t.left = true
	t.openLocked()
	if !t.prefix.IsValid() {
		return
	}
	count := g.prefixes[t.prefix]
	if count.all == 1 {
		delete(g.prefixes, t.prefix)
	} else {
		g.prefixes[t.prefix] = prefixCount{count.all - 1, count.handshakes}
	}
}

// connContext is the transport's hook for a new connection from outside; ctx
// ends with the connection, however that ends.
func (g *gate) connContext(ctx context.Context, info *quic.ClientInfo) (context.Context, error) {
	t, err := g.enter(info.RemoteAddr)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, t.leave)
	return context.WithValue(ctx, ticketKey{}, t), nil
}

// prefixOf returns the network that one party is likely to have as a whole, the
// IPv4 /24 or IPv6 /48; for loopback addresses, which are this machine, and
// for sockets that are not UDP, the zero Prefix.
func (g *gate) prefixOf(addr net.Addr) netip.Prefix {
	ip := addrPort(addr).Addr()
	if !ip.IsValid() || ip.IsLoopback() && !g.countLoopback {
		return netip.Prefix{}
	}
	bits := 48
	if ip.Is4() {
		bits = 24
	}
	prefix, err := ip.WithZone("").Prefix(bits)
	if err != nil {
		panic("mesh: a prefix of " + ip.String())
	}
	return prefix
}

// addrPort returns the address of a UDP socket's end, IPv4 as such also where a
// socket of both families wrote it as IPv6; zero for other networks.
func addrPort(addr net.Addr) netip.AddrPort {
	udp, ok := addr.(*net.UDPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	ap := udp.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
