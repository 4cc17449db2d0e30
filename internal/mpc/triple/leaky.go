package triple

import (
	"github.com/angler-dex/angler/internal/mpc/auth"
	"github.com/angler-dex/angler/internal/mpc/block"
	"github.com/angler-dex/angler/internal/mpc/oracle"
	"github.com/angler-dex/angler/internal/mpc/work"
)

// chunk is how many leaky ANDs are worked on at once: a multiple of 8, so that
// chunks share no byte of packed bits, and few enough to stay in the cache.
const chunk = 512

// Leaky is one party's side of the leaky ANDs. For each of them, with x, y, r
// three authenticated random bits,
//
//	φ_i  = ⊕_{j≠i} (K_i[y^j] ⊕ M_j[y^i]) ⊕ y^i·Δ_i ⊕ zero_i
//	G_ij = H(K_i[x^j]) ⊕ H(K_i[x^j] ⊕ Δ_i) ⊕ φ_i              sent to j
//	S_i  = ⊕_{j≠i} (H(K_i[x^j]) ⊕ H(M_j[x^i]) ⊕ x^i·G_ji ⊕ K_i[r^j] ⊕ M_j[r^i])
//	       ⊕ x^i·φ_i ⊕ r^i·Δ_i
//	s_i  = LSB(S_i), s = ⊕ s_i, z = r ⊕ s
//
// all in the window of 48 bits. ⊕_i S_i = (xy ⊕ r)·⊕Δ_i, and LSB(⊕Δ_i) = 1, so
// s = xy ⊕ r and z = xy.
type Leaky struct {
	sid     [32]byte
	self    int
	workers int
	a       *auth.A
	delta   uint64 // the window of Δ
	full    block.Block
	phi     []uint64      // zero shares, then φ
	s       []uint64      // S_i
	ours    []*block.Hash // by peer j: Δ holder self, bit holder j
	theirs  []*block.Hash // by peer j: Δ holder j, bit holder self
}

// NewLeaky starts the leaky ANDs of region a. start gives the start point of
// the hash for an ordered pair (Δ holder, bit holder); it must not be known
// before all bits of the pair are fixed. zero holds one zero share a leaky AND.
func NewLeaky(sid [32]byte, a *auth.A, delta block.Block, zero []uint64, start func(holder, bits int) block.Block, workers int) *Leaky {
	n := len(a.Shapes)
	l := &Leaky{sid: sid, self: a.Self, workers: workers, a: a, delta: delta.Lo & window, full: delta, phi: zero, s: make([]uint64, len(zero)),
		ours: make([]*block.Hash, n), theirs: make([]*block.Hash, n)}
	for j := range n {
		if j != a.Self {
			l.ours[j] = block.NewHash(start(a.Self, j))
			l.theirs[j] = block.NewHash(start(j, a.Self))
		}
	}
	return l
}

// scratch is what one worker needs for a chunk.
type scratch struct{ tweaks, in, out [chunk]block.Block }

// Rows returns the rows G_ij for each peer j, 6 bytes a leaky AND.
func (l *Leaky) Rows() [][]byte {
	rows := make([][]byte, len(l.a.Shapes))
	for j := range rows {
		if j != l.self {
			rows[j] = make([]byte, WindowBytes*len(l.phi))
		}
	}
	work.Ranges(l.workers, len(l.phi), chunk, func(lo, hi int) {
		sc := new(scratch)
		l.makePhi(lo, hi)
		for j := range rows {
			if j != l.self {
				l.rowsFor(j, rows[j], lo, hi, sc)
			}
		}
		*sc = scratch{}
	})
	return rows
}

// makePhi adds to the zero shares in φ what makes φ_i of them.
func (l *Leaky) makePhi(lo, hi int) {
	phi := l.phi[lo:hi]
	for j := range l.a.M {
		if j == l.self {
			continue
		}
		m, k := l.a.NarrowM[j][lo:hi], l.a.NarrowK[j][lo:hi]
		for t := range phi {
			phi[t] ^= m[t].Lo ^ k[t].Lo
		}
	}
	for t := range phi {
		phi[t] = (phi[t] ^ l.delta&-l.a.Y.Get(lo+t)) & window
	}
}

