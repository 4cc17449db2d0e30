package triple

import (
	"encoding/binary"

	"github.com/angler-dex/angler/internal/mpc/block"
)

// Permutation draws a uniform permutation of m things: Fisher–Yates, each index
// an unbiased one (draws of 32 bits that would favour low indices are thrown
// away).
func Permutation(m int, seed block.Block) []int {
	perm := make([]int, m)
	for k := range perm {
		perm[k] = k
	}
	d := draws{prg: block.NewPRG(seed)}
	for k := m - 1; k > 0; k-- {
		r := d.below(k + 1)
		perm[k], perm[r] = perm[r], perm[k]
	}
	return perm
}

type draws struct {
	prg  *block.PRG
	buf  [1024]byte
	left []byte
}

// below returns a uniform number less than n, 0 < n ≤ 2^32.
func (d *draws) below(n int) int {
	limit := uint64(1) << 32 / uint64(n) * uint64(n)
	for {
		if len(d.left) == 0 {
			d.prg.Fill(d.buf[:])
			d.left = d.buf[:]
		}
		v := uint64(binary.LittleEndian.Uint32(d.left))
		d.left = d.left[4:]
		if v < limit {
			return int(v % uint64(n))
		}
	}
}
