//go:build !purego

package block

import (
	"math/bits"
	"unsafe"
)

// keystream is the stream of a PRG: its key schedule is made in place, so that
// a stream for each leaf of a tree costs no memory.
type keystream struct {
	rk      roundKeys
	hi, lo  uint64     // the next counter, as a number
	rest    [Size]byte // the last left bytes of it come next
	left    int
	generic *genericStream // where the machine has no AES instructions
}

func (s *keystream) reset(seed, nonce Block) {
	if !machine.aes {
		g := new(genericStream)
		g.reset(seed, nonce)
		*s = keystream{generic: g}
		return
	}
	expandKey(&s.rk, &seed)
	s.hi, s.lo = bits.ReverseBytes64(nonce.Lo), bits.ReverseBytes64(nonce.Hi)
	s.left, s.generic = 0, nil
}

func (s *keystream) fill(b []byte) {
	if s.generic != nil {
		s.generic.fill(b)
		return
	}
	s.fillAES(b)
}

func (s *keystream) blocks(dst []Block) {
	switch {
	case s.generic != nil:
		s.generic.blocks(dst)
	case len(dst) > 0: // in memory a block is its encoding here: amd64 is little-endian
		s.fillAES(unsafe.Slice((*byte)(unsafe.Pointer(&dst[0])), len(dst)*Size))
	}
}

func (s *keystream) fillAES(b []byte) {
	n := copy(b, s.rest[Size-s.left:])
	s.left -= n
	b = b[n:]
	if n = len(b) &^ (Size - 1); n > 0 {
		s.whole(b[:n])
		b = b[n:]
	}
	if len(b) > 0 {
		s.whole(s.rest[:])
		s.left = Size - copy(b, s.rest[:])
	}
}

// whole makes len(b)/Size ≥ 1 blocks. The kernels count in the lower half of the
// counter alone: it is cut where that overflows.
func (s *keystream) whole(b []byte) {
	for len(b) > 0 {
		n := uint64(len(b) / Size)
		if s.lo != 0 {
			n = min(n, -s.lo)
		}
		if machine.vaes {
			counterVAES(&s.rk, &b[0], int(n), s.hi, s.lo)
		} else {
			counterAES(&s.rk, &b[0], int(n), s.hi, s.lo)
		}
		var carry uint64
		s.lo, carry = bits.Add64(s.lo, n, 0)
		s.hi += carry
		b = b[n*Size:]
	}
}

// counterAES and counterVAES write the encryptions of the n ≥ 1 counters from (hi,
// lo) on; lo does not overflow before the last.

//go:noescape
func counterAES(rk *roundKeys, dst *byte, n int, hi, lo uint64)

//go:noescape
func counterVAES(rk *roundKeys, dst *byte, n int, hi, lo uint64)
