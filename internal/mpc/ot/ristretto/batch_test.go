package ristretto

import (
	"crypto/sha512"
	"encoding/hex"
	"math/rand/v2"
	"testing"

	"filippo.io/edwards25519"
)

func randScalar(t testing.TB, r *rand.Rand) *edwards25519.Scalar {
	t.Helper()
	s, err := edwards25519.NewScalar().SetUniformBytes(randBytes(r, 64))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func randBytes(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for k := range b {
		b[k] = byte(r.Uint32())
	}
	return b
}

func randUniform(r *rand.Rand) (u [Lanes][UniformSize]byte) {
	for k := range u {
		copy(u[k][:], randBytes(r, UniformSize))
	}
	return u
}

// edges are scalars at which a recoding goes wrong if it does: 0, 1, 7, 8, 9, 15, 16,
// −1, −8, and one whose every digit carries.
func edges(t testing.TB) (s []*edwards25519.Scalar) {
	for _, k := range []byte{0, 1, 7, 8, 9, 15, 16} {
		s = append(s, small(k), edwards25519.NewScalar().Negate(small(k)))
	}
	b := make([]byte, 32)
	for k := range b {
		b[k] = 0x88
	}
	b[31] = 0x08
	e, err := edwards25519.NewScalar().SetCanonicalBytes(b)
	if err != nil {
		t.Fatal(err)
	}
	return append(s, e, small(255))
}

// Each operation of a batch against that of an element, lane by lane.
func TestBatch(t *testing.T) {
	onEveryPath(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(31, 1))
		same := func(what string, b *Batch, want func(lane int) Element) {
			t.Helper()
			var got [Lanes][Size]byte
			b.Encode(&got)
			for k := range got {
				if e := want(k).Encode(); e != got[k] {
					t.Fatalf("%s, lane %d: %x, want %x", what, k, got[k], e)
				}
			}
		}
		scalars := edges(t)
		for round := range 24 {
			u, w := randUniform(r), randUniform(r)
			a, b, c := BatchFromUniform(&u), BatchFromUniform(&w), new(Batch)
			at := func(k int) Element { return FromUniform(&u[k]) }
			same("from uniform", a, at)
			c.Add(a, b)
			same("add", c, func(k int) Element { return at(k).Add(FromUniform(&w[k])) })
			c.Add(a, a)
			same("double", c, func(k int) Element { return at(k).Add(at(k)) })
			c.Sub(a, b)
			same("sub", c, func(k int) Element { return at(k).Sub(FromUniform(&w[k])) })
			c.Sub(a, a)
			same("zero", c, func(int) Element { return BaseMul(small(0)) })
			s := randScalar(t, r)
			if round < len(scalars) {
				s = scalars[round]
			}
			c.Mul(s, a)
			same("mul", c, func(k int) Element { return at(k).Mul(s) })
			c.Mul(s, c)
			same("mul in place", c, func(k int) Element { return at(k).Mul(s).Mul(s) })

			var each [Lanes]*edwards25519.Scalar
			for k := range each {
				each[k] = randScalar(t, r)
				if round < len(scalars) && k%2 == 0 {
					each[k] = scalars[(round+k)%len(scalars)]
				}
			}
			BaseTable().Mul(c, &each)
			same("generator", c, func(k int) Element { return BaseMul(each[k]) })
			NewTable(at(3)).Mul(c, &each)
			same("table", c, func(k int) Element { return at(3).Mul(each[k]) })

			var enc [Lanes][Size]byte
			a.Encode(&enc)
			d, err := DecodeBatch(join(&enc))
			if err != nil {
				t.Fatal(err)
			}
			same("decode", d, at)
			d.Add(d, b)
			same("decode and add", d, func(k int) Element { return at(k).Add(FromUniform(&w[k])) })
		}
	})
}

func join(enc *[Lanes][Size]byte) *[Lanes * Size]byte {
	var b [Lanes * Size]byte
	for k := range enc {
		copy(b[k*Size:], enc[k][:])
	}
	return &b
}

