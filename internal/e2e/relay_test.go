package e2e

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"
)

// relay stands before a daemon's port and holds every datagram back, in either
// direction, for as long as a packet travels. Each of those who send to it gets
// a socket of its own towards the daemon, so that answers find their way.
type relay struct {
	front  *net.UDPConn
	target netip.AddrPort
	delay  time.Duration
	wg     sync.WaitGroup

	mu    sync.Mutex
	backs map[netip.AddrPort]*net.UDPConn
	over  bool
}

// newRelay forwards until the test ends to a target that is named later.
func newRelay(t testing.TB, delay time.Duration) *relay {
	t.Helper()
	front, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	_ = front.SetReadBuffer(4 << 20) // the kernel may give less
	r := &relay{front: front, delay: delay, backs: map[netip.AddrPort]*net.UDPConn{}}
	t.Cleanup(r.close)
	return r
}

func (r *relay) addr() string { return r.front.LocalAddr().String() }

// start begins to forward.
func (r *relay) start(target netip.AddrPort) {
	r.target = target
	r.wg.Go(func() {
		r.carry(r.front, func(from netip.AddrPort) (*net.UDPConn, netip.AddrPort) { return r.back(from), netip.AddrPort{} })
	})
}

// back is the socket that speaks to the daemon for a sender.
func (r *relay) back(from netip.AddrPort) *net.UDPConn {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c := r.backs[from]; c != nil || r.over {
		return c
	}
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(r.target))
	if err != nil {
		return nil
	}
	_ = c.SetReadBuffer(4 << 20)
	r.backs[from] = c
	r.wg.Go(func() {
		r.carry(c, func(netip.AddrPort) (*net.UDPConn, netip.AddrPort) { return r.front, from })
	})
	return c
}

type held struct {
	due  time.Time
	data []byte
	via  *net.UDPConn
	to   netip.AddrPort // zero: the one that via is connected to
}

// carry reads datagrams of a socket and sends each on when it is due.
func (r *relay) carry(conn *net.UDPConn, way func(from netip.AddrPort) (*net.UDPConn, netip.AddrPort)) {
	queue := make(chan held, 1<<14)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer close(queue)
	wg.Go(func() {
		for h := range queue {
			time.Sleep(time.Until(h.due))
			if h.to.IsValid() {
				_, _ = h.via.WriteToUDPAddrPort(h.data, h.to) // lost, as packets are
			} else {
				_, _ = h.via.Write(h.data)
			}
		}
	})
	buf := make([]byte, 1<<16)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // the daemon is gone: so is the packet
		}
		if via, to := way(from); via != nil {
			select {
			case queue <- held{time.Now().Add(r.delay), append([]byte(nil), buf[:n]...), via, to}:
			default:
			}
		}
	}
}

func (r *relay) close() {
	r.mu.Lock()
	r.over = true
	_ = r.front.Close()
	for _, c := range r.backs {
		_ = c.Close()
	}
	r.mu.Unlock()
	r.wg.Wait()
}
