package auth

// Bits is a packed vector of bits: bit k is bit k%8 of byte k/8.
type Bits []byte

// NewBits returns n zero bits.
func NewBits(n int) Bits { return make(Bits, (n+7)/8) }

// Get returns bit k as 0 or 1.
func (b Bits) Get(k int) uint64 { return uint64(b[k>>3]>>(k&7)) & 1 }

// Flip adds the lowest bit of v to bit k.
func (b Bits) Flip(k int, v uint64) { b[k>>3] ^= byte(v&1) << (k & 7) }

// Padded tells whether b has exactly the length of n bits and nothing but
// zeros beyond them.
func (b Bits) Padded(n int) bool {
	return len(b) == (n+7)/8 && (n%8 == 0 || b[len(b)-1]>>(n%8) == 0)
}
