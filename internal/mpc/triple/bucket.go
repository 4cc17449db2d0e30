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
//	x = ⊕ x_k, e = λ_a ⊕ x opened, f_k = λ_b ⊕ y_k opened, g = ρ_t ⊕ (⊕ r_k) opened:
//	σ = λ_a·λ_b = Σ x_k·(y_k ⊕ f_k) ⊕ e·λ_b = ρ_t ⊕ g ⊕ (⊕ s_k) ⊕ Σ f_k·x_k ⊕ e·λ_b.
//
// All of it is linear, hence the same on each lane. y_k and r_k occur in opened
// values only, whose MACs have 48 bits; ρ_t, one fresh bit a gate, has a full MAC.
type Buckets struct {
	shape auth.Shape
	size  int // B
	perm  []int
	gates []Gate
	s     auth.Bits // the sum of all parties' s bits: x_k·y_k = r_k ⊕ s_k
}

// NewBuckets assigns leaky ANDs to gates by a permutation of all of them.
func NewBuckets(shape auth.Shape, size int, perm []int, gates []Gate, s auth.Bits) *Buckets {
	return &Buckets{shape: shape, size: size, perm: perm, gates: gates, s: s}
}

// PerGate is how many bits are opened a gate for buckets of size leaky ANDs: f_1 … f_B, e, g.
func PerGate(size int) int { return size + 2 }

// Opened is how many bits are opened in all.
func (b *Buckets) Opened() int { return PerGate(b.size) * len(b.gates) }

// Open writes this lane of the opened values to dst, in the window,
// auth.NarrowBytes each: rows and narrow are the lanes of region A, lambda that of the
// wires' masks.
func (b *Buckets) Open(dst []byte, rows, narrow, lambda []block.Block) {
	rho := rows[b.shape.Rho():]
	for t, gate := range b.gates {
		e, f, g := lambda[gate.A].Lo, lambda[gate.B].Lo, rho[t].Lo
		for _, k := range b.perm[t*b.size:][:b.size] {
			yr := narrow[k]
			e ^= rows[k].Lo
			g ^= yr.Hi
			auth.PutNarrow(dst, f^yr.Lo)
			dst = dst[auth.NarrowBytes:]
		}
		auth.PutNarrow(dst, e)
		auth.PutNarrow(dst[auth.NarrowBytes:], g)
		dst = dst[2*auth.NarrowBytes:]
	}
}

// OpenBits is Open of the own bits.
func (b *Buckets) OpenBits(a *auth.A, lambda auth.Bits) auth.Bits {
	dst, rho, at := auth.NewBits(b.Opened()), b.shape.Rho(), 0
	for t, gate := range b.gates {
		e, f, g := lambda.Get(int(gate.A)), lambda.Get(int(gate.B)), a.X.Get(rho+t)
		for _, k := range b.perm[t*b.size:][:b.size] {
			e ^= a.X.Get(k)
			g ^= a.R.Get(k)
			dst.Flip(at, f^a.Y.Get(k))
			at++
		}
		dst.Flip(at, e)
		dst.Flip(at+1, g)
		at += 2
	}
	return dst
}

// constant is what is public of σ of gate t: g ⊕ (⊕ s_k).
func (b *Buckets) constant(t int, public auth.Bits) uint64 {
	c := public.Get((t+1)*PerGate(b.size) - 1)
	for _, k := range b.perm[t*b.size:][:b.size] {
		c ^= b.s.Get(k)
	}
	return c
}

// Sigma writes this lane of σ, the product of the masks of each gate's inputs.
// public are the opened values and one is the lane of the public constant 1.
// It takes the proof that the leaky ANDs were right, and the one that the
// opened values were.
func (b *Buckets) Sigma(_ Verified, _ auth.Opened, dst, rows, lambda []block.Block, public auth.Bits, one block.Block) {
	rho, at := rows[b.shape.Rho():], 0
	for t, gate := range b.gates {
		sum := rho[t]
		for _, k := range b.perm[t*b.size:][:b.size] {
			sum = sum.Xor(rows[k].Mask(public.Get(at)))
			at++
		}
		sum = sum.Xor(lambda[gate.B].Mask(public.Get(at)))
		at += 2
		if one != (block.Block{}) { // who holds the public constants is known
			sum = sum.Xor(one.Mask(b.constant(t, public)))
		}
		dst[t] = sum
	}
}

// SigmaBits is Sigma of the own bits; one is 1 at the party that holds public
// constants, else 0.
func (b *Buckets) SigmaBits(_ Verified, _ auth.Opened, x, lambda, public auth.Bits, one uint64) auth.Bits {
	dst, rho, at := auth.NewBits(len(b.gates)), b.shape.Rho(), 0
	for t, gate := range b.gates {
		sum := x.Get(rho + t)
		for _, k := range b.perm[t*b.size:][:b.size] {
			sum ^= x.Get(k) & public.Get(at)
			at++
		}
		sum ^= lambda.Get(int(gate.B)) & public.Get(at)
		at += 2
		dst.Flip(t, sum^one&b.constant(t, public))
	}
	return dst
}
