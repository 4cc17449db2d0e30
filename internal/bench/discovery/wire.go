package discovery

import (
	"math"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// maxInFlight bounds the packets that are held back; more are lost, as in a
// network that is overloaded.
const maxInFlight = 1 << 16

// place is where a node lies on the unit square.
type place struct{ x, y float64 }

// plane knows where the nodes lie and how long packets take.
type plane struct {
	median   time.Duration
	places   sync.Map // netip.AddrPort to place
	inFlight atomic.Int64
}

// medianDistance is that of two random points of the unit square.
const medianDistance = 0.512

// rtt is a tenth of the median for everybody and grows with the distance.
func (p *plane) rtt(a, b place) time.Duration {
	d := math.Hypot(a.x-b.x, a.y-b.y)
	return time.Duration(float64(p.median) * (0.1 + 0.9*d/medianDistance))
}

// wire is a node's socket, behind a cable whose length depends on who is at
// the other end.
type wire struct {
	net.PacketConn
	plane *plane
	at    place
	addr  netip.AddrPort

	sent, received atomic.Uint64
}

func (p *plane) connect(conn net.PacketConn, at place) *wire {
	addr := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	p.places.Store(addr, at)
	return &wire{PacketConn: conn, plane: p, at: at, addr: addr}
}

func (w *wire) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := w.PacketConn.ReadFrom(b)
	if err == nil {
		w.received.Add(1)
	}
	return n, from, err
}

func (w *wire) WriteTo(b []byte, to net.Addr) (int, error) {
	w.sent.Add(1)
	udp, ok := to.(*net.UDPAddr)
	if !ok || w.plane.median == 0 {
		return w.PacketConn.WriteTo(b, to)
	}
	there, known := w.plane.places.Load(udp.AddrPort())
	if !known {
		return len(b), nil // nobody lives there
	}
	if w.plane.inFlight.Add(1) > maxInFlight {
		w.plane.inFlight.Add(-1)
		return len(b), nil
	}
	packet := slices.Clone(b)
	time.AfterFunc(w.plane.rtt(w.at, there.(place))/2, func() {
		defer w.plane.inFlight.Add(-1)
		_, _ = w.PacketConn.WriteTo(packet, to) // the sender may have gone
	})
	return len(b), nil
}

func (w *wire) Close() error {
	w.plane.places.Delete(w.addr)
	return w.PacketConn.Close()
}

func (w *wire) packets() uint64 { return w.sent.Load() + w.received.Load() }
