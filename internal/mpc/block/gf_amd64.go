//go:build !purego

package block

func innerProduct(a, b []Block) (s Block) {
	switch {
	case !machine.clmul:
		return innerProductGeneric(a, b)
	case len(a) == 0:
		return Block{}
	case machine.vclmul && len(a) >= 8:
		innerProductVCLMUL(&s, &a[0], &b[0], len(a))
	default:
		innerProductCLMUL(&s, &a[0], &b[0], len(a))
	}
	return s
}

func innerProductBits(bits []byte, chi []Block) (s Block) {
	whole := len(chi) &^ 31
	if !machine.vclmul || whole == 0 {
		return innerProductBitsGeneric(bits, chi)
	}
	innerProductBitsAVX512(&s, &bits[0], &chi[0], whole/32)
	return s.Xor(innerProductBitsGeneric(bits[whole/8:], chi[whole:]))
}

// innerProductCLMUL sets dst to Σ a[k]·b[k], k < n, n ≥ 1.
//
//go:noescape
func innerProductCLMUL(dst, a, b *Block, n int)

// innerProductVCLMUL does the same.
//
//go:noescape
func innerProductVCLMUL(dst, a, b *Block, n int)

// innerProductBitsAVX512 takes 32 bits and 32 coefficients a group.
//
//go:noescape
func innerProductBitsAVX512(dst *Block, bits *byte, chi *Block, groups int)
