package block

import "math/bits"

// product is an unreduced sum of products in Karatsuba form: lo + mid·X^64 +
// hi·X^128, each a sum of 64×64 carry-less products, where mid still contains
// lo and hi.
type product struct{ lo, mid, hi Block }

func (p *product) add(a, b Block) {
	l0, l1 := clmul(a.Lo, b.Lo)
	h0, h1 := clmul(a.Hi, b.Hi)
	m0, m1 := clmul(a.Lo^a.Hi, b.Lo^b.Hi)
	p.lo.Lo ^= l0
	p.lo.Hi ^= l1
	p.hi.Lo ^= h0
	p.hi.Hi ^= h1
	p.mid.Lo ^= m0
	p.mid.Hi ^= m1
}

func (p *product) reduce() Block {
	m0 := p.mid.Lo ^ p.lo.Lo ^ p.hi.Lo
	m1 := p.mid.Hi ^ p.lo.Hi ^ p.hi.Hi
	r0, r1, r2, r3 := p.lo.Lo, p.lo.Hi^m0, p.hi.Lo^m1, p.hi.Hi
	// X^128 = X^7+X^2+X+1: word 3 folds into words 1 and 2, then word 2 (with
	// what came into it) into words 0 and 1.
	r1 ^= r3 ^ r3<<1 ^ r3<<2 ^ r3<<7
	r2 ^= r3>>63 ^ r3>>62 ^ r3>>57
	r0 ^= r2 ^ r2<<1 ^ r2<<2 ^ r2<<7
	r1 ^= r2>>63 ^ r2>>62 ^ r2>>57
	return Block{r0, r1}
}

// clmul returns the 128-bit carry-less product of a and b by integer
// multiplications of operands with three zero bits between any two bits that
// may be set (T. Pornin, BearSSL, ghash_ctmul64.c). Bits of the true product
// then lie four apart, and each is the lowest bit of a count of at most as many
// terms as an operand has. 60 bits of a give 15 terms, so no count reaches the
// next one; the other four bits of a are added by shifts.
func clmul(a, b uint64) (lo, hi uint64) {
	const (
		m0 = 0x1111111111111111
		m1 = m0 << 1
		m2 = m0 << 2
		m3 = m0 << 3
	)
	a0, a1, a2, a3 := a&(m0>>4), a&(m1>>4), a&(m2>>4), a&(m3>>4)
	b0, b1, b2, b3 := b&m0, b&m1, b&m2, b&m3

	h0, l0 := bits.Mul64(a0, b0)
	h1, l1 := bits.Mul64(a1, b3)
	h2, l2 := bits.Mul64(a2, b2)
	h3, l3 := bits.Mul64(a3, b1)
	lo = (l0 ^ l1 ^ l2 ^ l3) & m0
	hi = (h0 ^ h1 ^ h2 ^ h3) & m0

	h0, l0 = bits.Mul64(a0, b1)
	h1, l1 = bits.Mul64(a1, b0)
	h2, l2 = bits.Mul64(a2, b3)
	h3, l3 = bits.Mul64(a3, b2)
	lo |= (l0 ^ l1 ^ l2 ^ l3) & m1
	hi |= (h0 ^ h1 ^ h2 ^ h3) & m1

	h0, l0 = bits.Mul64(a0, b2)
	h1, l1 = bits.Mul64(a1, b1)
	h2, l2 = bits.Mul64(a2, b0)
	h3, l3 = bits.Mul64(a3, b3)
	lo |= (l0 ^ l1 ^ l2 ^ l3) & m2
	hi |= (h0 ^ h1 ^ h2 ^ h3) & m2

	h0, l0 = bits.Mul64(a0, b3)
	h1, l1 = bits.Mul64(a1, b2)
	h2, l2 = bits.Mul64(a2, b1)
	h3, l3 = bits.Mul64(a3, b0)
	lo |= (l0 ^ l1 ^ l2 ^ l3) & m3
	hi |= (h0 ^ h1 ^ h2 ^ h3) & m3

	t := -(a >> 60 & 1)
	lo ^= b << 60 & t
	hi ^= b >> 4 & t
	t = -(a >> 61 & 1)
	lo ^= b << 61 & t
	hi ^= b >> 3 & t
	t = -(a >> 62 & 1)
	lo ^= b << 62 & t
	hi ^= b >> 2 & t
	t = -(a >> 63)
	lo ^= b << 63 & t
	hi ^= b >> 1 & t
	return lo, hi
}

func innerProductGeneric(a, b []Block) Block {
	var p product
	for k := range a {
		p.add(a[k], b[k])
	}
	return p.reduce()
}

func innerProductBitsGeneric(bits []byte, chi []Block) Block {
	var s Block
	for k := range chi {
		m := -uint64(bits[k>>3] >> (k & 7) & 1)
		s.Lo ^= chi[k].Lo & m
		s.Hi ^= chi[k].Hi & m
	}
	return s
}
