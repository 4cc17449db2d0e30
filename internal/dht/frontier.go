package dht

import (
	"bytes"
	"net/netip"
	"slices"
)

// The state of a candidate of a walk.
type state uint8

const (
	fresh    state = iota // not asked yet
	asked                 // asked; counts against the walk's parallelism
	slow                  // asked, no answer for a while: waited for, but not counted
	suspect               // slow, and failed a moment ago or slow for long: not waited for
	answered              // told us what it knows
	failed                // did not answer, or refused
)

type candidate struct {
	contact
	state    state
	doubtful bool // failed in an earlier walk: ask, but do not wait for long
	expanded bool // asked for its own neighbourhood too

	from   netip.AddrPort // who told of it first; invalid: we know it ourselves
	backed bool           // somebody else has told of it too
}

// word is what came of the contacts that a node told of.
type word struct{ alive, dead int }

// worthless reports whether most of them are nowhere: that node lies, or knows
// nobody any more.
func (w word) worthless() bool { return w.dead >= 3 && w.dead > 2*w.alive }

// beyond is how many nodes from beyond the reach a path must have heard, if it
// knows of any.
const beyond = 4

// frontier is one path of an iterative lookup (Maymounkov and Mazières,
// "Kademlia", 2002, section 2.3): the known nodes ordered by their distance to
// the target, and which of them have been asked. It does no I/O: the caller
// asks whom next and expand name, and reports what came of it. It is settled
// when the width nearest nodes that are alive, all within reach, and some from
// beyond it have answered and the nearest of them have been asked for their own
// neighbours.
//
// A liar could keep a walk busy for ever, and a crowd of them at the target
// could end it among themselves. So nodes that are told of by somebody whose
// contacts turn out not to exist are left out unless another one tells of them
// too; whoever tells of such is no answer for the neighbourhood; and a crowd
// that names nobody but itself is no answer for those outside. Bootstrap nodes
// are believed all the same: a node that joins has nobody else's word, and
// somebody who does not believe them is left with those whom liars tell of.
type frontier struct {
	target Key
	self   Key // never a candidate
	width  int // how many of the nearest must have answered
	reach  Key // all nodes not farther away than this must have answered too
	liar   func(netip.AddrPort) bool
	named  func(netip.AddrPort) bool // by our operator: its word is never worthless
	expand int                       // how many of the nearest are asked for their neighbours
	budget int                       // contacts that may still be asked

	cands     []*candidate // unknown ids first, then by distance
	byAddr    map[netip.AddrPort]*candidate
	words     map[netip.AddrPort]*word
	expanding int
}

// maxCandidates bounds a frontier; the farthest are forgotten first.
const maxCandidates = 512

func newFrontier(target, self Key, width, expand, budget int) *frontier {
	return &frontier{
		target: target, self: self, width: width, expand: expand, budget: budget,
		liar:   func(netip.AddrPort) bool { return false },
		named:  func(netip.AddrPort) bool { return false },
		byAddr: make(map[netip.AddrPort]*candidate), words: make(map[netip.AddrPort]*word),
	}
}

func (f *frontier) order(a, b *candidate) int {
	switch {
	case a.known && b.known:
		if c := nearer(f.target, a.id, b.id); c != 0 {
			return c
		}
	case a.known:
		return 1
	case b.known:
		return -1
	}
	return a.addr.Compare(b.addr)
}

// add makes a contact that we know ourselves a candidate.
func (f *frontier) add(c contact, doubtful bool) { f.told(c, doubtful, netip.AddrPort{}) }

// told makes a contact a candidate unless it is one already.
func (f *frontier) told(c contact, doubtful bool, from netip.AddrPort) {
	if c.known && c.id == f.self {
		return
	}
	if old := f.byAddr[c.addr]; old != nil {
		old.backed = old.backed || old.from != from
		return
	}
	f.insert(&candidate{contact: c, doubtful: doubtful, from: from})
	if len(f.cands) > maxCandidates {
		for i, last := range slices.Backward(f.cands) {
			if last.state == fresh {
				f.cands = slices.Delete(f.cands, i, i+1)
				delete(f.byAddr, last.addr)
				return
			}
		}
	}
}

func (f *frontier) insert(c *candidate) {
	i, _ := slices.BinarySearchFunc(f.cands, c, f.order)
	f.cands = slices.Insert(f.cands, i, c)
	f.byAddr[c.addr] = c
}

