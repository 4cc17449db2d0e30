package block

import "encoding/binary"

// transposeGeneric works on squares of 64 rows by 64 columns.
func transposeGeneric(dst []Block, cols []byte, stride int) {
	var lo, hi [64]uint64
	for len(dst) > 0 {
		if len(dst) >= 64 {
			for c := range 64 {
				lo[c] = binary.LittleEndian.Uint64(cols[c*stride:])
				hi[c] = binary.LittleEndian.Uint64(cols[(c+64)*stride:])
			}
		} else {
			n := (len(dst) + 7) / 8
			for c := range 64 {
				lo[c] = partial(cols[c*stride:][:n])
				hi[c] = partial(cols[(c+64)*stride:][:n])
			}
		}
		transpose64(&lo)
		transpose64(&hi)
		n := min(64, len(dst))
		for r := range dst[:n] {
			dst[r] = Block{lo[r], hi[r]}
		}
		dst = dst[n:]
		if len(dst) > 0 {
			cols = cols[8:]
		}
	}
}

// partial reads up to eight bytes, little-endian.
func partial(b []byte) (v uint64) {
	for k, x := range b {
		v |= uint64(x) << (8 * k)
	}
	return v
}

// transpose64 transposes a 64×64 bit matrix, bit c of word r being the entry
// at (r, c): squares of 32 swap across the diagonal, then of 16, … (Warren,
// Hacker's Delight, 7-3).
func transpose64(a *[64]uint64) {
	m := uint64(0x00000000ffffffff)
	for j := 32; j != 0; j >>= 1 {
		for base := 0; base < 64; base += 2 * j {
			x, y := a[base:base+j], a[base+j:base+2*j]
			for k := range x {
				t := (x[k]>>uint(j) ^ y[k]) & m
				x[k] ^= t << uint(j)
				y[k] ^= t
			}
		}
		m ^= m << uint(j>>1)
	}
}

// transposeSquare transposes a 128×128 bit matrix in place.
func transposeSquare(a *[128]Block) {
	var q [4][64]uint64 // the quarters: upper left, upper right, lower left, lower right
	for r := range 64 {
		q[0][r], q[1][r] = a[r].Lo, a[r].Hi
		q[2][r], q[3][r] = a[r+64].Lo, a[r+64].Hi
	}
	for k := range q {
		transpose64(&q[k])
	}
	for r := range 64 {
		a[r] = Block{q[0][r], q[2][r]}
		a[r+64] = Block{q[1][r], q[3][r]}
	}
}
