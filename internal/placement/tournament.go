package placement

import "github.com/angler-dex/angler/internal/mpc/circuit"

// tournament is the tree of comparisons over the leaves: rounds[r][m] is true if the right one won match m of round r. An
// odd one at the end of a round goes on unplayed, so leaves keep their order and the first of equals wins.
type tournament struct {
	rounds [][]circuit.Bit
	root   circuit.Word
	lost   []circuit.Word // if asked for: those that lost directly to the root; the second-lowest is among them
}

// contender is a subtree's winner and those that lost to it.
type contender struct {
	key  circuit.Word
	lost []circuit.Word
}

// play plays the leaves against each other: two ANDs for each bit of a key and match, and where the losers are asked for one
// more for each bit and loser that is carried past a match.
func play(b *circuit.Builder, leaves []circuit.Word, losers bool) tournament {
	var t tournament
	level := make([]contender, len(leaves))
	for k, l := range leaves {
		level[k] = contender{key: l}
	}
	for len(level) > 1 {
		var round []circuit.Bit
		var next []contender
		for ; len(level) > 1; level = level[2:] {
			left, right := level[0], level[1]
			first := b.Less(right.key, left.key)
			winner := contender{key: b.MuxWord(first, right.key, left.key)}
			if losers {
				loser := b.XorWord(b.XorWord(left.key, right.key), winner.key)
				winner.lost = append(carry(b, first, right.lost, left.lost), loser)
			}
			round = append(round, first)
			next = append(next, winner)
		}
		level = append(next, level...)
		t.rounds = append(t.rounds, round)
	}
	t.root, t.lost = level[0].key, level[0].lost
	return t
}

// carry takes x if s holds and y otherwise. Of a list that is shorter, those that are missing count as offers that cannot win.
func carry(b *circuit.Builder, s circuit.Bit, x, y []circuit.Word) []circuit.Word {
	var list []circuit.Word
	for k := range max(len(x), len(y)) {
		switch {
		case k >= len(x):
			list = append(list, b.MuxWord(s, nobody(len(y[k])), y[k]))
		case k >= len(y):
			list = append(list, b.MuxWord(s, x[k], nobody(len(x[k]))))
		default:
			list = append(list, b.MuxWord(s, x[k], y[k]))
		}
	}
	return list
}

// nobody is the key of an offer that cannot win.
func nobody(bits int) circuit.Word {
	w := make(circuit.Word, bits)
	w[bits-1] = circuit.True
	return w
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