// rowsFor computes G_ij of a chunk and starts S_i with H(K_i[x^j]).
func (l *Leaky) rowsFor(j int, row []byte, lo, hi int, sc *scratch) {
	n := hi - lo
	keys := l.a.K[j][lo:hi] // x stands first
	tweaks, in, out := sc.tweaks[:n], sc.in[:n], sc.out[:n]
	fillTweaks(tweaks, lo, l.self, j)
	l.ours[j].SumN(out, tweaks, keys)
	for t := range in {
		in[t] = keys[t].Xor(l.full)
		l.s[lo+t] ^= out[t].Lo
		auth.PutNarrow(row[WindowBytes*(lo+t):], out[t].Lo^l.phi[lo+t])
	}
	l.ours[j].SumN(out, tweaks, in)
	for t := range out {
		g := auth.GetNarrow(row[WindowBytes*(lo+t):])
		auth.PutNarrow(row[WindowBytes*(lo+t):], g^out[t].Lo)
	}
}

// Receive takes the rows G_ji of each peer j, their length and hashes having
// been checked, completes S_i and returns the bits s_i.
func (l *Leaky) Receive(rows [][]byte) auth.Bits {
	bits := auth.NewBits(len(l.s))
	work.Ranges(l.workers, len(l.s), chunk, func(lo, hi int) {
		sc := new(scratch)
		s := l.s[lo:hi]
		for j := range rows {
			if j == l.self {
				continue
			}
			n, macs := hi-lo, l.a.M[j][lo:hi]
			m, k := l.a.NarrowM[j][lo:hi], l.a.NarrowK[j][lo:hi]
			fillTweaks(sc.tweaks[:n], lo, j, l.self)
			l.theirs[j].SumN(sc.out[:n], sc.tweaks[:n], macs)
			for t := range s {
				g := auth.GetNarrow(rows[j][WindowBytes*(lo+t):])
				s[t] ^= sc.out[t].Lo ^ g&-l.a.X.Get(lo+t) ^ m[t].Hi ^ k[t].Hi
			}
		}
		for t := range s {
			s[t] = (s[t] ^ l.phi[lo+t]&-l.a.X.Get(lo+t) ^ l.delta&-l.a.R.Get(lo+t)) & window
			bits.Flip(lo+t, s[t])
		}
		*sc = scratch{}
	})
	return bits
}

// Alpha returns α_i = Σ_k χ_k·T_k ⊕ zero, with T_k = S_k ⊕ s_k·Δ_i and
// χ = RO(coin, hashes of the rows, every party's s bits) over GF(2^128). sum is
// the XOR of all parties' s bits; the sum of all α_i is zero if every triple is
// right. χ must depend on every s: a cheat who knew it could lie in s where
// Σχ = 0. What seed hashes is the caller's: see Coefficients.
func (l *Leaky) Alpha(seed block.Block, sum auth.Bits, zero block.Block) block.Block {
	chi, t := make([]block.Block, chunk), make([]block.Block, chunk)
	prg, alpha := block.NewPRG(seed), zero
	for lo := 0; lo < len(l.s); lo += chunk {
		n := min(chunk, len(l.s)-lo)
		prg.Blocks(chi[:n])
		for k := range n {
			t[k] = block.Block{Lo: l.s[lo+k] ^ l.delta&-sum.Get(lo+k)}
		}
		alpha = alpha.Xor(block.InnerProduct(t[:n], chi))
	}
	clear(t)
	return alpha
}

// Coefficients returns the seed of χ, bound to everything that a cheat could
// still choose by it: the coin, the hashes of all rows, every party's s bits.
func Coefficients(sid, coin [32]byte, rowHashes, s [][]byte) block.Block {
	parts := [][]byte{sid[:], coin[:]}
	parts = append(parts, rowHashes...)
	return oracle.Seed("chi alpha", append(parts, s...)...)
}

// Destroy wipes what the leaky ANDs hold of their own.
func (l *Leaky) Destroy() {
	clear(l.phi)
	clear(l.s)
	l.full, l.delta = block.Block{}, 0
}

// leakyTweak keeps the tweaks of leaky ANDs apart from all others.
const leakyTweak = 1 << 32

func fillTweaks(tweaks []block.Block, lo, holder, bits int) {
	pair := leakyTweak | uint64(holder)<<16 | uint64(bits)
	for t := range tweaks {
		tweaks[t] = block.Block{Lo: uint64(lo + t), Hi: pair}
	}
}
