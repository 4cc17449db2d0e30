package matchtest

import (
	"net"
	"net/netip"
	"sync"
	"testing"
)

// Wire is a UDP socket on loopback whose packets can be lost.
type Wire struct {
	*net.UDPConn
	mu   sync.Mutex
	dead bool                    // all packets are
	lost map[netip.AddrPort]bool // those to and from these
	sent map[netip.AddrPort]bool // to whom something was sent; nil: that is not asked
}

// NewWire binds a socket; port 0 is any.
func NewWire(tb testing.TB, port uint16) *Wire {
	tb.Helper()
	c, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port)))
	if err != nil {
		tb.Fatal(err)
	}
	return &Wire{UDPConn: c, lost: map[netip.AddrPort]bool{}}
}

// Addr is where it is bound.
func (w *Wire) Addr() netip.AddrPort { return w.LocalAddr().(*net.UDPAddr).AddrPort() }

// Cut loses all packets from now on, as when the machine loses power.
func (w *Wire) Cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dead = true
}

// CutFrom loses the packets to and from one address.
func (w *Wire) CutFrom(addr netip.AddrPort) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lost[addr] = true
}

// Shelter puts it behind a NAT that lets those in, by address and port, to whom
// something was sent from now on.
func (w *Wire) Shelter() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent = map[netip.AddrPort]bool{}
}

// shuts says whether a NAT keeps an address out.
func (w *Wire) shuts(addr net.Addr) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sent != nil && !w.sent[addr.(*net.UDPAddr).AddrPort()]
}

// opens notes that something is sent to an address.
func (w *Wire) opens(addr net.Addr) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.sent != nil {
		w.sent[addr.(*net.UDPAddr).AddrPort()] = true
	}
}

func (w *Wire) drops(addr net.Addr) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.dead || w.lost[addr.(*net.UDPAddr).AddrPort()]
}

// ReadFrom is net.PacketConn's.
func (w *Wire) ReadFrom(p []byte) (int, net.Addr, error) {
	for {
		n, addr, err := w.UDPConn.ReadFrom(p)
		if err != nil || !w.drops(addr) && !w.shuts(addr) {
			return n, addr, err
		}
	}
}

// WriteTo is net.PacketConn's.
func (w *Wire) WriteTo(p []byte, addr net.Addr) (int, error) {
	if w.drops(addr) {
		return len(p), nil
	}
	w.opens(addr)
	return w.UDPConn.WriteTo(p, addr)
}

// packetConn hides what else a *net.UDPConn can do, so that all packets go
// through the methods above.
type packetConn struct{ net.PacketConn }
