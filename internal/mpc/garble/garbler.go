package garble

import (
	"encoding/binary"

	"github.com/angler-dex/angler/internal/mpc/auth"
	"github.com/angler-dex/angler/internal/mpc/block"
	"github.com/angler-dex/angler/internal/mpc/circuit"
	"github.com/angler-dex/angler/internal/mpc/triple"
	"github.com/angler-dex/angler/internal/mpc/work"
)

// Sizes of the rows of one AND gate in bytes.
const (
	RowBytes  = 3 * block.Size // to a garbler, and merged to the evaluator
	HalfBytes = 3 * 8          // to the evaluator: high 64 bits
)

// Input is what garbling needs beside the circuit: the session's hash start
// point, known only after the inputs are fixed; the masks of all wires; and the
// products σ of the masks of each AND's inputs, one an AND gate in order.
type Input struct {
	Circuit       *circuit.Circuit
	Self, Parties int
	Delta, Start  block.Block
	Lambda, Sigma *auth.Shared
	Workers       int
}

// Garbler is one garbler's side. Label0 has the label for Λ = 0 of each wire.
type Garbler struct {
	in     Input
	ands   []circuit.Gate
	hash   *block.Hash
	Label0 []block.Block
	own    []block.Block // G0, G1, 0 of each AND, to which the others' rows are added
}

// NewGarbler garbles the circuit as far as the garbler itself needs it: the
// labels of all wires and its own rows. inputs are the 0-labels of the input
// wires. It takes the proof that the triples behind σ were right.
func NewGarbler(_ triple.Verified, in Input, inputs []block.Block) *Garbler {
	g := &Garbler{in: in, ands: andGates(in.Circuit), hash: block.NewHash(in.Start), Label0: make([]block.Block, in.Circuit.Wires)}
	g.own = make([]block.Block, 3*len(g.ands))
	copy(g.Label0, inputs)
	lambda, sigma := in.Lambda.Sum(in.Delta), in.Sigma.Sum(in.Delta)
	l, t := g.Label0, 0
	var x, h, tweaks [4]block.Block
	for _, gate := range in.Circuit.Gates {
		switch gate.Op {
		case circuit.XOR:
			l[gate.Out] = l[gate.A].Xor(l[gate.B])
		case circuit.NOT:
			l[gate.Out] = l[gate.A].Xor(in.Delta)
		case circuit.AND:
			a, b := l[gate.A], l[gate.B]
			x = [4]block.Block{a, a.Xor(in.Delta), b, b.Xor(in.Delta)}
			ta, tb := tweak(t, 0, in.Self, in.Self), tweak(t, 1, in.Self, in.Self)
			tweaks = [4]block.Block{ta, ta, tb, tb}
			g.hash.SumN(h[:], tweaks[:], x[:])
			g.own[3*t] = h[0].Xor(h[1]).Xor(lambda[gate.B])
			g.own[3*t+1] = h[2].Xor(h[3]).Xor(a).Xor(lambda[gate.A])
			l[gate.Out] = h[0].Xor(h[2]).Xor(sigma[t]).Xor(lambda[gate.Out])
			t++
		}
	}
	x, h = [4]block.Block{}, [4]block.Block{}
	clear(lambda)
	clear(sigma)
	return g
}

// Rows returns the rows S0, S1, S2 of every AND for each recipient: RowBytes an
// AND for a garbler, HalfBytes for the evaluator, nil for the garbler itself.
func (g *Garbler) Rows() [][]byte {
	rows := make([][]byte, g.in.Parties)
	for d := range rows {
		switch d {
		case g.in.Self:
		case 0:
			rows[d] = make([]byte, HalfBytes*len(g.ands))
		default:
			rows[d] = make([]byte, RowBytes*len(g.ands))
		}
	}
	work.Ranges(g.in.Workers, len(g.ands), 64, func(lo, hi int) {
		tweaks := make([]block.Block, g.in.Parties)
		h := make([]block.Block, 4*g.in.Parties)
		for t := lo; t < hi; t++ {
			g.row(rows, t, tweaks, h)
		}
		clear(h)
	})
	return rows
}

// row computes the rows of gate t for all recipients.
func (g *Garbler) row(rows [][]byte, t int, tweaks, h []block.Block) {
	n, gate := g.in.Parties, g.ands[t]
	a0, a1, b0, b1 := h[:n], h[n:2*n], h[2*n:3*n], h[3*n:4*n]
	a, b := g.Label0[gate.A], g.Label0[gate.B]
	setTweaks(tweaks, t, 0, g.in.Self)
	g.hash.SumTweaks(a0, tweaks, a)
	g.hash.SumTweaks(a1, tweaks, a.Xor(g.in.Delta))
	setTweaks(tweaks, t, 1, g.in.Self)
	g.hash.SumTweaks(b0, tweaks, b)
	g.hash.SumTweaks(b1, tweaks, b.Xor(g.in.Delta))
	for d := range n {
		if d == g.in.Self {
			continue
		}
		m := g.in.Lambda.M[d]
		s0 := a0[d].Xor(a1[d]).Xor(m[gate.B])
		s1 := b0[d].Xor(b1[d]).Xor(m[gate.A])
		s2 := a0[d].Xor(b0[d]).Xor(g.in.Sigma.M[d][t]).Xor(m[gate.Out])
		if d == 0 {
			r := rows[d][HalfBytes*t:]
			binary.LittleEndian.PutUint64(r, s0.Hi)
			binary.LittleEndian.PutUint64(r[8:], s1.Hi)
			binary.LittleEndian.PutUint64(r[16:], s2.Hi)
		} else {
			r := rows[d][RowBytes*t:]
			s0.Put(r)
			s1.Put(r[block.Size:])
			s2.Put(r[2*block.Size:])
		}
	}
}

// Table returns the merged rows (c0, c1, c2) of every AND, RowBytes each, for the
// evaluator: the own ones and those that each other garbler sent to this one.
func (g *Garbler) Table(others ...[]byte) []byte {
	table := make([]byte, block.Size*len(g.own))
	work.Ranges(g.in.Workers, len(g.own), 1024, func(lo, hi int) {
		for k := lo; k < hi; k++ {
			g.own[k].Put(table[block.Size*k:])
		}
		mine := table[block.Size*lo : block.Size*hi]
		for _, rows := range others {
			block.XorBytes(mine, mine, rows[block.Size*lo:])
		}
	})
	return table
}

// Destroy wipes labels and rows.
func (g *Garbler) Destroy() {
	clear(g.Label0)
	clear(g.own)
	g.in.Delta = block.Block{}
}
