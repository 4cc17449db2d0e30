//go:build !purego

package ristretto

import (
	"bytes"
)

// The encodings of ristretto.go in eight lanes: RFC 9496, section 4.3.

// decode returns the lanes that are encodings; the others are garbage.
func (p *point8) decode(b *[Lanes * Size]byte) (ok uint64) {
	var s fe8
	for k := range Lanes {
		s.set(k, b[k*Size:])
	}
	var canonical [Lanes][Size]byte
	s.bytes(&canonical)
	for k := range canonical {
		if bytes.Equal(canonical[k][:], b[k*Size:][:Size]) {
			ok |= 1 << k
		}
	}
	ok &^= feNegative(&s)

	var ss, u1, u2, u2Sq, v, t, invSqrt, denX, denY fe8
	feSquares(&ss, &s, 1)
	feSub(&u1, &one8, &ss)
	feAdd(&u2, &one8, &ss)
	feSquares(&u2Sq, &u2, 1)
	// v = −(D·u1²) − u2²
	feSquares(&v, &u1, 1)
	feMul(&v, &v, &curveD8)
	feNegate(&v, &v)
	feSub(&v, &v, &u2Sq)
	feMul(&t, &v, &u2Sq)
	ok &= feSqrtRatio(&invSqrt, &one8, &t)
	feMul(&denX, &invSqrt, &u2)
	feMul(&denY, &invSqrt, &denX)
	feMul(&denY, &denY, &v)

	feMul(&t, &s, &denX)
	feAdd(&t, &t, &t)
	feAbsolute(&p.x, &t)
	feMul(&p.y, &u1, &denY)
	p.z = one8
	feMul(&p.t, &p.x, &p.y)
	return ok &^ feNegative(&p.t) &^ feZero(&p.y)
}

func (p *point8) encode(dst *[Lanes][Size]byte) {
	var u1, u2, t, invSqrt, den1, den2, zInv fe8
	feAdd(&u1, &p.z, &p.y)
	feSub(&t, &p.z, &p.y)
	feMul(&u1, &u1, &t)
	feMul(&u2, &p.x, &p.y)
	feSquares(&t, &u2, 1)
	feMul(&t, &t, &u1)
	feSqrtRatio(&invSqrt, &one8, &t) // always a square
	feMul(&den1, &invSqrt, &u1)
	feMul(&den2, &invSqrt, &u2)
	feMul(&zInv, &den1, &den2)
	feMul(&zInv, &zInv, &p.t)

	var ix, iy, enchanted, x, y, denInv fe8
	feMul(&ix, &p.x, &sqrtM18)
	feMul(&iy, &p.y, &sqrtM18)
	feMul(&enchanted, &den1, &invSqrtAMinusD8)
	feMul(&t, &p.t, &zInv)
	rotate := feNegative(&t)
	feBlend(&x, &iy, &p.x, rotate)
	feBlend(&y, &ix, &p.y, rotate)
	feBlend(&denInv, &enchanted, &den2, rotate)

	feMul(&t, &x, &zInv)
	feNegateIf(&y, &y, feNegative(&t))
	feSub(&t, &p.z, &y)
	feMul(&t, &t, &denInv)
	feAbsolute(&t, &t)
	t.bytes(dst)
}

func (p *point8) fromUniform(b *[Lanes][UniformSize]byte) {
	var t fe8
	for k := range b {
		t.set(k, b[k][:])
	}
	p.elligator(&t)
	for k := range b {
		t.set(k, b[k][UniformSize/2:])
	}
	var q point8
	q.elligator(&t)
	var c cached8
	c.from(&q)
	p.add(p, &c)
}

// elligator is the function MAP of RFC 9496, 4.3.4.
func (p *point8) elligator(t *fe8) {
	var r, u, v, d, s, sPrime, c, n fe8
	feSquares(&r, t, 1)
	feMul(&r, &r, &sqrtM18)
	feAdd(&u, &r, &one8)
	feMul(&u, &u, &oneMinusDSq8)
	// v = (−1 − r·D)·(r + D)
	feMul(&v, &r, &curveD8)
	feSub(&v, &minusOne8, &v)
	feAdd(&d, &r, &curveD8)
	feMul(&v, &v, &d)

	square := feSqrtRatio(&s, &u, &v)
	feMul(&sPrime, &s, t)
	feAbsolute(&sPrime, &sPrime)
	feNegate(&sPrime, &sPrime)
	feBlend(&s, &s, &sPrime, square)
	feBlend(&c, &minusOne8, &r, square)

	// n = c·(r − 1)·(D − 1)² − v
	feSub(&n, &r, &one8)
	feMul(&n, &n, &c)
	feMul(&n, &n, &dMinusOneSq8)
	feSub(&n, &n, &v)

	var sq, w0, w1, w2, w3 fe8
	feSquares(&sq, &s, 1)
	feMul(&w0, &s, &v)
	feAdd(&w0, &w0, &w0)
	feMul(&w1, &n, &sqrtADMinusOne8)
	feSub(&w2, &one8, &sq)
	feAdd(&w3, &one8, &sq)
	feMul(&p.x, &w0, &w3)
	feMul(&p.y, &w2, &w1)
	feMul(&p.z, &w1, &w3)
	feMul(&p.t, &w0, &w2)
}
