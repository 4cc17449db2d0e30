//go:build !purego

package block

func transpose(dst []Block, cols []byte, stride int) {
	switch {
	case machine.gfni:
		transposeWide(dst, cols, stride)
	case machine.avx2:
		transposeNarrow(dst, cols, stride)
	default:
		transposeGeneric(dst, cols, stride)
	}
}

// gfniSquare is how many rows the GFNI kernel makes at once.
const gfniSquare = 512

func transposeWide(dst []Block, cols []byte, stride int) {
	var scratch [gfniSquare * Size]byte
	for len(dst) >= gfniSquare {
		transposeGFNI(&dst[0], &cols[0], stride, ^uint64(0), &scratch)
		dst = dst[gfniSquare:]
		if len(dst) > 0 {
			cols = cols[gfniSquare/8:]
		}
	}
	if len(dst) > 0 {
		var last [gfniSquare]Block
		transposeGFNI(&last[0], &cols[0], stride, 1<<uint((len(dst)+7)/8)-1, &scratch)
		copy(dst, last[:])
	}
}

// transposeGFNI makes gfniSquare rows of 64 bytes of each column. mask says which
// of those bytes are read, the others are taken for zero.
//
//go:noescape
func transposeGFNI(dst *Block, cols *byte, stride int, mask uint64, scratch *[gfniSquare * Size]byte)

// avx2Square is how many rows the AVX2 kernel makes at once: 64 in each lane.
const avx2Square = 256

func transposeNarrow(dst []Block, cols []byte, stride int) {
	var lo, hi [64][4]uint64
	for len(dst) >= avx2Square {
		transpose64AVX2(&lo, &cols[0], stride)
		transpose64AVX2(&hi, &cols[64*stride], stride)
		joinAVX2(&dst[0], &lo, &hi)
		dst = dst[avx2Square:]
		if len(dst) > 0 {
			cols = cols[avx2Square/8:]
		}
	}
	if len(dst) > 0 {
		transposeGeneric(dst, cols, stride)
	}
}

// transpose64AVX2 transposes 32 bytes of each of 64 columns: bit c of words[r][l]
// is bit 64l + r of column c.
//
//go:noescape
func transpose64AVX2(words *[64][4]uint64, cols *byte, stride int)

// joinAVX2 makes row 64l + r of lo[r][l] and hi[r][l].
//
//go:noescape
func joinAVX2(dst *Block, lo, hi *[64][4]uint64)
