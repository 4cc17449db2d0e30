package dht

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/anacrolix/dht/v2"
)

var errTimeout = errors.New("no answer")

// fault is an answer that refuses the question.
type fault struct{ code int64 }

func (f fault) Error() string { return fmt.Sprintf("refused with code %d", f.code) }

// ask sends one question and waits for the answer, which is a hint from a
// stranger.
func (n *Node) ask(ctx context.Context, to netip.AddrPort, q message) (message, error) {
	return n.askTimes(ctx, askTries, to, q)
}

// askTimes sends the question up to tries times.
func (n *Node) askTimes(ctx context.Context, tries int, to netip.AddrPort, q message) (message, error) {
	s := n.side(to.Addr())
	if s == nil {
		return message{}, fmt.Errorf("%s to %s: not reached by this socket", q.method, to)
	}
	m, err := n.exchange(ctx, s, tries, to, q)
	switch {
	case errors.Is(err, errTimeout):
		n.failing.add(to)
		s.table.failed(to)
	case err != nil:
	default:
		if q.method != "ping" { // there are nodes that answer nothing else
			n.failing.remove(to)
		}
		if c := (contact{id: m.id, known: true, addr: to}); m.kind == 'r' && !m.readOnly && n.acceptable(c) {
			if doubted := s.table.answered(c); doubted.IsValid() {
				n.doubt(doubted)
			}
		}
		if len(m.seenAs) > 0 {
			n.seenAs(s, to, compactAddr(m.seenAs).Addr())
		}
		if m.kind == 'e' {
			err = fault{m.code}
		}
	}
	if err != nil {
		return message{}, fmt.Errorf("%s to %s: %w", q.method, to, err)
	}
	return m, nil
}

// doubt lets the node at an address be asked soon whether it is still there.
func (n *Node) doubt(addr netip.AddrPort) {
	select {
	case n.newcomers <- addr:
	default: // keepFresh comes by anyway
	}
}

// exchange lets the library ask.
func (n *Node) exchange(ctx context.Context, s *side, tries int, to netip.AddrPort, q message) (message, error) {
	asked := time.Now()
	res := s.server.Load().Query(ctx, dht.NewAddr(net.UDPAddrFromAddrPort(to)), q.method, dht.QueryInput{
		MsgArgs:      q.arguments(s),
		NumTries:     tries,
		RateLimiting: dht.QueryRateLimiting{WaitOnRetries: true},
	})
	switch {
	case errors.Is(res.Err, dht.TransactionTimeout):
		return message{}, errTimeout
	case res.Err != nil:
		return message{}, res.Err
	}
	n.usual.took(time.Since(asked))
	return messageOf(res.Reply)
}

// usual is how long answers take, of late.
type usual struct{ nanoseconds atomic.Int64 }

func (u *usual) took(d time.Duration) {
	old := u.nanoseconds.Load()
	u.nanoseconds.CompareAndSwap(old, old+(int64(d)-old)/8) // one that is lost among many does not matter
}

// resendDelay is how long the library waits before it asks again: longer where
// answers take long, so that a network that is overloaded is not asked thrice
// for everything.
func (n *Node) resendDelay() time.Duration {
	return max(n.cfg.Resend, min(3*time.Duration(n.usual.nanoseconds.Load()), resendMost))
}

// contactsIn are the nodes of a family that an answer names.
func (n *Node) contactsIn(m message, s *side) []contact {
	list, size := m.nodes, nodeSize4
	if s.v6 {
		list, size = m.nodes6, nodeSize6
	}
	var out []contact
	for ; len(list) >= size; list = list[size:] {
		c := contact{id: Key(list[:idSize]), known: true, addr: compactAddr(list[idSize:size])}
		if s.reaches(c.addr.Addr()) && n.acceptable(c) {
			out = append(out, c)
		}
	}
	return out
}

// peersIn are the peers that an answer names.
func peersIn(m message) []netip.AddrPort {
	var out []netip.AddrPort
	for _, v := range m.values {
		out = append(out, compactAddr(v))
	}
	return out
}
