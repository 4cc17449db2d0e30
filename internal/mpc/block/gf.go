package block

// Mul returns the product of a and b in GF(2^128), constant-time in both.
func Mul(a, b Block) Block {
	x, y := [1]Block{a}, [1]Block{b}
	return innerProduct(x[:], y[:])
}

// InnerProduct returns Σ a[k]·b[k] in GF(2^128), reduced once at the end. It is
// constant-time in both vectors; b is at least as long as a.
func InnerProduct(a, b []Block) Block { return innerProduct(a, b[:len(a)]) }

// InnerProductBits returns the sum of those chi[k] whose bit k of bits is 1.
// It is constant-time in both; bits holds at least len(chi) bits.
func InnerProductBits(bits []byte, chi []Block) Block {
	return innerProductBits(bits[:(len(chi)+7)/8], chi)
}

// Pack returns Σ v[k]·X^k: of 128 bits that stand in the lowest coefficient it
// makes the element that has them as its coefficients.
func Pack(v []Block) Block {
	var s Block
	for k := len(v) - 1; k >= 0; k-- {
		s = s.Double().Xor(v[k])
	}
	return s
}
