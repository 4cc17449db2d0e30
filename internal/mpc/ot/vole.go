package ot

import "github.com/angler-dex/angler/internal/mpc/block"

// fold is the small-field VOLE of one tree (Roy22, section 3.1) over GF(2^k),
// written as k columns of bits: with the leaves' streams r_y, 0 ≤ y < 2^k,
//
//	u = ⊕_y r_y          v_b = ⊕_{y: bit b of y is 1} r_y,   0 ≤ b < k
//
// It sets the first len(u) bytes of v[b*stride:] to v_b. seeds are those of
// the streams, scratch holds (k+1)·len(u) bytes.
//
// The walk over the leaves is a binary counter with the sum of a finished
// subtree at each of its 1 bits: when two subtrees of height b meet, the right
// one is added to v_b. So 2^k streams cost 2·2^k additions of columns, and
// not k/2·2^k.
//
// The holder of Δ lacks r_Δ and may fold any stream r in its place: it gets
// v_b ⊕ Δ_b·(r_Δ ⊕ r) and u ⊕ r_Δ ⊕ r, and since it goes on with
// v_b ⊕ Δ_b·u, both cancel. No memory is touched in an order that depends on Δ.
func (p *pprf) fold(v []byte, stride int, u []byte, seeds []block.Block, scratch []byte) {
	n := len(u)
	for b := range p.k {
		clear(v[b*stride:][:n])
	}
	right := scratch[p.k*n:][:n]
	sum := func(b int) []byte { // of the finished subtree of height b
		if b == p.k {
			return u
		}
		return scratch[b*n:][:n]
	}
	var g block.PRG
	for y, seed := range seeds {
		p.leaf(&g, seed)
		if y&1 == 0 {
			g.Fill(sum(0))
			continue
		}
		g.Fill(right)
		for b := 0; y>>b&1 == 1; b++ {
			vb, both := v[b*stride:][:n], right
			block.XorBytes(vb, vb, right)
			if y>>(b+1)&1 == 0 {
				both = sum(b + 1)
			}
			block.XorBytes(both, right, sum(b))
		}
	}
}
