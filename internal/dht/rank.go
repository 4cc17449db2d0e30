package dht

import (
	"bytes"
	"encoding/binary"
	"net/netip"
)

// What this file guards a path against: nodes that are told of by somebody whose
// contacts turn out not to exist are left out unless another one tells of them
// too; whoever tells of such is no answer for the neighbourhood; a crowd next to
// the target is asked last; and one that names nobody but itself is no answer
// for those outside. Bootstrap nodes are believed all the same: a node that
// joins has nobody else's word, and somebody who does not believe them is left
// with those whom liars tell of.

// crowd is how many nodes may be closer to a target than nodes are expected.
const crowd = 4

// beyond is how many nodes from beyond the reach a path must have heard, if it
// knows of any.
const beyond = 4

// rank is the order in which candidates of about the same distance are asked:
// first those of which we or several nodes know, then, of each who told of
// others, one at a time, then the rest; after these the crowd next to the
// target, if there is one; and last those whose own word is worthless, who may
// still keep an announcement.
func (f *frontier) rank(c *candidate, crowded bool) (r int) {
	switch {
	case f.sure(c):
	case f.words.probing[c.from] == 0:
		r = 1
	default:
		r = 2
	}
	if crowded && f.close(c) {
		r += 3
	}
	if f.worthless(c.addr) {
		r += 6
	}
	return r
}

// close reports whether a candidate is so near that an eighth of a node is
// expected within its distance.
func (f *frontier) close(c *candidate) bool {
	d := f.target.distance(c.id)
	return c.known && binary.BigEndian.Uint64(d[:8]) < binary.BigEndian.Uint64(f.reach[:8])/(8*walkReach)
}

// crowded reports whether more are that close than chance will have it once in
// a million lookups: nodes that were put there, or invented.
func (f *frontier) crowded() bool {
	return len(f.cands) > crowd && f.close(f.cands[crowd])
}

// sure reports whether more than one other's word stands for a candidate.
func (f *frontier) sure(c *candidate) bool { return c.backed || !c.from.IsValid() }

// sight is how many candidates that are alive, or may be, a look from the
// target outwards has come by.
type sight struct{ live, beyond int }

// see counts a candidate, unless its own word is worthless.
func (f *frontier) see(c *candidate, s *sight) {
	if f.worthless(c.addr) {
		return
	}
	s.live++
	if !f.within(c) {
		s.beyond++
	}
}

// far reports whether a candidate is beyond all that must be heard.
func (f *frontier) far(c *candidate, s sight) bool {
	return s.live >= f.width && s.beyond >= min(beyond, f.width) && !f.within(c)
}

// worthless reports whether a node tells of nodes that are nowhere.
func (f *frontier) worthless(addr netip.AddrPort) bool {
	return (f.words.worthless(addr) || f.liar(addr)) && !f.named(addr)
}

// within reports whether a candidate is so near that it must be heard.
func (f *frontier) within(c *candidate) bool {
	d := f.target.distance(c.id)
	return c.known && bytes.Compare(d[:], f.reach[:]) < 0
}

// hollow reports whether only a worthless word stands for a candidate.
func (f *frontier) hollow(c *candidate) bool { return !f.sure(c) && f.worthless(c.from) }

// credit counts what came of a contact for or against who alone told of it.
// What several told says nothing of any: liars back each other.
func (f *frontier) credit(c *candidate, alive bool) {
	if !f.sure(c) && !f.named(c.from) {
		f.words.count(c.from, c.addr, alive)
	}
}
