package auth

import (
	"errors"

	"github.com/angler-dex/angler/internal/mpc/block"
)

// DeltaY returns y^i of the check that every party uses one Δ towards
// everybody: for each column k ≠ i, y^i_k = x^{i,k} ⊕ u^i_k, and y^i_i = u^i_i,
// where x^{i,k} are the pair's 128 check bits and u is a sharing of zero a
// column.
func (b *B) DeltaY(zero *ZeroShares) []block.Block {
	y := make([]block.Block, len(b.X))
	for k := range y {
		y[k] = zero.Blocks(1, "delta y", k)[0]
		if k != b.Self {
			y[k] = y[k].Xor(block.FromBytes(b.X[k][deltaStart/8:]))
		}
	}
	return y
}

// DeltaZ returns z^i: for each column k ≠ i, z^i_k = M_k[x^{i,k}], and
//
//	z^i_i = ⊕_j K_i[x^{j,i}] ⊕ Y_i·Δ_i,  Y_i = ⊕_p y^p_i,
//
// the 128 bits of a vector packed into one element of GF(2^128).
func (b *B) DeltaZ(y block.Block, delta block.Block) []block.Block {
	z := make([]block.Block, len(b.X))
	own := block.Mul(y, delta)
	for k := range z {
		if k != b.Self {
			z[k] = block.Pack(b.M[k][deltaStart : deltaStart+128])
			own = own.Xor(block.Pack(b.K[k][deltaStart : deltaStart+128]))
		}
	}
	z[b.Self] = own
	return z
}

// SameDelta proves that every party uses one Δ towards everybody.
type SameDelta struct{ sid *[32]byte }

// Of tells whether the proof is one of session sid.
func (s SameDelta) Of(sid [32]byte) bool { return s.sid != nil && *s.sid == sid }

// VerifyDelta verifies all parties' z, z[i] being party i's: each column sums
// to zero. A failing sum is e·Δ of an honest party for an e that a cheat chose:
// the caller destroys every secret.
func VerifyDelta(sid [32]byte, z [][]block.Block) (SameDelta, error) {
	var bad uint64
	for k := range z {
		var sum block.Block
		for i := range z {
			sum = sum.Xor(z[i][k])
		}
		bad |= sum.Lo | sum.Hi
	}
	if bad != 0 {
		return SameDelta{}, errors.New("a party's global key is not the same towards everybody")
	}
	return SameDelta{&sid}, nil
}
