package auth

import "github.com/angler-dex/angler/internal/mpc/block"

// Shared is one party's part of a vector of authenticated values, each the XOR
// of a bit of every party: own bits, their MACs M[j] and, for each peer j, keys
// K[j] of its bits. The lanes of the party itself are nil. Who needs no more of the
// keys than their sum over all peers has Keys and no lanes of K.
type Shared struct {
	Bits Bits
	M, K [][]block.Block
	Keys []block.Block
}

// NewShared returns n zero values among parties.
func NewShared(self, parties, n int) *Shared {
	s := &Shared{Bits: NewBits(n), M: make([][]block.Block, parties), K: make([][]block.Block, parties)}
	for j := range parties {
		if j != self {
			s.M[j], s.K[j] = make([]block.Block, n), make([]block.Block, n)
		}
	}
	return s
}

// Sum returns ⊕_j K[j] ⊕ b·Δ for each value: with the M lanes of the others
// under this party's Δ it is a sharing of value·Δ.
func (s *Shared) Sum(delta block.Block) []block.Block {
	sum := append([]block.Block(nil), s.Keys...)
	for _, lane := range s.K {
		if lane == nil { // its own
			continue
		}
		if sum == nil {
			sum = make([]block.Block, len(lane))
		}
		block.XorInto(sum, lane)
	}
	for k := range sum {
		sum[k] = sum[k].Xor(delta.Mask(s.Bits.Get(k)))
	}
	return sum
}

// Destroy wipes the part.
func (s *Shared) Destroy() {
	clear(s.Bits)
	wipe(s.M)
	wipe(s.K)
	clear(s.Keys)
}
