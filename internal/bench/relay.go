package bench

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

// relay is the way between a dialler and a target: it forwards datagrams of one
// link both ways and holds each back for delay. The first to send to it is the
// dialler; datagrams of anybody else are dropped.
type relay struct {
	target netip.AddrPort
	delay  time.Duration
	front  *net.UDPConn // faces the dialler
	back   *net.UDPConn // faces the target
	over   chan struct{}
}

// backlog is how many datagrams may be on their way in one direction.
const backlog = 1 << 14

// relayBuffer is what the relay asks the kernel to keep for it, in bytes; the
// kernel may give less.
const relayBuffer = 4 << 20

// newRelay binds the sockets of a relay to target; nothing runs yet.
func newRelay(target netip.AddrPort, delay time.Duration) (*relay, error) {
	r := &relay{target: target, delay: delay, over: make(chan struct{})}
	for _, conn := range []**net.UDPConn{&r.front, &r.back} {
		c, err := net.ListenUDP("udp", &net.UDPAddr{IP: target.Addr().AsSlice()})
		if err == nil {
			err = errors.Join(c.SetReadBuffer(relayBuffer), c.SetWriteBuffer(relayBuffer))
		}
		if err != nil {
			r.unbind()
			return nil, fmt.Errorf("relay: %w", err)
		}
		*conn = c
	}
	return r, nil
}

// addr is where to dial instead of the target.
func (r *relay) addr() netip.AddrPort { return unmapped(r.front.LocalAddr().(*net.UDPAddr).AddrPort()) }

// run forwards until close is called, and returns when everything that it
// started has ended.
func (r *relay) run() {
	var dialler netip.AddrPort
	known := make(chan struct{})
	there, back := make(chan datagram, backlog), make(chan datagram, backlog)
	var wg sync.WaitGroup
	wg.Go(func() {
		r.read(r.front, there, func(from netip.AddrPort) bool {
			if !dialler.IsValid() {
				dialler = from
				close(known)
			}
			return from == dialler
		})
	})
	wg.Go(func() { r.read(r.back, back, func(from netip.AddrPort) bool { return from == r.target }) })
	wg.Go(func() { r.write(r.back, there, r.target) })
	wg.Go(func() {
		select {
		case <-known:
			r.write(r.front, back, dialler)
		case <-r.over:
		}
	})
	wg.Wait()
}

// close ends run; what is on its way is dropped.
func (r *relay) close() {
	close(r.over)
	r.unbind()
}

func (r *relay) unbind() {
	for _, c := range []*net.UDPConn{r.front, r.back} {
		if c != nil {
			c.Close()
		}
	}
}

// datagram is one on its way.
type datagram struct {
	payload []byte
	due     time.Time
}

func (r *relay) read(conn *net.UDPConn, queue chan<- datagram, accept func(netip.AddrPort) bool) {
	buf := make([]byte, 1<<16)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(buf)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil || !accept(unmapped(from)):
			continue
		}
		d := datagram{append([]byte(nil), buf[:n]...), time.Now().Add(r.delay)}
		select {
		case queue <- d:
		case <-r.over:
			return
		}
	}
}

// write sends what comes out of the queue when it is due. The delay is the same
// for all, so the order is kept.
func (r *relay) write(conn *net.UDPConn, queue <-chan datagram, to netip.AddrPort) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case d := <-queue:
			timer.Reset(time.Until(d.due))
			select {
			case <-timer.C:
			case <-r.over:
				return
			}
			// A datagram that cannot be sent is one that is lost: QUIC's to mend.
			_, _ = conn.WriteToUDPAddrPort(d.payload, to)
		case <-r.over:
			return
		}
	}
}

func unmapped(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}
