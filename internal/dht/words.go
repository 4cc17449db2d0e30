package dht

import "net/netip"

// words is what the nodes that a walk hears are found to be worth, by what came
// of the contacts of which each of them alone told. The paths of a walk share
// it: a liar need be found out once.
type words struct {
	of      map[netip.AddrPort]*word
	fate    map[hint]bool          // whether the contact is alive, where that is known
	probing map[netip.AddrPort]int // questions to contacts of which it alone told
}

// hint is that a node told of a contact.
type hint struct{ from, contact netip.AddrPort }

// word counts the contacts that a node told of.
type word struct{ alive, dead int }

func newWords() *words {
	return &words{of: make(map[netip.AddrPort]*word), fate: make(map[hint]bool), probing: make(map[netip.AddrPort]int)}
}

// count records what came of a contact: the last that is known of it counts, once.
func (w *words) count(from, contact netip.AddrPort, alive bool) {
	h := hint{from, contact}
	was, known := w.fate[h]
	if known && was == alive {
		return
	}
	w.fate[h] = alive
	o := w.of[from]
	if o == nil {
		o = new(word)
		w.of[from] = o
	}
	switch {
	case alive && known:
		o.dead--
		o.alive++
	case alive:
		o.alive++
	case known:
		o.alive--
		o.dead++
	default:
		o.dead++
	}
}

// worthless reports whether most of those of whom a node told are nowhere: it
// lies, or knows nobody any more.
func (w *words) worthless(from netip.AddrPort) bool {
	o := w.of[from]
	return o != nil && o.dead >= 3 && o.dead > 2*o.alive
}
