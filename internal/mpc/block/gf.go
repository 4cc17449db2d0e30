package block

// Mul returns the product of a and b in GF(2^128), constant-time in both.
func Mul(a, b Block) Block {
	var p product
	p.add(a, b)
	return p.reduce()
}

// InnerProduct returns Σ a[k]·b[k] in GF(2^128), reduced once at the end. It is
// constant-time in both vectors; b is at least as long as a.
func InnerProduct(a, b []Block) Block {
	b = b[:len(a)]
	var p product
	for k := range a {
		p.add(a[k], b[k])
	}
	return p.reduce()
}

// InnerProductBits returns the sum of those chi[k] whose bit k of bits is 1.
// It is constant-time in both; bits holds at least len(chi) bits.
func InnerProductBits(bits []byte, chi []Block) Block {
	_ = bits[:(len(chi)+7)/8]
	var s Block
	for k := range chi {
		m := -uint64(bits[k>>3] >> (k & 7) & 1)
		s.Lo ^= chi[k].Lo & m
		s.Hi ^= chi[k].Hi & m
	}
	return s
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

// ColumnSums returns, for each of the 128 bit columns c of rows, the element
// Σ_r rows[r].Bit(c)·chi[r]: the linear combination of the check of an OT
// extension, of all columns at once. It is constant-time in rows; chi is
// public (its bits choose table entries) and at least as long as rows.
func ColumnSums(rows, chi []Block) [128]Block {
	return columnSums(rows, chi[:len(rows)])
}
