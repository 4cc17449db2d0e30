package placement

import "github.com/angler-dex/angler/internal/mpc/circuit"

// buildSingle makes the functions that have one winner, lowest-price and second-price.
func (f function) buildSingle(b *circuit.Builder, e entries, order []int) {
	keys, prices := make([]circuit.Word, f.providers), make([]circuit.Word, f.providers)
	for k, o := range e.offers {
		prices[k] = o.curve.at(b, e.lessOne)
		short := b.Or(b.LessEq(o.have, e.lessOne), e.lacks(b, o))
		if f.policy.Handicap { // the best in rank may be too dear where the next is not
			short = b.Or(short, b.Less(e.maximum, prices[k]))
		}
		keys[k] = key(o.rank(b, prices[k]), short)
	}
	leaves := make([]circuit.Word, len(order))
	for k, d := range order {
		leaves[k] = keys[d]
	}
	second := f.policy.Name == SecondPricePolicy
	t := play(b, leaves, second)

	best, short := unkey(t.root)
	matched := b.Not(short)
	if !f.policy.Handicap {
		matched = b.And(matched, b.LessEq(best, e.maximum))
	}
	won := make([]circuit.Bit, f.providers)
	for k, w := range t.winner(b, matched) {
		won[order[k]] = w
	}
	switch {
	case second:
		f.outputSecond(b, e, won, matched, f.payment(b, e, t.lost, won))
		return
	case f.policy.Handicap:
		best = choose(b, won, prices)
	default:
		best = b.MaskWord(matched, best)
	}
	f.outputWinner(b, won, best)
	for k := range won {
		f.outputTask(b, e, k+1, won[k])
	}
}

// key puts above a rank the bit of those that cannot win, so that they compare as the last.
func key(rank circuit.Word, short circuit.Bit) circuit.Word {
	return append(append(circuit.Word(nil), rank...), short)
}

func unkey(k circuit.Word) (rank circuit.Word, short circuit.Bit) {
	return k[:len(k)-1], k[len(k)-1]
}

// outputWinner tells the requester who won and what it pays; price is 0 if nobody has.
func (f function) outputWinner(b *circuit.Builder, won []circuit.Bit, price circuit.Word) {
	b.OutputWord(0, won)
	b.OutputWord(0, price)
}

// outputTask tells a provider whether it has won, and if so, disclosed by the requester whose inputs they are, how many units it
// delivers and what else is wanted.
func (f function) outputTask(b *circuit.Builder, e entries, party int, won circuit.Bit) {
	b.Output(party, won)
	b.OutputWordIf(party, won, e.lessOne)
	for _, want := range e.wants {
		b.OutputWordIf(party, won, want)
	}
}
