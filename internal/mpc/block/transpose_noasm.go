//go:build purego || !amd64

package block

func transpose(dst []Block, cols []byte, stride int) { transposeGeneric(dst, cols, stride) }
