//go:build !purego

package ristretto

import (
	"encoding/binary"

	"filippo.io/edwards25519/field"
)

// fe8 is eight elements of GF(2^255−19), a lane each: word [i][k] is limb i, of
// weight 2^(51·i), of lane k. Its bounds are those of fe8_amd64.h. Sets of lanes
// are the lowest eight bits of a word.
type fe8 [5][8]uint64

// dst may be an operand in all of them.

//go:noescape
func feMul(dst, a, b *fe8)

// feSquares squares n ≥ 1 times.
//
//go:noescape
func feSquares(dst, a *fe8, n int)

//go:noescape
func feAdd(dst, a, b *fe8)

//go:noescape
func feSub(dst, a, b *fe8)

// feFreeze makes the representative less than p.
//
//go:noescape
func feFreeze(dst, a *fe8)

// feNegative returns the lanes that are negative in the sense of RFC 9496: odd.
//
//go:noescape
func feNegative(a *fe8) (lanes uint64)

//go:noescape
func feZero(a *fe8) (lanes uint64)

// feBlend takes a in lanes and b elsewhere.
//
//go:noescape
func feBlend(dst, a, b *fe8, lanes uint64)

const limb = 1<<51 - 1

func limbs(b []byte) (l [5]uint64) {
	l[0] = binary.LittleEndian.Uint64(b) & limb
	l[1] = binary.LittleEndian.Uint64(b[6:]) >> 3 & limb
	l[2] = binary.LittleEndian.Uint64(b[12:]) >> 6 & limb
	l[3] = binary.LittleEndian.Uint64(b[19:]) >> 1 & limb
	l[4] = binary.LittleEndian.Uint64(b[24:]) >> 12 & limb
	return l
}

// set reads 32 bytes, little-endian, into a lane; the top bit is ignored and the
// number need not be less than p.
func (a *fe8) set(lane int, b []byte) {
	for i, l := range limbs(b) {
		a[i][lane] = l
	}
}

// bytes writes the canonical encodings.
func (a *fe8) bytes(dst *[Lanes][Size]byte) {
	var f fe8
	feFreeze(&f, a)
	for k := range dst {
		b := dst[k][:]
		binary.LittleEndian.PutUint64(b, f[0][k]|f[1][k]<<51)
		binary.LittleEndian.PutUint64(b[8:], f[1][k]>>13|f[2][k]<<38)
		binary.LittleEndian.PutUint64(b[16:], f[2][k]>>26|f[3][k]<<25)
		binary.LittleEndian.PutUint64(b[24:], f[3][k]>>39|f[4][k]<<12)
	}
}

// broadcast returns e in every lane.
func broadcast(e *field.Element) (a fe8) {
	b := e.Bytes()
	for k := range Lanes {
		a.set(k, b)
	}
	return a
}

var (
	one8            = broadcast(one)
	minusOne8       = broadcast(minusOne)
	curveD8         = broadcast(curveD)
	curve2D8        = broadcast(new(field.Element).Add(curveD, curveD))
	sqrtM18         = broadcast(sqrtM1)
	sqrtADMinusOne8 = broadcast(sqrtADMinusOne)
	invSqrtAMinusD8 = broadcast(invSqrtAMinusD)
	oneMinusDSq8    = broadcast(oneMinusDSq)
	dMinusOneSq8    = broadcast(dMinusOneSq)
)

func feNegate(dst, a *fe8) { feSub(dst, new(fe8), a) }

// feNegateIf negates the lanes.
func feNegateIf(dst, a *fe8, lanes uint64) {
	var n fe8
	feNegate(&n, a)
	feBlend(dst, &n, a, lanes)
}

func feAbsolute(dst, a *fe8) { feNegateIf(dst, a, feNegative(a)) }

func feEqual(a, b *fe8) (lanes uint64) {
	var d fe8
	feSub(&d, a, b)
	return feZero(&d)
}

// fePow sets dst = a^((p−5)/8) = a^(2^252 − 3): with x_n = a^(2^n − 1),
// x_{m+n} = x_m^(2^n)·x_n.
func fePow(dst, a *fe8) {
	var x1, x2, x4, x5, x10, x20, x40, x50, x100, t fe8
	join := func(d, m *fe8, n int, low *fe8) {
		feSquares(&t, m, n)
		feMul(d, &t, low)
	}
	x1 = *a
	join(&x2, &x1, 1, &x1)
	join(&x4, &x2, 2, &x2)
	join(&x5, &x4, 1, &x1)
	join(&x10, &x5, 5, &x5)
	join(&x20, &x10, 10, &x10)
	join(&x40, &x20, 20, &x20)
	join(&x50, &x40, 10, &x10)
	join(&x100, &x50, 50, &x50)
	join(&t, &x100, 100, &x100)
	join(&t, &t, 50, &x50) // x_250
	join(dst, &t, 2, &x1)  // 2^252 − 4 + 1
}

// feSqrtRatio sets dst to the nonnegative square root of u/v, or where that is
// no square, of i·u/v, and returns the lanes of the former (RFC 9496, 4.2).
func feSqrtRatio(dst, u, v *fe8) (square uint64) {
	var v2, uv3, uv7, r, check, t fe8
	feSquares(&v2, v, 1)
	feMul(&t, &v2, v)
	feMul(&uv3, u, &t)
	feSquares(&t, &v2, 1)
	feMul(&uv7, &uv3, &t)
	fePow(&t, &uv7)
	feMul(&r, &uv3, &t)
	feSquares(&t, &r, 1)
	feMul(&check, v, &t)

	var minusU, minusUI fe8
	feNegate(&minusU, u)
	feMul(&minusUI, &minusU, &sqrtM18)
	right, flipped, flippedI := feEqual(&check, u), feEqual(&check, &minusU), feEqual(&check, &minusUI)
	feMul(&t, &r, &sqrtM18)
	feBlend(&r, &t, &r, flipped|flippedI)
	feAbsolute(dst, &r)
	return right | flipped
}
