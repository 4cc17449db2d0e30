package block

import (
	"crypto/subtle"
	"encoding/binary"
)

// Size is the length of an encoded block in bytes.
const Size = 16

// Block is 128 bits: bit k < 64 is bit k of Lo, bit 64+k is bit k of Hi. As an
// element of GF(2^128) modulo X^128+X^7+X^2+X+1, bit k is the coefficient of
// X^k.
type Block struct{ Lo, Hi uint64 }

// Xor returns a ⊕ b, which is also their sum in GF(2^128).
func (a Block) Xor(b Block) Block { return Block{a.Lo ^ b.Lo, a.Hi ^ b.Hi} }

// And returns the bitwise conjunction.
func (a Block) And(b Block) Block { return Block{a.Lo & b.Lo, a.Hi & b.Hi} }

// IsZero tells whether all bits are zero, in constant time.
func (a Block) IsZero() bool { return a.Equal(Block{}) }

// Equal compares in constant time.
func (a Block) Equal(b Block) bool {
	d := (a.Lo ^ b.Lo) | (a.Hi ^ b.Hi)
	return (d|-d)>>63 == 0
}

// Bit returns bit k, 0 ≤ k < 128, as 0 or 1. The index is public.
func (a Block) Bit(k int) uint64 {
	if k < 64 {
		return a.Lo >> uint(k) & 1
	}
	return a.Hi >> uint(k-64) & 1
}

// LSB returns bit 0 as 0 or 1.
func (a Block) LSB() uint64 { return a.Lo & 1 }

// Mask returns a if bit is 1 and zero if it is 0, without a branch. Only the
// lowest bit of bit counts.
func (a Block) Mask(bit uint64) Block {
	m := -(bit & 1)
	return Block{a.Lo & m, a.Hi & m}
}

// Double returns a·X in GF(2^128).
func (a Block) Double() Block {
	carry := -(a.Hi >> 63)
	return Block{a.Lo<<1 ^ carry&0x87, a.Hi<<1 | a.Lo>>63}
}

// FromBytes reads a block from the first 16 bytes of b, little-endian.
func FromBytes(b []byte) Block {
	_ = b[15]
	return Block{binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])}
}

// Bytes returns the little-endian encoding.
func (a Block) Bytes() (b [Size]byte) {
	a.Put(b[:])
	return b
}

// Append appends the little-endian encoding to dst.
func (a Block) Append(dst []byte) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, a.Lo)
	return binary.LittleEndian.AppendUint64(dst, a.Hi)
}

// Put writes the little-endian encoding to the first 16 bytes of dst.
func (a Block) Put(dst []byte) {
	_ = dst[15]
	binary.LittleEndian.PutUint64(dst, a.Lo)
	binary.LittleEndian.PutUint64(dst[8:], a.Hi)
}

// XorInto sets dst[k] = dst[k] ⊕ src[k] for every k; src is at least as long
// as dst.
func XorInto(dst, src []Block) {
	src = src[:len(dst)]
	for k := range dst {
		dst[k].Lo ^= src[k].Lo
		dst[k].Hi ^= src[k].Hi
	}
}

// XorBytes sets dst[k] = a[k] ⊕ b[k] for every k < len(dst); a and b are at
// least as long as dst. The slices are equal or do not overlap.
func XorBytes(dst, a, b []byte) {
	subtle.XORBytes(dst, a[:len(dst)], b[:len(dst)])
}
