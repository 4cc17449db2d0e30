//go:build purego || !amd64

package block

func innerProduct(a, b []Block) Block { return innerProductGeneric(a, b) }

func innerProductBits(bits []byte, chi []Block) Block { return innerProductBitsGeneric(bits, chi) }
