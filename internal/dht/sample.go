package dht

import (
	"net/netip"
	"slices"
)

const (
	// MaxFound is how many addresses a search hands out at most.
	MaxFound = 256

	early     = 128 // addresses handed out before the search is over
	share     = 16  // of these, that all their tellers have told
	soloTotal = 64  // of these, on the word of one network only
	soloMost  = 128 // addresses that one network may tell of
)

// sample decides in which order the addresses that a search hears of are
// handed out, and which are left out when there are too many. Two kinds of
// hostile nodes want theirs to be taken instead of the honest ones:
//
//   - who announces many addresses. They come from few networks, so networks
//     are served in turn: none gets its second address before the others that
//     are known have got their first.
//   - who answers with addresses that never announced. These can name any
//     network. Where liars do not agree, few nodes name the same ones, while an
//     announcement lies at several nodes: what several networks say goes before
//     what one says. Where they do agree, tellers are served in turn: who has
//     told least of what was handed out is heard first. And before the search is
//     over only early addresses are handed out, share of them of any teller and
//     soloTotal on one's word alone: who answers later finds room.
//
// It does no I/O and is not safe for concurrent use.
type sample struct {
	origin func(netip.AddrPort) network

	known    map[netip.AddrPort]*hearsay
	waiting  []*hearsay // not handed out, in the order of arrival
	networks map[network]*served
	handed   int
	alone    int  // of these, on the word of one network only
	over     bool // nothing more will be added for now: hand out the rest
}

// served is what a network has had.
type served struct {
	of   int // its addresses that were handed out
	by   int // addresses that it told of and that were handed out
	told int // addresses of which it was the first to tell
}

// hearsay is an address, its network, and the networks of those who tell of it.
type hearsay struct {
	addr    netip.AddrPort
	network *served
	tellers []*served
}

func (h *hearsay) backed() bool { return len(h.tellers) > 1 }

// level is how often the least served of those who tell of an address has been
// served.
func (h *hearsay) level() int {
	least := h.tellers[0].by
	for _, t := range h.tellers {
		least = min(least, t.by)
	}
	return least
}

func newSample(origin func(netip.AddrPort) network) *sample {
	return &sample{origin: origin, known: make(map[netip.AddrPort]*hearsay), networks: make(map[network]*served)}
}

func (s *sample) networkOf(addr netip.AddrPort) *served {
	n := s.origin(addr)
	if s.networks[n] == nil {
		s.networks[n] = new(served)
	}
	return s.networks[n]
}

// add takes the addresses that a node tells of.
func (s *sample) add(from netip.AddrPort, addrs []netip.AddrPort) {
	teller := s.networkOf(from)
	for _, addr := range addrs {
		if !usable(addr, false) {
			continue
		}
		h := s.known[addr]
		if h == nil {
			if teller.told++; teller.told > soloMost {
				continue
			}
			h = &hearsay{addr: addr, network: s.networkOf(addr)}
			s.known[addr] = h
			s.waiting = append(s.waiting, h)
		}
		if !slices.Contains(h.tellers, teller) {
			h.tellers = append(h.tellers, teller)
		}
	}
}

// next hands out the best address that may be handed out now.
func (s *sample) next() (netip.AddrPort, bool) {
	if s.full() || !s.over && s.handed >= early {
		return netip.AddrPort{}, false
	}
	best := -1
	for i, h := range s.waiting {
		if !s.over && (h.level() >= share || !h.backed() && s.alone >= soloTotal) {
			continue
		}
		if best < 0 || s.before(h, s.waiting[best]) {
			best = i
		}
	}
	if best < 0 {
		return netip.AddrPort{}, false
	}
	h := s.waiting[best]
	s.waiting = slices.Delete(s.waiting, best, best+1)
	s.handed++
	h.network.of++
	if !h.backed() {
		s.alone++
	}
	for _, t := range h.tellers {
		t.by++
	}
	return h.addr, true
}

func (s *sample) full() bool { return s.handed == MaxFound }

// before reports whether a is to be handed out before b, which came earlier.
func (s *sample) before(a, b *hearsay) bool {
	switch {
	case a.backed() != b.backed():
		return a.backed()
	case a.network.of != b.network.of:
		return a.network.of < b.network.of
	}
	if la, lb := a.level(), b.level(); la != lb {
		return la < lb
	}
	return len(a.tellers) > len(b.tellers)
}
