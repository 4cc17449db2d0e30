package dht

import (
	"encoding/binary"
	"net/netip"
)

const (
	tellNodes       = 16 // nodes told in an answer
	tellNodesPublic = 8  // on a public network: a small question must not bring a stranger a large answer
	maxAnswer       = 1300
)

// question decides whether a question is answered, and notes who asks.
func (n *Node) question(q message, from netip.AddrPort) {
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
	s.server.Load().bridge.question(q, from)
}

// compact is an address in BEP 5's form: 4 or 16 bytes and the port.
func compact(a netip.AddrPort) []byte {
	return binary.BigEndian.AppendUint16(a.Addr().AsSlice(), a.Port())
}
