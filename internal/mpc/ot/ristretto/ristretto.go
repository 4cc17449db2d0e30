// Package ristretto is the ristretto255 group of RFC 9496, as far as the base
// OTs need it: a group of prime order 2^252 + 27742317777372353535851937790883648493
// with a canonical 32-byte encoding and a map from uniform bytes that is
// indifferentiable from a random oracle into the group.
//
// The arithmetic is that of filippo.io/edwards25519; only the encodings are
// here. All operations are constant-time but for the verdicts of Decode and
// DecodeBatch.
//
// A Batch has eight elements at once. Where the machine has AVX-512 IFMA each
// is one lane of wide registers: field (fe8), points (point8), encodings (coding8),
// all with the formulas of the scalar code. Elsewhere, and under the build tag
// purego, it is a loop over Elements; tests run on both.
package ristretto

import (
	"bytes"
	"errors"
	"math/big"

	"filippo.io/edwards25519"
	"filippo.io/edwards25519/field"
)

// Size is the length of an encoded element.
const Size = 32

// UniformSize is the length of the input of FromUniform.
const UniformSize = 64

// ErrEncoding says that bytes are not the encoding of an element.
var ErrEncoding = errors.New("not a ristretto255 encoding")

// Element is an element of the group. It is represented by one of the Edwards
// points of its coset, so elements are compared by their encodings. The zero
// value is not valid.
type Element struct{ p *edwards25519.Point }

// Constants of RFC 9496, section 4.1.
var (
	one            = new(field.Element).One()
	minusOne       = new(field.Element).Negate(one)
	curveD         = constant("37095705934669439343138083508754565189542113879843219016388785533085940283555")
	sqrtM1         = constant("19681161376707505956807079304988542015446066515923890162744021073123829784752")
	sqrtADMinusOne = constant("25063068953384623474111414158702152701244531502492656460079210482610430750235")
	invSqrtAMinusD = constant("54469307008909316920995813868745141605393597292927456921205312896311721017578")
	oneMinusDSq    = constant("1159843021668779879193775521855586647937357759715417654439879720876111806838")
	dMinusOneSq    = constant("40440834346308536858101042469323190826248399146238708352240133220865137265952")
)

func constant(decimal string) *field.Element {
	v, ok := new(big.Int).SetString(decimal, 10)
	if !ok {
		panic("ristretto: bad constant")
	}
	b := v.FillBytes(make([]byte, 32))
	for i, j := 0, 31; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	e, err := new(field.Element).SetBytes(b)
	if err != nil {
		panic(err)
	}
	return e
}

// BaseMul returns s times the generator.
func BaseMul(s *edwards25519.Scalar) Element {
	return Element{new(edwards25519.Point).ScalarBaseMult(s)}
}

// Mul returns s·e.
func (e Element) Mul(s *edwards25519.Scalar) Element {
	return Element{new(edwards25519.Point).ScalarMult(s, e.p)}
}

// Add returns e + o.
func (e Element) Add(o Element) Element { return Element{new(edwards25519.Point).Add(e.p, o.p)} }

// Sub returns e − o.
func (e Element) Sub(o Element) Element { return Element{new(edwards25519.Point).Subtract(e.p, o.p)} }

// Decode reads an encoding (RFC 9496, 4.3.1). It refuses every byte string that
// Encode does not return. The identity, 32 zero bytes, is accepted.
func Decode(b []byte) (Element, error) {
	if len(b) != Size {
		return Element{}, ErrEncoding
	}
	s, err := new(field.Element).SetBytes(b)
	if err != nil {
		return Element{}, ErrEncoding
	}
	if !bytes.Equal(s.Bytes(), b) || s.IsNegative() == 1 {
		return Element{}, ErrEncoding
	}
	ss := new(field.Element).Square(s)
	u1 := new(field.Element).Subtract(one, ss)
	u2 := new(field.Element).Add(one, ss)
	u2Sq := new(field.Element).Square(u2)

	// v = −(D·u1²) − u2²
	v := new(field.Element).Square(u1)
	v.Multiply(v, curveD).Negate(v).Subtract(v, u2Sq)

	invSqrt, wasSquare := new(field.Element).SqrtRatio(one, new(field.Element).Multiply(v, u2Sq))
	denX := new(field.Element).Multiply(invSqrt, u2)
	denY := new(field.Element).Multiply(invSqrt, denX)
	denY.Multiply(denY, v)

	x := new(field.Element).Multiply(s, denX)
	x.Add(x, x).Absolute(x)
	y := new(field.Element).Multiply(u1, denY)
	t := new(field.Element).Multiply(x, y)
	if wasSquare == 0 || t.IsNegative() == 1 || y.Equal(new(field.Element)) == 1 {
		return Element{}, ErrEncoding
	}
	p, err := new(edwards25519.Point).SetExtendedCoordinates(x, y, new(field.Element).One(), t)
	if err != nil {
		return Element{}, ErrEncoding
	}
	return Element{p}, nil
}

