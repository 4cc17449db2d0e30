package block

import (
	"crypto/cipher"
	"sync"
)

// genericKey is the fixed-key hash by crypto/aes.
type genericKey struct{ c cipher.Block }

func newGenericKey(start Block) genericKey { return genericKey{newAES(start)} }

const hashBatch = 32

// hashScratch keeps the operands of the block cipher out of the garbage
// collector's way: what is passed to a cipher.Block escapes to the heap.
type hashScratch struct{ px, out [hashBatch * Size]byte }

var hashScratches = sync.Pool{New: func() any { return new(hashScratch) }}

// release wipes what a call of n hashes has written, and gives s back.
func (s *hashScratch) release(n int) {
	n = min(max(n, 1), hashBatch) * Size
	clear(s.px[:n])
	clear(s.out[:n])
	hashScratches.Put(s)
}

func (h *genericKey) sumN(dst, tweaks, xs []Block) {
	s := hashScratches.Get().(*hashScratch)
	defer s.release(len(dst))
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
}

func (h *genericKey) sumTweaks(dst, tweaks []Block, x Block) {
	s := hashScratches.Get().(*hashScratch)
	defer s.release(len(dst))
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
}

func (h *genericKey) encrypt(b []byte) {
	for len(b) >= Size {
		h.c.Encrypt(b[:Size], b[:Size])
		b = b[Size:]
	}
}
