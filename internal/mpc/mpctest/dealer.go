package mpctest

import (
	"math/rand/v2"

	"github.com/angler-dex/angler/internal/mpc/auth"
	"github.com/angler-dex/angler/internal/mpc/block"
)

// RandomBlock draws a block.
func RandomBlock(rng *rand.Rand) block.Block { return block.Block{Lo: rng.Uint64(), Hi: rng.Uint64()} }

// Deltas draws a global key for each party: the lowest bit is 1 at party 0 and
// 0 elsewhere.
func Deltas(rng *rand.Rand, parties int) []block.Block {
	deltas := make([]block.Block, parties)
	for i := range deltas {
		deltas[i] = RandomBlock(rng)
		deltas[i].Lo &^= 1
	}
	deltas[0].Lo |= 1
	return deltas
}

// DealA is the ideal functionality of authenticated bits: region A of every
// party, as a trusted dealer hands it out.
func DealA(rng *rand.Rand, shapes []auth.Shape, deltas []block.Block) []*auth.A {
	n := len(shapes)
	regions := make([]*auth.A, n)
	for i := range regions {
		a := &auth.A{Self: i, Shapes: shapes, X: auth.NewBits(shapes[i].RowsA()), Y: auth.NewBits(shapes[i].Pairs()), R: auth.NewBits(shapes[i].Pairs()),
			M: make([][]block.Block, n), K: make([][]block.Block, n), NarrowM: make([][]block.Block, n), NarrowK: make([][]block.Block, n)}
		for _, bits := range []auth.Bits{a.X, a.Y, a.R} {
			for k := range bits {
				bits[k] = byte(rng.Uint32())
			}
		}
		regions[i] = a
	}
	for i, a := range regions {
		for j := range regions {
			if i == j {
				continue
			}
			a.M[j], regions[j].K[i] = dealLane(rng, a.X, shapes[i].RowsA(), deltas[j])
			a.NarrowM[j], regions[j].NarrowK[i] = dealNarrow(rng, a.Y, a.R, shapes[i].Pairs(), deltas[j])
		}
	}
	return regions
}

// dealNarrow is dealLane of pairs of narrow bits.
func dealNarrow(rng *rand.Rand, y, r auth.Bits, pairs int, delta block.Block) (macs, keys []block.Block) {
	w := auth.Narrow(delta)
	macs, keys = make([]block.Block, pairs), make([]block.Block, pairs)
	for t := range pairs {
		key := block.Block{Lo: rng.Uint64() >> 16, Hi: rng.Uint64() >> 16}
		keys[t], macs[t] = key, key.Xor(w.Both(y.Get(t), r.Get(t)))
	}
	return macs, keys
}

// DealShared shares values among parties, authenticated: each the XOR of a bit
// of everybody.
func DealShared(rng *rand.Rand, values []bool, deltas []block.Block) []*auth.Shared {
	n := len(deltas)
	shares := make([]*auth.Shared, n)
	for i := range shares {
		shares[i] = auth.NewShared(i, n, len(values))
	}
	for k, v := range values {
		last := uint64(0)
		if v {
			last = 1
		}
		for _, s := range shares[1:] {
			b := rng.Uint64() & 1
			s.Bits.Flip(k, b)
			last ^= b
		}
		shares[0].Bits.Flip(k, last)
	}
	for i, s := range shares {
		for j := range shares {
			if i != j {
				s.M[j], shares[j].K[i] = dealLane(rng, s.Bits, len(values), deltas[j])
			}
		}
	}
	return shares
}

// dealLane draws keys and gives the MACs of bits under delta with them.
func dealLane(rng *rand.Rand, bits auth.Bits, rows int, delta block.Block) (macs, keys []block.Block) {
	macs, keys = make([]block.Block, rows), make([]block.Block, rows)
	for r := range rows {
		keys[r] = RandomBlock(rng)
		macs[r] = keys[r].Xor(delta.Mask(bits.Get(r)))
	}
	return macs, keys
}
