package dht

import (
	"encoding/binary"
	"net"
	"net/netip"
)

const (
	tellNodes       = 16 // nodes told in an answer
	tellNodesPublic = 8  // on a public network: a small question must not bring a stranger a large answer
	maxAnswer       = 1300
)

// BEP 5's error codes.
const (
	faultProtocol = 203
	faultMethod   = 204
)

// answer answers a question, in the goroutine that reads the socket: whatever
// comes in, one packet at most goes out before the next is read, and nothing
// is kept of it but an announcement with a token. Unlike the mainline
// implementations it tells peers and nodes in one answer, so that a lookup
// need not ask twice.
func (n *Node) answer(q message, from netip.AddrPort) {
	s := n.side(from.Addr())
	if s == nil || n.cfg.Passive {
		return
	}
	if !n.visits.allow(n.cfg.Limits.networkOf(from)) {
		n.refused.Add(1)
		return
	}
	if !q.readOnly && n.acceptable(contact{id: q.id, addr: from}) && n.pinged.add(from) {
		select {
		case n.newcomers <- from:
		default:
			n.pinged.remove(from)
		}
	}
	m := message{kind: 'r', tid: q.tid, id: s.ID(), seenAs: compact(from)}
	switch q.method {
	case "ping":
	case "find_node":
		n.tell(&m, q, q.target, s)
	case "get_peers":
		m.token, m.hasToken = n.tokens.of(from.Addr()), true
		n.tell(&m, q, q.infoHash, s)
		for _, peer := range n.store.sample(q.infoHash, n.cfg.Limits.Answer) {
			// A family is told its own addresses (BEP 32).
			if peer.Addr().Is6() == s.v6 && len(m.values) < n.cfg.Limits.Answer {
				m.values = append(m.values, compact(peer))
			}
		}
	case "announce_peer":
		port := uint16(q.port) // parseMessage has checked it
		if q.impliedPort {
			port = from.Port()
		}
		if !n.tokens.valid(q.token, from.Addr()) {
			m = message{kind: 'e', tid: q.tid, code: faultProtocol, text: []byte("bad token")}
		} else {
			n.store.add(q.infoHash, netip.AddrPortFrom(from.Addr(), port))
		}
	default:
		m = message{kind: 'e', tid: q.tid, code: faultMethod, text: []byte("method unknown")}
	}
	packet := m.append(nil)
	for len(packet) > maxAnswer && len(m.values) > 0 { // IPv6 addresses are long
		m.values = m.values[:len(m.values)*3/4]
		packet = m.append(packet[:0])
	}
	if n.limiter.Allow() {
		_, _ = n.conn.WriteTo(packet, net.UDPAddrFromAddrPort(from)) // an answer that does not get out is asked for again
	}
}

// tell puts the nodes nearest to the target into an answer, of the families
// that the question wants.
func (n *Node) tell(m *message, q message, target Key, s *side) {
	count := tellNodes
	if n.cfg.Public {
		count = tellNodesPublic
	}
	for _, other := range n.sides {
		wanted := q.want4 && !other.v6 || q.want6 && other.v6 || !q.want4 && !q.want6 && other == s
		if !wanted {
			continue
		}
		for _, c := range other.table.nearest(target, count) {
			node := append(c.id[:], compact(c.addr)...)
			if other.v6 {
				m.nodes6 = append(m.nodes6, node...)
			} else {
				m.nodes = append(m.nodes, node...)
			}
		}
	}
}

// compact is an address in BEP 5's form: 4 or 16 bytes and the port.
func compact(a netip.AddrPort) []byte {
	return binary.BigEndian.AppendUint16(a.Addr().AsSlice(), a.Port())
}
