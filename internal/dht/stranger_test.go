package dht

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"
)

// stranger is a socket that speaks KRPC by hand.
type stranger struct {
	t    *testing.T
	conn net.PacketConn
}

func newStranger(t *testing.T) stranger { return stranger{t, listen(t)} }

func (s stranger) addr() netip.AddrPort { return addrPortOf(s.conn.LocalAddr()) }

func (s stranger) send(to netip.AddrPort, packet string) {
	s.t.Helper()
	if _, err := s.conn.WriteTo([]byte(packet), net.UDPAddrFromAddrPort(to)); err != nil {
		s.t.Fatal(err)
	}
}

// replyWithin is the next packet from a node that is not a question.
func (s stranger) replyWithin(from netip.AddrPort, d time.Duration) (message, bool) {
	s.t.Helper()
	if err := s.conn.SetReadDeadline(time.Now().Add(d)); err != nil {
		s.t.Fatal(err)
	}
	for {
		var buf [maxPacket]byte
		n, addr, err := s.conn.ReadFrom(buf[:])
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return message{}, false
		}
		if err != nil {
			s.t.Fatal(err)
		}
		m, err := parseMessage(buf[:n])
		if err != nil {
			s.t.Fatalf("a node sent %q", buf[:n])
		}
		if addrPortOf(addr) == from && m.kind != 'q' {
			return m, true
		}
	}
}

// ask sends a question, again if it is lost: behind a flood a socket is full.
func (s stranger) ask(to netip.AddrPort, packet string) message {
	s.t.Helper()
	for range 10 {
		s.send(to, packet)
		if m, ok := s.replyWithin(to, 2*time.Second); ok {
			return m
		}
	}
	s.t.Fatalf("%s does not answer", to)
	return message{}
}

const ping = "d1:ad2:id20:" + id20 + "e1:q4:ping2:roi1e1:t2:aa1:y1:qe"

// A ping that is answered behind a packet shows that the packet has been dealt
// with: a node reads one after the other.
func (s stranger) expectAlive(n running) {
	s.t.Helper()
	if m := s.ask(n.Addr(), ping); m.kind != 'r' || m.id != n.ID() || string(m.tid) != "aa" {
		s.t.Fatalf("the node answers a ping with %q", m.append(nil))
	}
}

// drain throws away what has arrived.
func drain(conn net.PacketConn) error {
	var buf [maxPacket]byte
	for {
		if err := conn.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
			return err
		}
		if _, _, err := conn.ReadFrom(buf[:]); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				return nil
			}
			return err
		}
	}
}

// question is the next query that a node sends.
func (s stranger) question() (message, netip.AddrPort) {
	s.t.Helper()
	m, from, ok := s.questionWithin(10 * time.Second)
	if !ok {
		s.t.Fatal("nothing is asked")
	}
	return m, from
}

func (s stranger) questionWithin(d time.Duration) (message, netip.AddrPort, bool) {
	s.t.Helper()
	if err := s.conn.SetReadDeadline(time.Now().Add(d)); err != nil {
		s.t.Fatal(err)
	}
	for {
		var buf [maxPacket]byte
		n, addr, err := s.conn.ReadFrom(buf[:])
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return message{}, netip.AddrPort{}, false
		}
		if err != nil {
			s.t.Fatal(err)
		}
		m, err := parseMessage(buf[:n])
		if err != nil {
			s.t.Fatalf("a node sent %q", buf[:n])
		}
		if m.kind == 'q' {
			return m, addrPortOf(addr), true
		}
	}
}
