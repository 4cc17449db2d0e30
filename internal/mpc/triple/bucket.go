package triple

import (
	"github.com/angler-dex/angler/internal/mpc/auth"
	"github.com/angler-dex/angler/internal/mpc/block"
)

// Gate is an AND gate as the triples see it: the wires whose masks it reads.
type Gate struct{ A, B uint32 }

// Buckets are the triples of a circuit's AND gates. Gate t takes the B leaky
// ANDs perm[tB], …, perm[tB+B−1], of which
//
//	x = ⊕ x_k, y = y_1, z = ⊕ z_k ⊕ Σ_{k≥2} d_k·x_k with d_k = y_1 ⊕ y_k opened,
//	e = λ_a ⊕ x, f = λ_b ⊕ y opened, and σ = λ_a·λ_b = z ⊕ e·y ⊕ f·x ⊕ e·f.
//
// All of it is linear, hence the same on each lane.
type Buckets struct {
	shape auth.Shape
	size  int // B
	perm  []int
	gates []Gate
	s     auth.Bits // the sum of all parties' s bits: z_k = r_k ⊕ s_k
}

// NewBuckets assigns leaky ANDs to gates by a permutation of all of them.
func NewBuckets(shape auth.Shape, size int, perm []int, gates []Gate, s auth.Bits) *Buckets {
	return &Buckets{shape: shape, size: size, perm: perm, gates: gates, s: s}
}

// PerGate is how many bits are opened a gate: d_2 … d_B, e, f.
func (b *Buckets) PerGate() int { return b.size + 1 }

// Opened is how many bits are opened in all.
func (b *Buckets) Opened() int { return b.PerGate() * len(b.gates) }

// Open writes this lane of the opened values to dst: rows is the lane of region
// A, lambda that of the wires' masks.
func (b *Buckets) Open(dst, rows, lambda []block.Block) {
	ys := rows[b.shape.Y():]
	for t, g := range b.gates {
		ks, d := b.perm[t*b.size:][:b.size], dst[t*b.PerGate():][:b.PerGate()]
		x, y := rows[ks[0]], ys[ks[0]]
		for m, k := range ks[1:] {
			d[m] = y.Xor(ys[k])
			x = x.Xor(rows[k])
		}
		d[b.size-1] = lambda[g.A].Xor(x)
		d[b.size] = lambda[g.B].Xor(y)
	}
}

// OpenBits is Open of the own bits.
func (b *Buckets) OpenBits(x, lambda auth.Bits) auth.Bits {
	dst, at := auth.NewBits(b.Opened()), b.shape.Y()
	for t, g := range b.gates {
		ks, d := b.perm[t*b.size:][:b.size], t*b.PerGate()
		sum, y := x.Get(ks[0]), x.Get(at+ks[0])
		for m, k := range ks[1:] {
			dst.Flip(d+m, y^x.Get(at+k))
			sum ^= x.Get(k)
		}
		dst.Flip(d+b.size-1, lambda.Get(int(g.A))^sum)
		dst.Flip(d+b.size, lambda.Get(int(g.B))^y)
	}
	return dst
}

// Sigma writes this lane of σ, the product of the masks of each gate's inputs.
// public are the opened values and one is the lane of the public constant 1.
// It takes the proof that the leaky ANDs were right, and the one that the
// opened values were.
func (b *Buckets) Sigma(_ Verified, _ auth.Opened, dst, rows []block.Block, public auth.Bits, one block.Block) {
	ys, rs := rows[b.shape.Y():], rows[b.shape.R():]
	for t := range b.gates {
		ks, d := b.perm[t*b.size:][:b.size], t*b.PerGate()
		e, f := public.Get(d+b.size-1), public.Get(d+b.size)
		x, z, c := rows[ks[0]], rs[ks[0]], b.s.Get(ks[0])
		for m, k := range ks[1:] {
			x = x.Xor(rows[k])
			z = z.Xor(rs[k]).Xor(rows[k].Mask(public.Get(d + m)))
			c ^= b.s.Get(k)
		}
		dst[t] = z.Xor(ys[ks[0]].Mask(e)).Xor(x.Mask(f)).Xor(one.Mask(c ^ e&f))
	}
}

// SigmaBits is Sigma of the own bits; one is 1 at the party that holds public
// constants, else 0.
func (b *Buckets) SigmaBits(_ Verified, _ auth.Opened, x, public auth.Bits, one uint64) auth.Bits {
	dst, y, r := auth.NewBits(len(b.gates)), b.shape.Y(), b.shape.R()
	for t := range b.gates {
		ks, d := b.perm[t*b.size:][:b.size], t*b.PerGate()
		e, f := public.Get(d+b.size-1), public.Get(d+b.size)
		sum, z, c := x.Get(ks[0]), x.Get(r+ks[0]), b.s.Get(ks[0])
		for m, k := range ks[1:] {
			sum ^= x.Get(k)
			z ^= x.Get(r+k) ^ x.Get(k)&public.Get(d+m)
			c ^= b.s.Get(k)
		}
		dst.Flip(t, z^x.Get(y+ks[0])&e^sum&f^one&(c^e&f))
	}
	return dst
}
