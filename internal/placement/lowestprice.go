package placement

import (
	"math/bits"

	"github.com/angler-dex/angler/internal/mpc/circuit"
)

// leaf is an offer in the tournament: its price, above it the bit "does not fit".
type leaf struct {
	key   circuit.Word
	party int
}

// Build gives the circuit in which leaf k is provider order[k]+1. It has 99·providers − 2 ANDs.
func (f function) Build(order []int) (*circuit.Circuit, error) {
	if err := checkOrder(order, f.providers); err != nil {
		return nil, err
	}
	b := circuit.New(f.Parties())
	lessOne, maximum := b.InputWord(0, QuantityBits), b.InputWord(0, PriceBits)
	offers := make([]leaf, f.providers)
	for k := range offers {
		have, price := b.InputWord(k+1, QuantityBits), b.InputWord(k+1, PriceBits)
		short := b.LessEq(have, lessOne)
		offers[k] = leaf{key: append(price, short), party: k + 1}
	}
	leaves := make([]leaf, 0, len(order))
	for _, k := range order {
		leaves = append(leaves, offers[k])
	}

	t := play(b, leaves)
	price, short := t.root[:PriceBits], t.root[PriceBits]
	matched := b.And(b.Not(short), b.LessEq(price, maximum))
	won := make([]circuit.Bit, f.Parties())
	for k, w := range t.winner(b, matched) {
		won[leaves[k].party] = w
	}

	b.OutputWord(0, index(b, won))
	b.OutputWord(0, b.MaskWord(matched, price))
	b.Output(0, matched)
	for party := 1; party < f.Parties(); party++ {
		b.Output(party, won[party])
		b.OutputWord(party, b.MaskWord(won[party], lessOne))
	}
	return b.Build()
}

// tournament is the tree of comparisons over the leaves: rounds[r][m] is true if the right one won match m of round r. An
// odd one at the end of a round goes on unplayed, so leaves keep their order and the first of equals wins.
type tournament struct {
	rounds [][]circuit.Bit
	root   circuit.Word
}

func play(b *circuit.Builder, leaves []leaf) tournament {
	var t tournament
	level := make([]circuit.Word, len(leaves))
	for k, l := range leaves {
		level[k] = l.key
	}
	for len(level) > 1 {
		var round []circuit.Bit
		var next []circuit.Word
		for ; len(level) > 1; level = level[2:] {
			right := b.Less(level[1], level[0])
			round = append(round, right)
			next = append(next, b.MuxWord(right, level[1], level[0]))
		}
		level = append(next, level...)
		t.rounds = append(t.rounds, round)
	}
	t.root = level[0]
	return t
}

// winner gives each leaf whether it is the one that reached the root, all false unless on: one AND a match.
func (t tournament) winner(b *circuit.Builder, on circuit.Bit) []circuit.Bit {
	won := []circuit.Bit{on}
	for r := len(t.rounds) - 1; r >= 0; r-- {
		var below []circuit.Bit
		for m, right := range t.rounds[r] {
			taken := b.And(won[m], right)
			below = append(below, b.Xor(won[m], taken), taken)
		}
		won = append(below, won[len(t.rounds[r]):]...)
	}
	return won
}

// index is the number of the party that won, 0 if none: the XOR of at most one.
func index(b *circuit.Builder, won []circuit.Bit) circuit.Word {
	w := make(circuit.Word, indexBits(len(won)-1))
	for i := range w {
		for party := range won {
			if party>>i&1 == 1 {
				w[i] = b.Xor(w[i], won[party])
			}
		}
	}
	return w
}

// indexBits is the width of a party number of n providers, 0 being nobody.
func indexBits(n int) int { return bits.Len(uint(n)) }
