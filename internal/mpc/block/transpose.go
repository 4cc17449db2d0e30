package block

// Transpose turns 128 bit columns into rows: bit c of dst[r] is bit r of the
// column that starts at cols[c*stride], for 0 ≤ r < rows and 0 ≤ c < 128.
// dst holds at least rows blocks; each column holds at least ⌈rows/8⌉ bytes,
// and bits of it beyond rows are ignored. Constant-time in the bits.
func Transpose(dst []Block, cols []byte, stride, rows int) {
	if rows < 0 || len(dst) < rows || stride < (rows+7)/8 || len(cols) < 127*stride+(rows+7)/8 {
		panic("block: transpose out of range")
	}
	transpose(dst[:rows], cols, stride)
}
