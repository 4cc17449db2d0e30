package dht

import "net/netip"

// words is what the nodes that a walk hears are found to be worth, by what came
// of the contacts of which each of them alone told. The paths of a walk share
// it: a liar need be found out once.
type words struct {
	of      map[netip.AddrPort]*word
	fates   map[hint]fate
	probing map[netip.AddrPort]int // questions to contacts of which it alone told
}

// hint is that a node told of a contact.
type hint struct{ from, contact netip.AddrPort }

// fate is what came of a contact.
type fate uint8

const (
	unasked fate = iota
	alive        // it has answered
	silent       // not yet, in a time in which others do
	gone         // nor after it was asked for the last time
)

// word counts the contacts that a node told of, by their fate.
type word [gone + 1]int

func newWords() *words {
	return &words{of: make(map[netip.AddrPort]*word), fates: make(map[hint]fate), probing: make(map[netip.AddrPort]int)}
}

// count records what came of a contact: the last that is known of it counts, once.
func (w *words) count(from, contact netip.AddrPort, f fate) {
	o := w.of[from]
	if o == nil {
		o = new(word)
		w.of[from] = o
	}
	h := hint{from, contact}
	if was := w.fates[h]; was != unasked {
		o[was]--
	}
	o[f]++
	w.fates[h] = f
}

// worthless reports whether most of those of whom a node told are nowhere, as
// it seems: it lies, or knows nobody any more.
func (w *words) worthless(from netip.AddrPort) bool {
	o := w.of[from]
	return o != nil && tooMany(o[silent]+o[gone], o[alive])
}

// liars are those whose words are worthless for sure, not just because this
// machine or the way to others is slow for a moment.
func (w *words) liars() (out []netip.AddrPort) {
	for from, o := range w.of {
		if tooMany(o[gone], o[alive]) {
			out = append(out, from)
		}
	}
	return out
}

func tooMany(dead, alive int) bool { return dead >= 3 && dead > 2*alive }
