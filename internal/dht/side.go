package dht

import (
	"net/netip"
	"sync"
	"sync/atomic"
)

// side is this node in one address family. IPv4 and IPv6 are two networks with
// the same key space (BEP 32): a node in both has a routing table for each,
// announces in each, and looks up in each.
type side struct {
	v6      bool
	table   *table
	outside outside
	server  atomic.Pointer[library] // set when the node runs; anew when its id changes

	mu sync.Mutex
	id Key
}

func (s *side) ID() Key {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.id
}

// reaches reports whether the address is of this family.
func (s *side) reaches(ip netip.Addr) bool { return ip.Is6() == s.v6 && ip.IsValid() }

// openSides makes a side for each family of the socket.
func (n *Node) openSides(reach families) {
	for _, v6 := range []bool{false, true} {
		if v6 && !reach.v6 || !v6 && !reach.v4 {
			continue
		}
		s := &side{v6: v6, id: n.base, table: &table{now: n.cfg.Now, origin: n.cfg.Limits.networkOf, self: n.base}}
		if n.cfg.Public {
			s.table.most = bucketPublic
			if ip := n.cfg.PublicIP.Unmap(); s.reaches(ip) {
				s.id = bound(n.base, ip)
				s.table.self = s.id
			}
		}
		n.sides = append(n.sides, s)
	}
}

// side is the one that an address belongs to, nil if the socket does not reach it.
func (n *Node) side(ip netip.Addr) *side {
	for _, s := range n.sides {
		if s.reaches(ip) {
			return s
		}
	}
	return nil
}

// seenAs takes the word of a node on what our address is. On a public network
// an id that does not fit the address which most of them name is changed for
// one that does: others would not take us into their tables.
func (n *Node) seenAs(s *side, from netip.AddrPort, ip netip.Addr) {
	if !s.reaches(ip) {
		return
	}
	s.outside.vote(from.Addr(), ip)
	if !n.cfg.Public || n.cfg.PublicIP.IsValid() {
		return
	}
	ip, sure := s.outside.elected()
	if sure && s.bind(n.base, ip) {
		s.table.rebase(s.ID())
		n.cfg.Log.Info("took the id that fits our address", "addr", ip)
		select {
		case n.moved <- struct{}{}:
		default:
		}
	}
}

// bind makes the id fit the address and reports whether it did not before.
func (s *side) bind(base Key, ip netip.Addr) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if fits(s.id, ip) {
		return false
	}
	s.id = bound(base, ip)
	return true
}

// ownIP is the address under which this node believes it is reached in a
// family: as others see it, else the socket's own unless that is a wildcard.
func (n *Node) ownIP(s *side) (netip.Addr, bool) {
	if ip, _ := s.outside.elected(); ip.IsValid() {
		return ip, true
	}
	ip := n.local.Addr()
	return ip, s.reaches(ip) && !ip.IsUnspecified()
}

// acceptable reports whether a node may have the id that it claims.
func (n *Node) acceptable(c contact) bool {
	return !n.cfg.Public || fits(c.id, c.addr.Addr())
}
