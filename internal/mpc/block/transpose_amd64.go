//go:build !purego

package block

// gfniSquare is how many rows the kernel makes at once.
const gfniSquare = 512

func transpose(dst []Block, cols []byte, stride int) {
	if !machine.gfni {
		transposeGeneric(dst, cols, stride)
		return
	}
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
