package ot

import (
	"fmt"

	"github.com/angler-dex/angler/internal/mpc/block"
)

// layout has the sizes of one extension: rows of all columns, and pairs of
// narrow rows, which have the first NarrowColumns columns only.
type layout struct{ k, rows, pairs int }

func newLayout(k, rows, pairs int) layout {
	if k != 1 && k != 2 && k != 4 && k != 8 || rows < 1 || pairs < 0 || rows > MaxRows || pairs > MaxRows {
		panic(fmt.Sprintf("ot: no extension with k = %d, %d rows, %d pairs", k, rows, pairs))
	}
	if pairs > 0 && (rows%8 != 0 || pairs%8 != 0) {
		panic("ot: rows and pairs that do not fill their bytes")
	}
	return layout{k, rows, pairs}
}

// NarrowColumns is how many columns narrow rows have: those of the first
// NarrowColumns/k trees, whose streams are longer for it. It is the bits of
// Choice that authenticate such a bit.
const NarrowColumns = 48

// narrowHigh is where in a block the second row of a pair begins.
const narrowHigh = 64

// narrowMask has the bits that a pair of narrow rows can have.
var narrowMask = block.Block{Lo: 1<<NarrowColumns - 1, Hi: 1<<NarrowColumns - 1}

// MaxRows bounds an extension: 2^26 rows make a message of 128 MiB at k = 8.
const MaxRows = 1 << 26

func (l layout) trees() int  { return Base / l.k }
func (l layout) leaves() int { return 1 << l.k }
func (l layout) wide() int   { return (l.rows + 7) / 8 } // bytes of a column without its narrow rows
func (l layout) narrow() int { return l.pairs / 8 }      // bytes of a column's first, or second, narrow rows

// column is the length of a column on the wire, of the columns of a tree.
func (l layout) column(tree int) int {
	if tree < NarrowColumns/l.k {
		return l.longest()
	}
	return l.wide()
}

// longest is that of the first tree's: wide rows, first and second narrow ones.
func (l layout) longest() int { return l.wide() + 2*l.narrow() }

// stride is the length of a column in memory: a multiple of 64 bytes, odd so
// that the columns of a transpose do not fall into the same sets of the cache.
func (l layout) stride() int { return ((l.longest()+63)/64 | 1) * 64 }

// lastByte masks the padding of a column's last byte.
func (l layout) lastByte() byte { return 0xff >> (-l.rows & 7) }

func (l layout) corrections() int { return l.trees() * treeCorrections(l.k) }
func (l layout) check() int {
	if l.k == 1 {
		return 0 // the leaves are the seeds: there is nothing to be consistent with
	}
	return l.trees()*leafTagSize + 32
}
func (l layout) u() int { return l.trees()*l.wide() + NarrowColumns/l.k*2*l.narrow() }

// transposePairs makes pairs of narrow rows of the columns, whose first ones lie
// behind the wide rows, followed by the second ones: these move to where the
// transpose looks for columns from narrowHigh on, a place that nothing else uses.
func (l layout) transposePairs(columns []byte) []block.Block {
	if l.pairs == 0 {
		return nil
	}
	stride, n := l.stride(), l.narrow()
	columns = columns[l.wide():]
	for c := range NarrowColumns {
		copy(columns[(narrowHigh+c)*stride:][:n], columns[c*stride+n:][:n])
	}
	pairs := make([]block.Block, l.pairs)
	block.Transpose(pairs, columns, stride, l.pairs)
	for r := range pairs {
		pairs[r] = pairs[r].And(narrowMask)
	}
	return pairs
}

// parts slices a message of the right length.
func (l layout) parts(msg []byte) (corrections, check, u []byte) {
	a, b := l.corrections(), l.corrections()+l.check()
	return msg[:a:a], msg[a:b:b], msg[b:]
}

// MessageSize returns the length of an extension's message for rows rows and
// pairs pairs of narrow ones, k being 1, 2, 4 or 8. With T = 128/k trees it is the sum of
//
//	PPRF corrections   T·(k−1)·32 bytes   0 / 2,048 / 3,072 / 3,584 for k = 1 / 2 / 4 / 8
//	PPRF check         T·32 + 32 bytes    0 for k = 1
//	u                  T·⌈rows/8⌉ + (48/k)·2·pairs/8 bytes
//
// Corrections: for each tree, for each level 2 … k: the block of the left side, the
// block of the right side. Check: t̃ of each tree (32 bytes each), then their
// digest (32). u: one column a tree, padding bits zero; that of the first 48/k trees
// goes on with the first row of each pair, and then the second.
func MessageSize(k, rows, pairs int) int {
	l := newLayout(k, rows, pairs)
	return l.corrections() + l.check() + l.u()
}
