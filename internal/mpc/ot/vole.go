package ot

import "github.com/angler-dex/angler/internal/mpc/block"

// fold is the small-field VOLE of one tree (Roy22, section 3.1) over GF(2^k),
// written as k columns of bits: with the leaves' streams r_y, 0 ≤ y < 2^k,
//
//	u = ⊕_y r_y          v_b = ⊕_{y: bit b of y is 1} r_y,   0 ≤ b < k
//
// It sets the first len(u) bytes of v[b*stride:] to v_b. seeds are those of
// the streams.
//
// The holder of Δ lacks r_Δ and may fold any stream r in its place: it gets
// v_b ⊕ Δ_b·(r_Δ ⊕ r) and u ⊕ r_Δ ⊕ r, and since it goes on with
// v_b ⊕ Δ_b·u, both cancel. No memory is touched in an order that depends on Δ.
func (p *pprf) fold(v []byte, stride int, u []byte, seeds []block.Block) {
	block.FoldStreams(v, stride, u, seeds, p.nonce)
}
