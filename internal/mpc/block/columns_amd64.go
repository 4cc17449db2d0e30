//go:build !purego

package block

// gfniRows is how many rows the kernel takes between two looks at its 32
// registers' worth of sums.
const gfniRows = 256

func columnSums(rows, chi []Block) [128]Block {
	if !machine.gfni || len(rows) < 8 {
		return columnSumsGeneric(rows, chi)
	}
	// The kernel makes 8×8 squares: byte j of word c of line b is byte b of sum 8c+j.
	var squares [16][128]byte
	var scratch [gfniRows * 2 * Size]byte
	for len(rows) >= 8 {
		n := min(gfniRows, len(rows)&^7)
		columnSumsGFNI(&squares, &rows[0], &chi[0], n/8, &scratch)
		rows, chi = rows[n:], chi[n:]
	}
	if len(rows) > 0 {
		var r, c [8]Block
		copy(r[:], rows)
		copy(c[:], chi)
		columnSumsGFNI(&squares, &r[0], &c[0], 1, &scratch)
	}
	var sums [128]Block
	for c := range sums {
		for b := range 8 {
			sums[c].Lo |= uint64(squares[b][c]) << (8 * b)
			sums[c].Hi |= uint64(squares[8+b][c]) << (8 * b)
		}
	}
	return sums
}

// columnSumsGFNI adds to squares the products of groups groups of eight rows,
// 1 ≤ groups ≤ gfniRows/8.
//
//go:noescape
func columnSumsGFNI(squares *[16][128]byte, rows, chi *Block, groups int, scratch *[gfniRows * 2 * Size]byte)
