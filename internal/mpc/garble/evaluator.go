package garble

import (
	"encoding/binary"
	"errors"
	"sync/atomic"

	"github.com/angler-dex/angler/internal/mpc/auth"
	"github.com/angler-dex/angler/internal/mpc/block"
	"github.com/angler-dex/angler/internal/mpc/circuit"
	"github.com/angler-dex/angler/internal/mpc/triple"
	"github.com/angler-dex/angler/internal/mpc/work"
)

// Tables is what the evaluator receives and begins with.
type Tables struct {
	Lambda auth.Bits       // Λ of the input wires
	Labels [][]block.Block // by garbler: active labels of the input wires
	Halves [][]byte        // by garbler: its rows for the evaluator
	Rows   [][]byte        // by garbler: merged rows
	Tags   [][]byte        // by garbler: of the labels of its outputs
}

// Evaluation is a finished one: Λ and every garbler's active label of every
// wire.
type Evaluation struct {
	Lambda auth.Bits
	active []block.Block // wire-major, one block a party
	n      int
	sid    *[32]byte
}

// Of tells whether the evaluation, all of whose rows were right, is one of
// session sid.
func (e *Evaluation) Of(sid [32]byte) bool { return e != nil && e.sid != nil && *e.sid == sid }

// Active returns garbler j's active label of wire w.
func (e *Evaluation) Active(w circuit.Wire, j int) block.Block { return e.active[int(w)*e.n+j] }

// Destroy wipes labels and masked values.
func (e *Evaluation) Destroy() {
	clear(e.active)
	clear(e.Lambda)
}

// ErrRows is the one verdict of an evaluation: some row was wrong, or a tag. Which
// gate, which bit and whose row is not told, for it would tell about masks.
var ErrRows = errors.New("a garbled row is wrong")

// Evaluate runs the garbled circuit at party 0. For each AND gate with masked
// inputs Λ_a, Λ_b it takes from each garbler i
//
//	M_0[row] = H(a)⊕H(b)⊕S2⊕Λ_a·S0⊕Λ_b·S1
//
// which has to be K or K⊕Δ of the row's share, K being its own keys' sum; the
// share so authenticated enters Λ_γ. The labels of the garblers' outputs must have
// their tags. It runs to the end whatever it finds and then gives one verdict.
func Evaluate(_ triple.Verified, sid [32]byte, in Input, tb Tables) (*Evaluation, error) {
	n, c := in.Parties, in.Circuit
	e := &Evaluation{Lambda: auth.NewBits(c.Wires), active: make([]block.Block, n*c.Wires), n: n}
	v := &evaluator{in: in, tb: tb, e: e, hash: block.NewHash(in.Start), bits: make([]byte, len(tb.Halves[1])/HalfBytes)}
	for w := range c.Inputs {
		e.Lambda.Flip(w, tb.Lambda.Get(w))
		for j := 1; j < n; j++ {
			e.active[w*n+j] = tb.Labels[j][w]
		}
	}
	for _, l := range layers(c) {
		v.layer(l)
	}
	for d := 1; d < n; d++ {
		v.tags(d, tb.Tags[d])
	}
	clear(v.bits)
	if v.bad.Load() != 0 {
		e.Destroy()
		return nil, ErrRows
	}
	e.sid = &sid
	return e, nil
}

func (e *Evaluation) wire(w circuit.Wire) []block.Block { return e.active[int(w)*e.n : (int(w)+1)*e.n] }

type evaluator struct {
	in   Input
	tb   Tables
	e    *Evaluation
	hash *block.Hash
	bits []byte        // Λ of the output of each AND
	bad  atomic.Uint64 // nonzero once a row was wrong
}

// layer is gates that wait for no AND of the same or a later layer: its ANDs, which
// can be evaluated in any order, and then, in order, gates without rows.
type layer struct {
	ands []numbered
	free []circuit.Gate
}

// numbered is an AND gate and its place among them.
type numbered struct {
	circuit.Gate
	t int
}

// layers groups the gates by how many ANDs there are on the longest way to them.
func layers(c *circuit.Circuit) []layer {
	depth, all, t := make([]int, c.Wires), make([]layer, 1), 0
	for _, g := range c.Gates {
		d := depth[g.A]
		if g.Op != circuit.NOT {
			d = max(d, depth[g.B])
		}
		if g.Op == circuit.AND {
			d++
		}
		if d == len(all) {
			all = append(all, layer{})
		}
		if depth[g.Out] = d; g.Op == circuit.AND {
			all[d].ands = append(all[d].ands, numbered{g, t})
			t++
		} else {
			all[d].free = append(all[d].free, g)
		}
	}
	return all
}