// next names a contact to ask, if one is worth asking, and counts it as asked:
// the nearest of those of which we or several nodes know, then of those who
// told of them none of whose contacts is being tried, then of the others.
func (f *frontier) next() (contact, bool) {
	var seen sight
	var best *candidate
	probed := make(map[netip.AddrPort]bool) // there is a question whose outcome tells what their word is worth
	for _, c := range f.cands {
		if (c.state == asked || c.state == slow) && !f.sure(c) {
			probed[c.from] = true
		}
	}
	for _, c := range f.cands {
		if f.far(c, seen) {
			break
		}
		switch c.state {
		case fresh:
			if f.hollow(c) { // for now: others may tell of it, or the silent answer late
				continue
			}
			f.see(c, &seen)
			if best == nil || f.rank(c, probed) < f.rank(best, probed) {
				best = c
			}
		case asked, slow, answered:
			f.see(c, &seen)
		}
	}
	if best == nil || f.budget == 0 {
		return contact{}, false
	}
	f.budget--
	best.state = asked
	return best.contact, true
}

// rank is the order in which candidates of about the same distance are asked.
func (f *frontier) rank(c *candidate, probed map[netip.AddrPort]bool) int {
	switch {
	case f.sure(c):
		return 0
	case !probed[c.from]:
		return 1
	}
	return 2
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
	w := f.words[addr]
	return (w != nil && w.worthless() || f.liar(addr)) && !f.named(addr)
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
func (f *frontier) credit(c *candidate, alive, dead int) {
	if f.sure(c) || f.named(c.from) {
		return
	}
	w := f.words[c.from]
	if w == nil {
		w = new(word)
		f.words[c.from] = w
	}
	w.alive += alive
	w.dead += dead
}

// nextExpansion names a contact to ask for its own neighbours, once the
// nearest have answered.
func (f *frontier) nextExpansion() (contact, bool) {
	if !f.settled() {
		return contact{}, false
	}
	c := f.unexpanded()
	if c == nil {
		return contact{}, false
	}
	c.expanded = true
	f.expanding++
	return c.contact, true
}

// unexpanded is the nearest of the nodes to expand that has not been, or nil.
func (f *frontier) unexpanded() *candidate {
	near := 0
	for _, c := range f.cands {
		if near == f.expand {
			break
		}
		if c.state == answered {
			near++
			if !c.expanded {
				return c
			}
		}
	}
	return nil
}

// busy is the number of questions that count against the parallelism.
func (f *frontier) busy() int {
	n := f.expanding
	for _, c := range f.cands {
		if c.state == asked {
			n++
		}
	}
	return n
}

// settled reports whether the nearest have answered. Suspects are waited for
// only while nobody else has answered.
func (f *frontier) settled() bool {
	var seen sight
	heard, waiting := false, false
	for _, c := range f.cands {
		if f.far(c, seen) {
			break
		}
		switch c.state {
		case fresh:
			if f.budget > 0 && !f.hollow(c) {
				return false
			}
		case asked, slow:
			return false
		case suspect:
			waiting = true
		case answered:
			heard = true
			f.see(c, &seen)
		}
	}
	return heard || !waiting
}

// done reports whether the path has ended.
func (f *frontier) done() bool {
	return f.expanding == 0 && f.settled() && f.unexpanded() == nil
}

// answered records a node's answer. The id that it gives itself counts from
// here on, whatever others said.
func (f *frontier) answered(addr netip.AddrPort, id Key) {
	c := f.byAddr[addr]
	if c == nil || c.state == fresh {
		return
	}
	if !c.known || c.id != id {
		f.cands = slices.DeleteFunc(f.cands, func(o *candidate) bool { return o == c })
		c.id, c.known = id, true
		f.insert(c)
	}
	if c.state == slow || c.state == suspect && !c.doubtful {
		f.credit(c, 0, -1) // it was counted as dead
	}
	f.credit(c, 1, 0)
	c.state = answered
	if id == f.self {
		c.state = failed
	}
}

func (f *frontier) failed(addr netip.AddrPort) {
	if c := f.byAddr[addr]; c != nil && c.state != fresh {
		if c.state == asked {
			f.credit(c, 0, 1)
		}
		c.state = failed
	}
}

// slow records that a node has not answered for a while.
func (f *frontier) slow(addr netip.AddrPort) {
	if c := f.byAddr[addr]; c != nil && c.state == asked {
		f.credit(c, 0, 1)
		c.state = slow
		if c.doubtful {
			c.state = suspect
		}
	}
}

// lost records that a node is not worth waiting for any more; with alone, if
// only one other has told of it.
func (f *frontier) lost(addr netip.AddrPort, alone bool) {
	if c := f.byAddr[addr]; c != nil && c.state == slow && (!alone || !f.sure(c)) {
		c.state = suspect
	}
}

// expansionEnded records the end of a question that nextExpansion named.
func (f *frontier) expansionEnded() { f.expanding-- }

// waitsFor reports whether a question to the address is open on this path.
func (f *frontier) waitsFor(addr netip.AddrPort) bool {
	c := f.byAddr[addr]
	return c != nil && (c.state == asked || c.state == slow || c.state == suspect)
}
