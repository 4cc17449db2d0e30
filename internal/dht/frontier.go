package dht

import (
	"math"
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
	probing  bool // asked on one other's word, which the outcome will tell the worth of
	expanded bool // asked for its own neighbourhood too

	from   netip.AddrPort // who told of it first; invalid: we know it ourselves
	backed bool           // somebody else has told of it too
}

// frontier is one path of an iterative lookup (Maymounkov and Mazières,
// "Kademlia", 2002, section 2.3): the known nodes ordered by their distance to
// the target, and which of them have been asked. It does no I/O: the caller
// asks whom next and expand name, and reports what came of it. It is settled
// when the width nearest nodes that are alive, all within reach, and some from
// beyond it have answered and the nearest of them have been asked for their own
// neighbours.
//
// Who is asked first, and who counts as an answer, is in rank.go: a liar could
// keep a walk busy for ever otherwise, and a crowd of them at the target could
// end it among themselves.
type frontier struct {
	target  Key
	self    Key // never a candidate
	width   int // how many of the nearest must have answered
	reach   Key // all nodes not farther away than this must have answered too
	density density
	liar    func(netip.AddrPort) bool
	named   func(netip.AddrPort) bool // by our operator: its word is never worthless
	expand  int                       // how many of the nearest are asked for their neighbours
	budget  int                       // contacts that may still be asked

	cands     []*candidate // unknown ids first, then by distance
	byAddr    map[netip.AddrPort]*candidate
	words     *words
	expanding int
}

// maxCandidates bounds a frontier; who would be asked last is forgotten first.
const maxCandidates = 512

func newFrontier(target, self Key, width, expand, budget int) *frontier {
	return &frontier{
		target: target, self: self, width: width, expand: expand, budget: budget,
		liar:   func(netip.AddrPort) bool { return false },
		named:  func(netip.AddrPort) bool { return false },
		byAddr: make(map[netip.AddrPort]*candidate), words: newWords(),
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
		f.forget()
	}
}

// forget leaves out the candidate that would be asked last, if at all.
func (f *frontier) forget() {
	worst, last, seen := -1, 0, tally{density: f.density}
	for i, c := range f.cands {
		crowded := f.crowded(c, &seen)
		if c.state != fresh {
			continue
		}
		r := f.rank(c, crowded)
		if f.hollow(c) {
			r = math.MaxInt
		}
		if r >= last {
			worst, last = i, r
		}
	}
	if worst >= 0 {
		delete(f.byAddr, f.cands[worst].addr)
		f.cands = slices.Delete(f.cands, worst, worst+1)
	}
}

func (f *frontier) insert(c *candidate) {
	i, _ := slices.BinarySearchFunc(f.cands, c, f.order)
	f.cands = slices.Insert(f.cands, i, c)
	f.byAddr[c.addr] = c
}

// next names a contact to ask, if one is worth asking, and counts it as asked:
// the nearest of the best rank.
func (f *frontier) next() (contact, bool) {
	var seen sight
	var best *candidate
	rank, counted := 0, tally{density: f.density}
	for _, c := range f.cands {
		if f.far(c, seen) {
			break
		}
		crowded := f.crowded(c, &counted)
		switch c.state {
		case fresh:
			if f.hollow(c) { // for now: others may tell of it, or the silent answer late
				continue
			}
			f.see(c, &seen)
			if r := f.rank(c, crowded); best == nil || r < rank {
				best, rank = c, r
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
	if !f.sure(best) {
		best.probing = true
		f.words.probing[best.from]++
	}
	return best.contact, true
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
	near, seen := 0, tally{density: f.density}
	for _, c := range f.cands {
		if near == f.expand {
			break
		}
		if crowded := f.crowded(c, &seen); c.state == answered && !crowded && !f.worthless(c.addr) {
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
	f.credit(c, alive)
	f.leave(c, answered)
	if id == f.self {
		c.state = failed
	}
}

func (f *frontier) failed(addr netip.AddrPort) {
	if c := f.byAddr[addr]; c != nil && c.state != fresh {
		f.credit(c, gone)
		f.leave(c, failed)
	}
}

// slow records that a node has not answered for a while.
func (f *frontier) slow(addr netip.AddrPort) {
	if c := f.byAddr[addr]; c != nil && c.state == asked {
		f.credit(c, silent)
		c.state = slow
		if c.doubtful {
			f.leave(c, suspect)
		}
	}
}

// lost records that a node is not worth waiting for any more; with alone, if
// only one other has told of it.
func (f *frontier) lost(addr netip.AddrPort, alone bool) {
	if c := f.byAddr[addr]; c != nil && c.state == slow && (!alone || !f.sure(c)) {
		f.leave(c, suspect)
	}
}

// leave ends the wait for a candidate.
func (f *frontier) leave(c *candidate, to state) {
	c.state = to
	if c.probing {
		c.probing = false
		f.words.probing[c.from]--
	}
}

// expansionEnded records the end of a question that nextExpansion named.
func (f *frontier) expansionEnded() { f.expanding-- }

// waitsFor reports whether a question to the address is open on this path.
func (f *frontier) waitsFor(addr netip.AddrPort) bool {
	c := f.byAddr[addr]
	return c != nil && (c.state == asked || c.state == slow || c.state == suspect)
}
