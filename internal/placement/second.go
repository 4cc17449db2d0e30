package placement

import "github.com/angler-dex/angler/internal/mpc/circuit"

// payment is what the winner is paid: the highest price at which it would still have won, which is that of the best of those
// that lost to it, and the maximum if none of them could have won. With handicaps it is the other's rank less its own handicap.
func (f function) payment(b *circuit.Builder, e entries, lost []circuit.Word, won []circuit.Bit) circuit.Word {
	if len(lost) == 0 {
		return e.maximum
	}
	next := lost[0]
	for _, l := range lost[1:] {
		next = b.MuxWord(b.Less(l, next), l, next)
	}
	price, short := unkey(next)
	limit := key(e.maximum, circuit.False)
	if f.policy.Handicap {
		own := make([]circuit.Word, len(won))
		for k, o := range e.offers {
			own[k] = o.handicap
		}
		price = b.Sub(price, key(choose(b, won, own), circuit.False))
		limit = key(limit, circuit.False)
	}
	return b.MuxWord(b.Less(key(price, short), limit), price[:PriceBits], e.maximum)
}

// outputSecond tells the requester and the winner what is paid: the winner by the requester's disclosure, which costs nothing.
func (f function) outputSecond(b *circuit.Builder, e entries, won []circuit.Bit, matched circuit.Bit, pays circuit.Word) {
	paid := b.MaskWord(matched, pays)
	f.outputWinner(b, won, paid)
	for k := range won {
		f.outputTask(b, e, k+1, won[k])
		b.OutputWordIf(k+1, won[k], paid)
	}
}
