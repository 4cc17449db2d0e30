package dht

import (
	"net/netip"
	"slices"
)

const (
	// MaxFound is how many addresses a search hands out at most.
	MaxFound = 256

	soloShare = 16  // addresses handed out at once on the word of one network only
	soloTotal = 64  // of these, of all networks together
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
//     network, but few nodes name the same ones, while an announcement lies at
//     several nodes: what several networks say goes before what one says, and
//     of what single networks say only soloShare addresses each, soloTotal
//     together, are handed out before the search is over.
//
// It does no I/O and is not safe for concurrent use.
type sample struct {
	origin func(netip.AddrPort) network

	known     map[netip.AddrPort]*hearsay
	waiting   []*hearsay // not handed out, in the order of arrival
	byNetwork map[network]int
	solo      map[network]int // handed out on the word of this network only
	told      map[network]int // addresses of which this network was the first to tell
	handed    int
	alone     int  // of these, on the word of one network only
	over      bool // nothing more will be added for now: hand out the rest
}

// hearsay is an address and who tells of it.
type hearsay struct {
	addr    netip.AddrPort
	tellers []network
}

func (h *hearsay) backed() bool { return len(h.tellers) > 1 }

func newSample(origin func(netip.AddrPort) network) *sample {
	return &sample{
		origin: origin, known: make(map[netip.AddrPort]*hearsay), byNetwork: make(map[network]int),
		solo: make(map[network]int), told: make(map[network]int),
	}
}

// add takes the addresses that a node tells of.
func (s *sample) add(from netip.AddrPort, addrs []netip.AddrPort) {
	teller := s.origin(from)
	for _, addr := range addrs {
		if !usable(addr, false) {
			continue
		}
		h := s.known[addr]
		if h == nil {
			if s.told[teller]++; s.told[teller] > soloMost {
				continue
			}
			h = &hearsay{addr: addr}
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
	if s.handed == MaxFound {
		return netip.AddrPort{}, false
	}
	best := -1
	for i, h := range s.waiting {
		if !s.over && !h.backed() && (s.alone >= soloTotal || s.solo[h.tellers[0]] >= soloShare) {
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
	s.byNetwork[s.origin(h.addr)]++
	if !h.backed() {
		s.alone++
		s.solo[h.tellers[0]]++
	}
	return h.addr, true
}

func (s *sample) full() bool { return s.handed == MaxFound }

// before reports whether a is to be handed out before b, which came earlier.
func (s *sample) before(a, b *hearsay) bool {
	if a.backed() != b.backed() {
		return a.backed()
	}
	if na, nb := s.byNetwork[s.origin(a.addr)], s.byNetwork[s.origin(b.addr)]; na != nb {
		return na < nb
	}
	return len(a.tellers) > len(b.tellers)
}
