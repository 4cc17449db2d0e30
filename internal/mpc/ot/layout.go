package ot

import "fmt"

// layout has the sizes of one extension.
type layout struct{ k, rows int }

func newLayout(k, rows int) layout {
	if k != 1 && k != 2 && k != 4 && k != 8 || rows < 1 || rows > MaxRows {
		panic(fmt.Sprintf("ot: no extension with k = %d, %d rows", k, rows))
	}
	return layout{k, rows}
}

// MaxRows bounds an extension: 2^26 rows make a message of 128 MiB at k = 8.
const MaxRows = 1 << 26

func (l layout) trees() int  { return Base / l.k }
func (l layout) leaves() int { return 1 << l.k }
func (l layout) column() int { return (l.rows + 7) / 8 } // bytes of a column on the wire

// stride is the length of a column in memory: a multiple of 64 bytes, odd so
// that the columns of a transpose do not fall into the same sets of the cache.
func (l layout) stride() int { return ((l.column()+63)/64 | 1) * 64 }

// lastByte masks the padding of a column's last byte.
func (l layout) lastByte() byte { return 0xff >> (-l.rows & 7) }

func (l layout) corrections() int { return l.trees() * treeCorrections(l.k) }
func (l layout) check() int {
	if l.k == 1 {
		return 0 // the leaves are the seeds: there is nothing to be consistent with
	}
	return l.trees()*leafTagSize + 32
}
func (l layout) u() int { return l.trees() * l.column() }

// parts slices a message of the right length.
func (l layout) parts(msg []byte) (corrections, check, u []byte) {
	a, b := l.corrections(), l.corrections()+l.check()
	return msg[:a:a], msg[a:b:b], msg[b:]
}

// MessageSize returns the length of an extension's message for rows rows, k
// being 1, 2, 4 or 8. With T = 128/k trees it is the sum of
//
//	PPRF corrections   T·(k−1)·32 bytes   0 / 2,048 / 3,072 / 3,584 for k = 1 / 2 / 4 / 8
//	PPRF check         T·32 + 32 bytes    0 for k = 1
//	u                  T·⌈rows/8⌉ bytes
//
// Corrections: for each tree, for each level 2 … k: the block of the left side, the
// block of the right side. Check: t̃ of each tree (32 bytes each), then their
// digest (32). u: one column a tree, padding bits zero.
func MessageSize(k, rows int) int {
	l := newLayout(k, rows)
	return l.corrections() + l.check() + l.u()
}
