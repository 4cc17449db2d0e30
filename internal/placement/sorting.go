package placement

import "github.com/angler-dex/angler/internal/mpc/circuit"

// network gives the comparators that bring the lowest of n lots to the first positions of the policy, in order.
func (p Policy) network(n int) []circuit.Comparator {
	width := 2
	for width < p.Winners {
		width *= 2
	}
	if p.Winners == 0 || n <= width {
		return circuit.SortingNetwork(n)
	}
	return selection(n, width)
}

// selection brings the lowest width of n, in order, to the first width places; width is a power of two below n. Groups of width
// are sorted; then the first takes in one after the other: the lower ones of its lowest and the other's highest, of its second
// and the other's second highest and so on, are the lowest of both, rising and then falling, and a bitonic merge sorts them
// (Batcher, "Sorting networks and their applications", AFIPS 1968).
func selection(n, width int) []circuit.Comparator {
	var list []circuit.Comparator
	for at := 0; at < n; at += width {
		for _, c := range circuit.SortingNetwork(min(width, n-at)) {
			list = append(list, circuit.Comparator{Low: at + c.Low, High: at + c.High})
		}
	}
	for at := width; at < n; at += width {
		for k := range min(width, n-at) {
			list = append(list, circuit.Comparator{Low: width - 1 - k, High: at + k})
		}
		for d := width / 2; d > 0; d /= 2 {
			for k := range width {
				if k&d == 0 {
					list = append(list, circuit.Comparator{Low: k, High: k + d})
				}
			}
		}
	}
	return list
}

// lot is an offer on its way through the sorting network.
type lot struct{ key, have circuit.Word }

// swapped is a sorting network that has been applied: its comparators and whether each exchanged its places.
type swapped struct {
	comparators []circuit.Comparator
	swaps       []circuit.Bit
}

// sortLots takes lots through a network that sorts by key, in place: for each comparator one AND a bit of the key to compare and one a bit of key and units
// to exchange. Equal keys are not exchanged; which of equals comes first follows from the random order of the leaves.
func sortLots(b *circuit.Builder, lots []lot, network []circuit.Comparator) swapped {
	n := swapped{comparators: network}
	for _, c := range n.comparators {
		low, high := lots[c.Low], lots[c.High]
		swap := b.Less(high.key, low.key)
		n.swaps = append(n.swaps, swap)
		exchange := func(x, y circuit.Word) (circuit.Word, circuit.Word) {
			turn := b.MaskWord(swap, b.XorWord(x, y))
			return b.XorWord(x, turn), b.XorWord(y, turn)
		}
		low.key, high.key = exchange(low.key, high.key)
		low.have, high.have = exchange(low.have, high.have)
		lots[c.Low], lots[c.High] = low, high
	}
	return n
}

// back takes a bit for each of the first positions to where the lots there came from; of all other positions it is false. At
// most one AND a comparator.
func (n swapped) back(b *circuit.Builder, bits []circuit.Bit) []circuit.Bit {
	width := len(bits)
	for _, c := range n.comparators {
		width = max(width, c.High+1)
	}
	at := make([]circuit.Bit, width)
	copy(at, bits)
	for k := len(n.comparators) - 1; k >= 0; k-- {
		c := n.comparators[k]
		differ := b.Xor(at[c.Low], at[c.High])
		if differ == circuit.False {
			continue
		}
		turn := b.And(n.swaps[k], differ)
		at[c.Low], at[c.High] = b.Xor(at[c.Low], turn), b.Xor(at[c.High], turn)
	}
	return at
}
