package block

import (
	"crypto/cipher"
	"sync"
)

// Hash is a tweakable, correlation-robust hash of 128 bits to 128 bits. With
// π = AES-128 under the start point as its key, it is TMMO of GKWY20 (Guo,
// Katz, Wang, Yu, IEEE S&P 2020, eprint 2019/074):
//
//	H(x, i) = π(π(x) ⊕ i) ⊕ π(x)
//
// A Hash is immutable: any number of goroutines may use one.
type Hash struct{ c cipher.Block }

// NewHash returns the hash with the given start point.
func NewHash(start Block) *Hash { return &Hash{newAES(start)} }

const hashBatch = 32

// hashScratch keeps the operands of the block cipher out of the garbage
// collector's way: what is passed to a cipher.Block escapes to the heap.
type hashScratch struct{ px, out [hashBatch * Size]byte }

var hashScratches = sync.Pool{New: func() any { return new(hashScratch) }}

// Sum returns H(x, tweak).
func (h *Hash) Sum(tweak, x Block) Block {
	var dst [1]Block
	h.SumN(dst[:], []Block{tweak}, []Block{x})
	return dst[0]
}

// SumN sets dst[k] = H(xs[k], tweaks[k]) for every k < len(dst); tweaks and xs
// are at least as long. dst may be one of them.
func (h *Hash) SumN(dst, tweaks, xs []Block) {
	s := hashScratches.Get().(*hashScratch)
	tweaks, xs = tweaks[:len(dst)], xs[:len(dst)]
	for len(dst) > 0 {
		n := min(hashBatch, len(dst))
		for k := range n {
			xs[k].Put(s.px[k*Size:])
		}
		h.encrypt(s.px[:n*Size])
		for k := range n {
			FromBytes(s.px[k*Size:]).Xor(tweaks[k]).Put(s.out[k*Size:])
		}
		h.encrypt(s.out[:n*Size])
		for k := range n {
			dst[k] = FromBytes(s.out[k*Size:]).Xor(FromBytes(s.px[k*Size:]))
		}
		dst, tweaks, xs = dst[n:], tweaks[n:], xs[n:]
	}
	*s = hashScratch{}
	hashScratches.Put(s)
}

// SumTweaks sets dst[k] = H(x, tweaks[k]) for every k < len(dst): one input
// under many tweaks, for little more than half the price of SumN.
func (h *Hash) SumTweaks(dst, tweaks []Block, x Block) {
	s := hashScratches.Get().(*hashScratch)
	tweaks = tweaks[:len(dst)]
	x.Put(s.px[:])
	h.encrypt(s.px[:Size])
	px := FromBytes(s.px[:])
	for len(dst) > 0 {
		n := min(hashBatch, len(dst))
		for k := range n {
			px.Xor(tweaks[k]).Put(s.out[k*Size:])
		}
		h.encrypt(s.out[:n*Size])
		for k := range n {
			dst[k] = FromBytes(s.out[k*Size:]).Xor(px)
		}
		dst, tweaks = dst[n:], tweaks[n:]
	}
	*s = hashScratch{}
	hashScratches.Put(s)
}

func (h *Hash) encrypt(b []byte) {
	for len(b) >= Size {
		h.c.Encrypt(b[:Size], b[:Size])
		b = b[Size:]
	}
}