// Encode returns the canonical encoding (RFC 9496, 4.3.2).
func (e Element) Encode() (out [Size]byte) {
	x0, y0, z0, t0 := e.p.ExtendedCoordinates()
	tmp := new(field.Element)

	u1 := new(field.Element).Add(z0, y0)
	u1.Multiply(u1, tmp.Subtract(z0, y0))
	u2 := new(field.Element).Multiply(x0, y0)

	tmp.Square(u2)
	invSqrt, _ := new(field.Element).SqrtRatio(one, tmp.Multiply(tmp, u1)) // always a square
	den1 := new(field.Element).Multiply(invSqrt, u1)
	den2 := new(field.Element).Multiply(invSqrt, u2)
	zInv := new(field.Element).Multiply(den1, den2)
	zInv.Multiply(zInv, t0)

	ix := new(field.Element).Multiply(x0, sqrtM1)
	iy := new(field.Element).Multiply(y0, sqrtM1)
	enchanted := new(field.Element).Multiply(den1, invSqrtAMinusD)
	rotate := tmp.Multiply(t0, zInv).IsNegative()

	x := new(field.Element).Select(iy, x0, rotate)
	y := new(field.Element).Select(ix, y0, rotate)
	denInv := new(field.Element).Select(enchanted, den2, rotate)

	negative := tmp.Multiply(x, zInv).IsNegative()
	y.Select(new(field.Element).Negate(y), y, negative)

	s := new(field.Element).Subtract(z0, y)
	s.Multiply(s, denInv).Absolute(s)
	copy(out[:], s.Bytes())
	return out
}

// FromUniform maps 64 bytes to an element (RFC 9496, 4.3.4). Of uniform bytes it
// makes a uniform element, and of a random oracle's a random oracle into the
// group, about whose values nobody knows a discrete logarithm.
func FromUniform(b *[UniformSize]byte) Element {
	return elligator(b[:32]).Add(elligator(b[32:]))
}

// elligator is the function MAP of RFC 9496, 4.3.4; b is 32 bytes, of which the
// top bit is ignored.
func elligator(b []byte) Element {
	t, err := new(field.Element).SetBytes(b)
	if err != nil {
		panic(err) // the length is ours
	}
	r := new(field.Element).Square(t)
	r.Multiply(r, sqrtM1)
	u := new(field.Element).Add(r, one)
	u.Multiply(u, oneMinusDSq)
	// v = (−1 − r·D)·(r + D)
	v := new(field.Element).Multiply(r, curveD)
	v.Subtract(minusOne, v)
	v.Multiply(v, new(field.Element).Add(r, curveD))

	s, wasSquare := new(field.Element).SqrtRatio(u, v)
	sPrime := new(field.Element).Multiply(s, t)
	sPrime.Absolute(sPrime).Negate(sPrime)
	s.Select(s, sPrime, wasSquare)
	c := new(field.Element).Select(minusOne, r, wasSquare)

	// n = c·(r − 1)·(D − 1)² − v
	n := new(field.Element).Subtract(r, one)
	n.Multiply(n, c).Multiply(n, dMinusOneSq).Subtract(n, v)

	sq := new(field.Element).Square(s)
	w0 := new(field.Element).Multiply(s, v)
	w0.Add(w0, w0)
	w1 := new(field.Element).Multiply(n, sqrtADMinusOne)
	w2 := new(field.Element).Subtract(one, sq)
	w3 := new(field.Element).Add(one, sq)
	p, err := new(edwards25519.Point).SetExtendedCoordinates(
		new(field.Element).Multiply(w0, w3),
		new(field.Element).Multiply(w2, w1),
		new(field.Element).Multiply(w1, w3),
		new(field.Element).Multiply(w0, w2))
	if err != nil {
		panic(err) // MAP lands on the curve for every t
	}
	return Element{p}
}
