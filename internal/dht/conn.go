package dht

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// Waits between attempts to read from a socket that returns errors.
const (
	readRetryMin = 5 * time.Millisecond
	readRetryMax = time.Second
)

// guardedConn is the socket as the library sees it. Two things kill the
// library's process: a read error, and certain packets. Here a read error on a
// socket that is still open is waited out, and a packet reaches the library
// only as the canonical encoding of what parseMessage understood of it.
type guardedConn struct {
	net.PacketConn
	public bool

	closing  chan struct{} // closed by Close
	broken   chan error    // one error if the socket was closed under us
	closed   sync.Once
	reading  sync.Mutex // held during ReadFrom
	received atomic.Uint64
	dropped  atomic.Uint64
	readErrs atomic.Uint64

	buf [maxPacket + 1]byte // under reading
}

func newGuardedConn(conn net.PacketConn, public bool) *guardedConn {
	return &guardedConn{
		PacketConn: conn,
		public:     public,
		closing:    make(chan struct{}),
		broken:     make(chan error, 1),
	}
}

// ReadFrom returns the next well-formed packet, rebuilt. It returns an error
// only after Close.
func (c *guardedConn) ReadFrom(p []byte) (int, net.Addr, error) {
	c.reading.Lock()
	defer c.reading.Unlock()
	wait := readRetryMin
	for {
		n, from, err := c.PacketConn.ReadFrom(c.buf[:])
		select {
		case <-c.closing:
			return 0, nil, net.ErrClosed
		default:
		}
		switch {
		case errors.Is(err, net.ErrClosed):
			select {
			case c.broken <- err:
			default:
			}
			<-c.closing
		case err != nil:
			c.readErrs.Add(1)
			select {
			case <-time.After(wait):
			case <-c.closing:
			}
			wait = min(2*wait, readRetryMax)
		default:
			wait = readRetryMin
			c.received.Add(1)
			addr := addrPortOf(from)
			out, ok := c.rebuild(c.buf[:n], addr)
			if !ok || len(out) > len(p) {
				c.dropped.Add(1)
				continue
			}
			return copy(p, out), net.UDPAddrFromAddrPort(addr), nil
		}
	}
}

// rebuild parses a packet and encodes what is left of it.
func (c *guardedConn) rebuild(packet []byte, from netip.AddrPort) ([]byte, bool) {
	if len(packet) > maxPacket || !usable(from, false) {
		return nil, false
	}
	m, err := parseMessage(packet)
	if err != nil {
		return nil, false
	}
	m.keepUsable(func(a netip.AddrPort) bool { return usable(a, c.public) })
	return m.append(make([]byte, 0, len(packet)+64)), true
}

// Close closes the socket, ends ReadFrom and waits for that. The library may
// stop reading without being told the end, so its reader is not waited for.
func (c *guardedConn) Close() error {
	err := net.ErrClosed
	c.closed.Do(func() {
		close(c.closing)
		err = c.PacketConn.Close()
	})
	c.reading.Lock()
	defer c.reading.Unlock()
	return err
}
