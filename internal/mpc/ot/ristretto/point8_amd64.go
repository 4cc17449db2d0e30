//go:build !purego

package ristretto

import "filippo.io/edwards25519"

// Points of edwards25519 in eight lanes; formulas and coordinates are those of
// filippo.io/edwards25519 (Hisil, Wong, Carter, Dawson, eprint 2008/522).

// point8 is in extended coordinates: x = X/Z, y = Y/Z, xy = T/Z.
type point8 struct{ x, y, z, t fe8 }

// cached8 is the form of a summand: Y+X, Y−X, Z, 2d·T.
type cached8 struct{ plus, minus, z, t2d fe8 }

// cached is one lane of a cached8.
type cached [4][5]uint64

// selectLanes takes, in each lane, the multiple of the digit −8 … 8 from the
// multiples 1 … 8 of that lane's point.
//
//go:noescape
func selectLanes(dst *cached8, table *[8]cached8, digits *[Lanes]int64)

// selectShared does so with the same multiples for all lanes.
//
//go:noescape
func selectShared(dst *cached8, table *[8]cached, digits *[Lanes]int64)

func (c *cached8) from(p *point8) {
	feAdd(&c.plus, &p.y, &p.x)
	feSub(&c.minus, &p.y, &p.x)
	c.z = p.z
	feMul(&c.t2d, &p.t, &curve2D8)
}

func (c *cached8) negate() {
	c.plus, c.minus = c.minus, c.plus
	feNegate(&c.t2d, &c.t2d)
}

// add sets p = a + c.
func (p *point8) add(a *point8, c *cached8) {
	var pp, mm, tt, zz, x, y, z, t fe8
	feAdd(&pp, &a.y, &a.x)
	feMul(&pp, &pp, &c.plus)
	feSub(&mm, &a.y, &a.x)
	feMul(&mm, &mm, &c.minus)
	feMul(&tt, &a.t, &c.t2d)
	feMul(&zz, &a.z, &c.z)
	feAdd(&zz, &zz, &zz)
	feSub(&x, &pp, &mm)
	feAdd(&y, &pp, &mm)
	feAdd(&z, &zz, &tt)
	feSub(&t, &zz, &tt)
	p.complete(&x, &y, &z, &t)
	feMul(&p.t, &x, &y)
}

// complete sets p, but for its T, to the point that is (x/z, y/t).
func (p *point8) complete(x, y, z, t *fe8) {
	feMul(&p.x, x, t)
	feMul(&p.y, y, z)
	feMul(&p.z, z, t)
}

// double sets p = 2^n·p, n ≥ 1; only the last of n doublings makes T.
func (p *point8) double(n int) {
	var xx, yy, zz, x, y, z, t fe8
	for range n {
		feSquares(&xx, &p.x, 1)
		feSquares(&yy, &p.y, 1)
		feSquares(&zz, &p.z, 1)
		feAdd(&zz, &zz, &zz)
		feAdd(&x, &p.x, &p.y)
		feSquares(&x, &x, 1)
		feAdd(&y, &yy, &xx)
		feSub(&z, &yy, &xx)
		feSub(&x, &x, &y)
		feSub(&t, &zz, &z)
		p.complete(&x, &y, &z, &t)
	}
	feMul(&p.t, &x, &y)
}

func (p *point8) identity() { *p = point8{y: one8, z: one8} }

// signed16 writes s as Σ d[i]·16^i, −8 ≤ d[i] ≤ 8; s < 2^253.
func signed16(s *edwards25519.Scalar) (d [64]int64) {
	for i, b := range s.Bytes() {
		d[2*i], d[2*i+1] = int64(b&15), int64(b>>4)
	}
	for i := range 63 {
		carry := (d[i] + 8) >> 4
		d[i] -= carry << 4
		d[i+1] += carry
	}
	return d
}

// mul sets p = s·a in each lane: windows of four bits.
func (p *point8) mul(s *edwards25519.Scalar, a *point8) {
	var multiples [8]cached8
	q := *a
	multiples[0].from(&q)
	for k := 1; k < 8; k++ {
		q.add(a, &multiples[k-1])
		multiples[k].from(&q)
	}
	d := signed16(s)
	var c cached8
	p.identity()
	for i := 63; i >= 0; i-- {
		if i < 63 {
			p.double(4)
		}
		digits := [Lanes]int64{d[i], d[i], d[i], d[i], d[i], d[i], d[i], d[i]}
		selectLanes(&c, &multiples, &digits)
		p.add(p, &c)
	}
	clear(d[:])
}

// table8 has m·256^i·P at [i][m−1].
type table8 [32][8]cached

func newTable8(p *edwards25519.Point) *table8 {
	t := new(table8)
	p = new(edwards25519.Point).Set(p)
	for i := range t {
		q := new(edwards25519.Point).Set(p)
		for m := range t[i] {
			if m > 0 {
				q.Add(q, p)
			}
			t[i][m] = newCached(q)
		}
		p.Set(q) // 8·P
		for range 5 {
			p.Double(p)
		}
	}
	return t
}

func newCached(p *edwards25519.Point) cached {
	x, y, z, t := p.ExtendedCoordinates()
	t.Multiply(t, curveD)
	t.Add(t, t)
	plus, minus := *y, *y
	plus.Add(y, x)
	minus.Subtract(y, x)
	return cached{limbs(plus.Bytes()), limbs(minus.Bytes()), limbs(z.Bytes()), limbs(t.Bytes())}
}

// mul sets lane k of p to s[k]·P: the odd digits, times 16, and the even ones.
func (t *table8) mul(p *point8, s *[Lanes]*edwards25519.Scalar) {
	var digits [64][Lanes]int64
	for k := range s {
		for i, d := range signed16(s[k]) {
			digits[i][k] = d
		}
	}
	var c cached8
	p.identity()
	for i := 1; i < 64; i += 2 {
		selectShared(&c, &t[i/2], &digits[i])
		p.add(p, &c)
	}
	p.double(4)
	for i := 0; i < 64; i += 2 {
		selectShared(&c, &t[i/2], &digits[i])
		p.add(p, &c)
	}
	clear(digits[:])
}
