package block

import "math/bits"

// FoldStreams is the arithmetic of a small-field VOLE: it stretches 2^k seeds and
// folds their streams. With r_y the stream of NewPRGNonce(seeds[y], nonce), 0 ≤ y < 2^k,
//
//	u = ⊕_y r_y          v_b = ⊕_{y: bit b of y is 1} r_y,   0 ≤ b < k
//
// It sets u, and the first len(u) bytes of v[b*stride:] to v_b; nothing else
// of v is touched. k is 1 … 8, and stride is at least len(u).
//
// No stream is ever in memory: a tile of each is made in registers and added
// to the sums there. Constant-time in the seeds; no memory is touched in an
// order that depends on them. Security is that of PRG.
func FoldStreams(v []byte, stride int, u []byte, seeds []Block, nonce Block) {
	k := bits.Len(uint(len(seeds))) - 1
	if k < 1 || k > 8 || len(seeds) != 1<<k || stride < len(u) || len(v) < (k-1)*stride+len(u) {
		panic("block: streams cannot be folded")
	}
	if len(u) > 0 {
		foldStreams(v, stride, u, seeds, nonce)
	}
}
