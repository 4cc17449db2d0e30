package dht

import (
	"bytes"
	"net/netip"
)

// What this file guards a path against: nodes that are told of by somebody whose
// contacts turn out not to exist are left out unless another one tells of them
// too; whoever tells of such is no answer for the neighbourhood; a crowd around
// the target is asked last; and one that names nobody but itself is no answer
// for those outside. Bootstrap nodes are believed all the same: a node that
// joins has nobody else's word, and somebody who does not believe them is left
// with those whom liars tell of.

// beyond is how many nodes from beyond the reach a path must have heard, if it
// knows of any.
const beyond = 4

// rank is the order in which candidates of about the same distance are asked:
// first those of which we or several nodes know, then, of each who told of
// others, one at a time, then the rest; after these those who are too many
// around the target; and last those whose own word is worthless, who may
// still keep an announcement.
func (f *frontier) rank(c *candidate, crowded bool) (r int) {
	switch {
	case f.sure(c):
	case f.words.probing[c.from] == 0:
		r = 1
	default:
		r = 2
	}
	if crowded {
		r += 3
	}
	if f.worthless(c.addr) {
		r += 6
	}
	return r
}

// crowded reports whether a candidate is one too many for where it is, by those
// nearer to the target.
func (f *frontier) crowded(c *candidate, seen *tally) bool {
	return c.known && c.state != failed && seen.crowded(f.target.distance(c.id))
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
func (f *frontier) credit(c *candidate, came fate) {
	if !f.sure(c) && !f.named(c.from) {
		f.words.count(c.from, c.addr, came)
	}
}
