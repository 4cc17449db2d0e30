package dht

import (
	"net/netip"
	"time"
)

// makeRoom enforces the caps for a newcomer, forgetting others where they say so.
func (s *peerStore) makeRoom(key Key, addr netip.AddrPort, now time.Time) bool {
	from := s.limits.networkOf(addr)
	if s.total >= s.limits.Total || s.holds(from) >= s.limits.PerNetwork {
		s.sweepLocked(now, s.limits.TTL/64)
	}
	held := make(map[network]int)
	same := 0
	for peer := range s.keys[key] {
		held[s.limits.networkOf(peer)]++
		if peer.Addr() == addr.Addr() {
			same++
		}
	}
	exempt := addr.Addr().IsLoopback() && !s.limits.CapLoopback
	switch {
	case same >= s.limits.PerKeyAddress && !exempt:
		s.forgetOldest(key, func(p netip.AddrPort) bool { return p.Addr() == addr.Addr() })
		return true
	case held[from] >= s.limits.PerKeyNetwork:
		s.forgetOldest(key, func(p netip.AddrPort) bool { return s.limits.networkOf(p) == from })
		return true
	case s.holds(from) >= s.limits.PerNetwork:
		return false
	case len(s.keys[key]) >= s.limits.PerKey:
		largest, most := network{}, 0
		for n, count := range held {
			if count > most {
				largest, most = n, count
			}
		}
		if most <= held[from]+1 {
			return false // a newcomer would only swap places with its equal
		}
		s.forgetOldest(key, func(p netip.AddrPort) bool { return s.limits.networkOf(p) == largest })
		return true
	}
	return s.total < s.limits.Total || s.makeRoomFor(from)
}

// holds is how many peers of a network are stored.
func (s *peerStore) holds(n network) int {
	if h := s.networks[n]; h != nil {
		return h.peers
	}
	return 0
}

func (s *peerStore) count(key Key, addr netip.AddrPort) {
	s.total++
	n := s.limits.networkOf(addr)
	h := s.networks[n]
	if h == nil {
		h = &holding{keys: make(map[Key]int)}
		s.networks[n] = h
	}
	h.peers++
	h.keys[key]++
}

// glance is how many networks a full store looks at for one that holds much.
const glance = 32

// makeRoomFor forgets a peer of a network that holds more than another one: of
// glance networks drawn at random, since a full store must not cost a look at
// all of it for every announcement.
func (s *peerStore) makeRoomFor(newcomer network) bool {
	var largest network
	most, looks := s.holds(newcomer)+1, 0
	for n, h := range s.networks { // in random order
		if h.peers > most {
			largest, most = n, h.peers
		}
		if looks++; looks == glance {
			break
		}
	}
	if h := s.networks[largest]; h != nil {
		for key := range h.keys {
			s.forgetOldest(key, func(p netip.AddrPort) bool { return s.limits.networkOf(p) == largest })
			return true
		}
	}
	return false
}

func (s *peerStore) forgetOldest(key Key, among func(netip.AddrPort) bool) {
	var oldest netip.AddrPort
	var until time.Time
	for peer, t := range s.keys[key] {
		if among(peer) && (!oldest.IsValid() || t.Before(until)) {
			oldest, until = peer, t
		}
	}
	if oldest.IsValid() {
		s.forget(key, oldest)
	}
}