// RFC 9496, A.1 and A.2, in each lane among good ones.
func TestDecodeBatch(t *testing.T) {
	onEveryPath(t, func(t *testing.T) {
		for lane := range Lanes {
			var enc [Lanes][Size]byte
			for k := range enc {
				copy(enc[k][:], unhex(t, multiples[(lane+k)%len(multiples)]))
			}
			e, err := DecodeBatch(join(&enc))
			if err != nil {
				t.Fatal(err)
			}
			var again [Lanes][Size]byte
			if e.Encode(&again); again != enc {
				t.Fatalf("%x decodes and encodes to %x", enc, again)
			}
			for _, s := range invalid {
				bad := enc
				copy(bad[lane][:], unhex(t, s))
				if _, err := DecodeBatch(join(&bad)); err == nil {
					t.Errorf("%s was accepted in lane %d", s, lane)
				}
			}
		}
	})
}

// RFC 9496, A.3.
func TestBatchFromUniform(t *testing.T) {
	onEveryPath(t, func(t *testing.T) {
		var u [Lanes][UniformSize]byte
		for k := range u {
			u[k] = sha512.Sum512([]byte("Ristretto is traditionally a short shot of espresso coffee"))
		}
		for k, s := range []string{
			"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
			"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
			"0000000000000000000000000000000000000000000000000000000000000080ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
			"00000000000000000000000000000000000000000000000000000000000000001200000000000000000000000000000000000000000000000000000000000080",
		} {
			copy(u[2*k][:], unhex(t, s))
		}
		var got [Lanes][Size]byte
		BatchFromUniform(&u).Encode(&got)
		for k := range got {
			want := "304282791023b73128d277bdcb5c7746ef2eac08dde9f2983379cb8e5ef0517f"
			if k%2 == 1 {
				want = "3066f82a1a747d45120d1740f14358531a8f04bbffe6a819f86dfe50f44a0a46"
			}
			if hex.EncodeToString(got[k][:]) != want {
				t.Errorf("lane %d: %x", k, got[k])
			}
		}
	})
}

func FuzzDecodeBatch(f *testing.F) {
	for k, s := range append(multiples, invalid...) {
		f.Add(unhex(f, s), uint8(k))
	}
	f.Fuzz(func(t *testing.T, b []byte, lane uint8) {
		if len(b) != Size {
			return
		}
		var enc, again [Lanes][Size]byte
		copy(enc[lane%Lanes][:], b)
		_, wantErr := Decode(b)
		e, err := DecodeBatch(join(&enc))
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%x: %v, want %v", b, err, wantErr)
		}
		if err != nil {
			return
		}
		if e.Encode(&again); again != enc {
			t.Fatalf("%x decodes, and encodes to %x", enc, again)
		}
	})
}

func BenchmarkBatch(b *testing.B) {
	onEveryPathB(b, func(b *testing.B) {
		r := rand.New(rand.NewPCG(32, 1))
		u := randUniform(r)
		e, d, s := BatchFromUniform(&u), new(Batch), randScalar(b, r)
		var enc [Lanes][Size]byte
		e.Encode(&enc)
		each := [Lanes]*edwards25519.Scalar{s, s, s, s, s, s, s, s}
		table, flat := NewTable(FromUniform(&u[0])), join(&enc)
		for _, f := range []struct {
			what string
			do   func()
		}{
			{"FromUniform", func() { BatchFromUniform(&u) }},
			{"Encode", func() { e.Encode(&enc) }},
			{"Decode", func() { _, _ = DecodeBatch(flat) }},
			{"Mul", func() { d.Mul(s, e) }},
			{"TableMul", func() { table.Mul(d, &each) }},
			{"BaseMul", func() { BaseTable().Mul(d, &each) }},
			{"NewTable", func() { NewTable(FromUniform(&u[0])) }},
		} {
			b.Run(f.what, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					f.do()
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/Lanes, "ns/element")
			})
		}
	})
}
