package dht

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

var errTimeout = errors.New("no answer")

// fault is an answer that refuses the question.
type fault struct{ code int64 }

func (f fault) Error() string { return fmt.Sprintf("refused with code %d", f.code) }

// exchanges are the questions of this node that wait for their answers. An
// answer counts if it comes from the address that was asked and carries the
// four random bytes of the question: nobody else can guess them.
type exchanges struct {
	mu      sync.Mutex
	pending map[exchange]chan []byte
}

type exchange struct {
	with netip.AddrPort
	tid  [4]byte
}

func (x *exchanges) open(e exchange) (<-chan []byte, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if _, taken := x.pending[e]; taken {
		return nil, false
	}
	if x.pending == nil {
		x.pending = make(map[exchange]chan []byte)
	}
	answer := make(chan []byte, 1)
	x.pending[e] = answer
	return answer, true
}

func (x *exchanges) end(e exchange) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.pending, e)
}

// answered hands a copy of the packet to whoever waits for it and reports
// whether somebody does.
func (x *exchanges) answered(from netip.AddrPort, tid, packet []byte) bool {
	if len(tid) != len(exchange{}.tid) {
		return false
	}
	e := exchange{from, [4]byte(tid)}
	x.mu.Lock()
	defer x.mu.Unlock()
	answer, waits := x.pending[e]
	if waits {
		delete(x.pending, e)
		answer <- append([]byte(nil), packet...)
	}
	return waits
}

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
	q.kind, q.id, q.readOnly = 'q', s.ID(), n.cfg.Passive
	q.want4, q.want6 = !s.v6, s.v6
	m, err := n.exchange(ctx, tries, to, q)
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

func (n *Node) exchange(ctx context.Context, tries int, to netip.AddrPort, q message) (message, error) {
	e := exchange{with: to}
	var answer <-chan []byte
	for ok := false; !ok; {
		e.tid = n.dice.tid()
		answer, ok = n.exchanges.open(e)
	}
	defer n.exchanges.end(e)
	q.tid = e.tid[:]
	packet := q.append(nil)
	timer := time.NewTimer(0)
	defer timer.Stop()
	<-timer.C
	for range tries {
		if err := n.limiter.Wait(ctx); err != nil {
			return message{}, err
		}
		if _, err := n.conn.WriteTo(packet, net.UDPAddrFromAddrPort(to)); err != nil {
			return message{}, err
		}
		n.sent.Add(1)
		timer.Reset(n.cfg.Resend)
		select {
		case b := <-answer:
			m, err := parseMessage(b)
			if err != nil {
				return message{}, err
			}
			m.keepUsable(func(a netip.AddrPort) bool { return usable(a, n.cfg.Public) })
			return m, nil
		case <-timer.C:
		case <-ctx.Done():
			return message{}, ctx.Err()
		case <-n.stopping:
			return message{}, ErrStopped
		}
	}
	return message{}, errTimeout
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
