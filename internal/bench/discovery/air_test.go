package discovery

import (
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// air carries packets between sockets without a kernel, so that a whole network
// runs in a bubble whose clock waits for everybody: what comes out does not
// hang on how busy this machine is.
type air struct {
	mu    sync.Mutex
	ports map[netip.AddrPort]*antenna
}

type antenna struct {
	air  *air
	addr netip.AddrPort
	in   chan wave
	gone chan struct{}
	once sync.Once
}

type wave struct {
	from netip.AddrPort
	text []byte
}

func (a *air) listen(addr *net.UDPAddr) (net.PacketConn, error) {
	at := netip.AddrPortFrom(addr.AddrPort().Addr().Unmap(), uint16(addr.Port))
	c := &antenna{air: a, addr: at, in: make(chan wave, 512), gone: make(chan struct{})}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ports == nil {
		a.ports = make(map[netip.AddrPort]*antenna)
	}
	a.ports[at] = c
	return c, nil
}

func (c *antenna) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case w := <-c.in:
		return copy(b, w.text), net.UDPAddrFromAddrPort(w.from), nil
	case <-c.gone:
		return 0, nil, net.ErrClosed
	}
}

func (c *antenna) WriteTo(b []byte, to net.Addr) (int, error) {
	c.air.mu.Lock()
	other := c.air.ports[to.(*net.UDPAddr).AddrPort()]
	c.air.mu.Unlock()
	if other != nil {
		select {
		case other.in <- wave{c.addr, slices.Clone(b)}:
		default: // as a full socket buffer
		}
	}
	return len(b), nil
}

func (c *antenna) Close() error {
	c.once.Do(func() {
		c.air.mu.Lock()
		delete(c.air.ports, c.addr)
		c.air.mu.Unlock()
		close(c.gone)
	})
	return nil
}

func (c *antenna) LocalAddr() net.Addr              { return net.UDPAddrFromAddrPort(c.addr) }
func (c *antenna) SetDeadline(time.Time) error      { return nil }
func (c *antenna) SetReadDeadline(time.Time) error  { return nil }
func (c *antenna) SetWriteDeadline(time.Time) error { return nil }

// simulate runs a measurement in a bubble.
func simulate(t *testing.T, o Options) (r Report) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		o.listen = new(air).listen
		var err error
		if r, err = Run(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	})
	return r
}