// fewest is the ANDs, times parties squared, that are worth a goroutine.
const fewest = 1 << 10

// layer evaluates one.
func (v *evaluator) layer(l layer) {
	n, e := v.in.Parties, v.e
	work.Ranges(v.in.Workers, len(l.ands), 1+fewest/(n*n), func(lo, hi int) {
		r := &room{tweaks: make([]block.Block, n), h: make([]block.Block, n), sum: make([]block.Block, n)}
		for _, g := range l.ands[lo:hi] {
			v.and(g.t, g.Gate, r)
		}
		clear(r.h)
		clear(r.sum)
		v.bad.Or(r.bad)
	})
	for _, g := range l.ands {
		e.Lambda.Flip(int(g.Out), uint64(v.bits[g.t]))
	}
	for _, g := range l.free {
		out, a := e.wire(g.Out), e.wire(g.A)
		copy(out, a)
		if g.Op == circuit.XOR {
			e.Lambda.Flip(int(g.Out), e.Lambda.Get(int(g.A))^e.Lambda.Get(int(g.B)))
			block.XorInto(out, e.wire(g.B))
		} else {
			e.Lambda.Flip(int(g.Out), e.Lambda.Get(int(g.A))^1)
		}
	}
}

// room is what one goroutine needs for its gates.
type room struct {
	tweaks, h, sum []block.Block
	bad            uint64
}

// and evaluates AND gate number t.
func (v *evaluator) and(t int, g circuit.Gate, r *room) {
	n, a, b := v.in.Parties, v.e.wire(g.A), v.e.wire(g.B)
	la, lb := v.e.Lambda.Get(int(g.A)), v.e.Lambda.Get(int(g.B))
	bit := v.shareBit(t, g, la, lb) ^ la&lb
	clear(r.sum)
	for i := 1; i < n; i++ {
		setTweaks(r.tweaks, t, 0, i)
		v.hash.SumTweaks(r.h, r.tweaks, a[i])
		block.XorInto(r.sum, r.h)
		mine := r.h[0].Hi
		setTweaks(r.tweaks, t, 1, i)
		v.hash.SumTweaks(r.h, r.tweaks, b[i])
		block.XorInto(r.sum, r.h)
		mine ^= r.h[0].Hi
		bit ^= v.authenticate(t, g, i, la, lb, mine, r)
	}
	out := v.e.wire(g.Out)
	for d := 1; d < n; d++ {
		c := v.tb.Rows[d][RowBytes*t:]
		c0, c1, c2 := block.FromBytes(c), block.FromBytes(c[block.Size:]), block.FromBytes(c[2*block.Size:])
		out[d] = r.sum[d].Xor(c0.Mask(la)).Xor(c1.Xor(a[d]).Mask(lb)).Xor(c2).Xor(row(v.in.Lambda.M[d], v.in.Sigma.M[d], t, g, la, lb))
	}
	v.bits[t] = byte(bit)
}

// authenticate returns garbler i's bit of the row (Λ_a, Λ_b), given its hashes
// for the evaluator, and notes if its MAC is neither of the two possible ones.
func (v *evaluator) authenticate(t int, g circuit.Gate, i int, la, lb, mac uint64, room *room) uint64 {
	r := v.tb.Halves[i][HalfBytes*t:]
	mac ^= binary.LittleEndian.Uint64(r[16:]) ^ binary.LittleEndian.Uint64(r)&-la ^ binary.LittleEndian.Uint64(r[8:])&-lb
	key := row(v.in.Lambda.K[i], v.in.Sigma.K[i], t, g, la, lb).Hi
	zero, one := isNonzero(mac^key), isNonzero(mac^key^v.in.Delta.Hi)
	room.bad |= zero & one
	return zero
}

// row is a lane of σ ⊕ λ_γ ⊕ Λ_a·λ_b ⊕ Λ_b·λ_a.
func row(lambda, sigma []block.Block, t int, g circuit.Gate, la, lb uint64) block.Block {
	return sigma[t].Xor(lambda[g.Out]).Xor(lambda[g.B].Mask(la)).Xor(lambda[g.A].Mask(lb))
}

// shareBit is the evaluator's own share of that row.
func (v *evaluator) shareBit(t int, g circuit.Gate, la, lb uint64) uint64 {
	l := v.in.Lambda.Bits
	return v.in.Sigma.Bits.Get(t) ^ l.Get(int(g.Out)) ^ la&l.Get(int(g.B)) ^ lb&l.Get(int(g.A))
}

// isNonzero returns 1 if x ≠ 0, without a branch.
func isNonzero(x uint64) uint64 { return (x | -x) >> 63 }
