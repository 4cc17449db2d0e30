package placement

import "github.com/angler-dex/angler/internal/mpc/circuit"

// buildSplit makes the functions that may have several winners, split and fit.
func (f function) buildSplit(b *circuit.Builder, e entries, order []int) {
	s := splitting{builder: b, entries: e, haves: make([]circuit.Word, f.providers), prices: make([]circuit.Word, f.providers)}
	keys := make([]circuit.Word, f.providers)
	for k, o := range e.offers {
		s.haves[k] = o.have
		if e.capOne != nil {
			s.haves[k] = least(b, o.have, e.capOne)
		}
		reach := s.haves[k]
		if f.policy.Tiers {
			reach = least(b, reach, e.lessOne)
		}
		s.prices[k] = o.curve.at(b, reach)
		can := b.And(o.any, b.LessEq(s.prices[k], e.maximum))
		if len(e.wants) > 0 {
			can = b.And(can, b.Not(e.lacks(b, o)))
		}
		keys[k] = key(o.rank(b, s.prices[k]), b.Not(can))
	}
	sorted := make([]lot, len(order))
	for k, d := range order {
		sorted[k] = lot{keys[d], s.haves[d]}
	}
	network := sortLots(b, sorted, f.policy.network(len(sorted)))
	positions := f.positions()
	fill := s.fill(sorted[:positions])
	if f.policy.Name == FitPolicy && positions == f.providers {
		s.fitSorted(sorted, &fill)
	}
	full := network.back(b, fill.full)
	last := network.back(b, fill.last)
	s.full, s.last, s.rest = make([]circuit.Bit, len(order)), make([]circuit.Bit, len(order)), fill.rest
	for k, d := range order {
		s.full[d], s.last[d] = full[k], last[k]
	}
	if f.policy.Name == FitPolicy && positions < f.providers {
		s.fitBeside(keys, order)
	}
	if f.policy.Tiers {
		s.reprice()
	}
	s.output()
}

// positions is how many of the sorted offers are looked at.
func (f function) positions() int {
	if f.policy.Winners > 0 {
		return min(f.policy.Winners, f.providers)
	}
	return f.providers
}

// splitting is a split under construction; slices are by party − 1.
type splitting struct {
	builder *circuit.Builder
	entries entries
	haves   []circuit.Word // units − 1, bounded by the cap
	prices  []circuit.Word // by which offers are ranked
	full    []circuit.Bit  // delivers all that it has
	last    []circuit.Bit  // delivers the rest
	rest    circuit.Word   // of units, − 1
	atRest  []circuit.Word // the price of each at the rest; nil: that by which it is ranked
}

func least(b *circuit.Builder, x, y circuit.Word) circuit.Word { return b.MuxWord(b.Less(x, y), x, y) }

// filling is who delivers, by position of the sorted offers.
type filling struct {
	full, last []circuit.Bit
	rest       circuit.Word
}

// fill takes from the sorted offers in order what they have until nothing is left to be taken. All is false if it does not
// suffice: then nobody is the last, for after an offer that cannot win there is none that can.
func (s *splitting) fill(sorted []lot) filling {
	b := s.builder
	var f filling
	going, rest := circuit.True, s.entries.lessOne
	rests := make([]circuit.Word, len(sorted))
	for k, l := range sorted {
		_, short := unkey(l.key)
		rests[k] = rest
		// What is left − 1 after this one, and whether anything is: rest + ¬have = rest − have − 1.
		next, more := b.AddCarry(rest, b.NotWord(l.have), circuit.False)
		takes := b.And(going, b.Not(short))
		going = b.And(takes, more)
		f.full = append(f.full, going)
		f.last = append(f.last, b.Xor(takes, going))
		rest = next
	}
	matched := b.Sum(f.last)
	f.full[len(sorted)-1] = circuit.False // if even that one gives all and is not the last, there is no match
	for k, full := range f.full {
		f.full[k] = b.And(full, matched)
	}
	f.rest = choose(b, f.last, rests)
	return f
}

// output tells the requester who delivers how many units at what price, and every provider its own task. Amounts are masked for
// the requester's sake, who must not learn those of losers: conditional outputs would spare nothing.
func (s *splitting) output() {
	b := s.builder
	for k := range s.full {
		won := b.Xor(s.full[k], s.last[k])
		units := b.XorWord(b.MaskWord(s.full[k], s.haves[k]), b.MaskWord(s.last[k], s.rest))
		price := b.MaskWord(won, s.prices[k])
		if s.atRest != nil {
			price = b.XorWord(b.MaskWord(s.full[k], s.prices[k]), b.MaskWord(s.last[k], s.atRest[k]))
		}
		b.Output(0, won)
		b.OutputWord(0, units)
		b.OutputWord(0, price)
		b.Output(k+1, won)
		b.OutputWord(k+1, units)
		for _, want := range s.entries.wants {
			b.OutputWordIf(k+1, won, want)
		}
	}
}

// reprice computes the price of the last at what it delivers, which may be another than that by which it was ranked. If that is
// above the maximum there is no match.
func (s *splitting) reprice() {
	b := s.builder
	s.atRest = make([]circuit.Word, len(s.last))
	for k, o := range s.entries.offers {
		s.atRest[k] = o.curve.at(b, s.rest)
	}
	matched := b.LessEq(choose(b, s.last, s.atRest), s.entries.maximum)
	for k := range s.last {
		s.full[k], s.last[k] = b.And(s.full[k], matched), b.And(s.last[k], matched)
	}
}
