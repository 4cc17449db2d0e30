package placement

import "github.com/angler-dex/angler/internal/mpc/circuit"

// fitSorted puts the first of all sorted offers that has everything in the place of a split, if there is one.
func (s *splitting) fitSorted(sorted []lot, f *filling) {
	b := s.builder
	fits := make(circuit.Word, len(sorted))
	for k, l := range sorted {
		_, short := unkey(l.key)
		fits[k] = b.And(b.Not(short), b.LessEq(s.entries.lessOne, l.have))
	}
	single := b.First(fits)
	one := b.Sum(single)
	s.prefer(one, single, f.full, f.last, &f.rest)
}

// fitBeside does the same where only some of the offers are sorted: it looks for the best that has everything in a tournament
// among all.
func (s *splitting) fitBeside(keys []circuit.Word, order []int) {
	b := s.builder
	leaves := make([]circuit.Word, len(order))
	for k, d := range order {
		rank, short := unkey(keys[d])
		leaves[k] = key(rank, b.Or(short, b.Less(s.haves[d], s.entries.lessOne)))
	}
	t := play(b, leaves, false)
	_, none := unkey(t.root)
	single := make([]circuit.Bit, len(order))
	for k, w := range t.winner(b, b.Not(none)) {
		single[order[k]] = w
	}
	s.prefer(b.Not(none), single, s.full, s.last, &s.rest)
}

// prefer lets the single one deliver everything if there is one.
func (s *splitting) prefer(one circuit.Bit, single []circuit.Bit, full, last []circuit.Bit, rest *circuit.Word) {
	b := s.builder
	for k := range single {
		full[k] = b.And(full[k], b.Not(one))
		last[k] = b.Mux(one, single[k], last[k])
	}
	*rest = b.MuxWord(one, s.entries.lessOne, *rest)
}
