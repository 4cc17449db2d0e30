package garble_test

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/angler-dex/angler/internal/mpc/auth"
	"github.com/angler-dex/angler/internal/mpc/block"
	"github.com/angler-dex/angler/internal/mpc/circuit"
	"github.com/angler-dex/angler/internal/mpc/circuit/circuittest"
	"github.com/angler-dex/angler/internal/mpc/garble"
	"github.com/angler-dex/angler/internal/mpc/mpctest"
	"github.com/angler-dex/angler/internal/mpc/triple"
)

var sid = [32]byte{'g'}

// setup is a garbled circuit whose masks and products a dealer has shared.
type setup struct {
	c        *circuit.Circuit
	n        int
	deltas   []block.Block
	values   []bool // of all wires, in clear
	lambda   []bool
	inputs   []garble.Input
	garblers []*garble.Garbler
	tables   garble.Tables
	proof    triple.Verified
}

func newSetup(t *testing.T, n int, seed uint64) *setup {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 11))
	s := &setup{c: circuittest.Random(rng, n, 12, 90, 3), n: n, deltas: mpctest.Deltas(rng, n)}
	s.values = s.all(circuittest.Bits(rng, len(s.c.Inputs)))
	s.lambda = s.masks(rng)
	var products []bool
	for _, g := range s.c.Gates {
		if g.Op == circuit.AND {
			products = append(products, s.lambda[g.A] && s.lambda[g.B])
		}
	}
	lambda, sigma := mpctest.DealShared(rng, s.lambda, s.deltas), mpctest.DealShared(rng, products, s.deltas)
	// shares of XOR and NOT are the gates' of shares, on every lane
	for i := range n {
		follow(s.c, lambda[i])
	}
	var err error
	if s.proof, err = triple.Verify(sid, nil); err != nil {
		t.Fatal(err)
	}
	start := mpctest.RandomBlock(rng)
	for i := range n {
		s.inputs = append(s.inputs, garble.Input{Circuit: s.c, Self: i, Parties: n, Delta: s.deltas[i], Start: start, Lambda: lambda[i], Sigma: sigma[i], Workers: 2})
	}
	s.garble(rng)
	return s
}

// all evaluates every wire.
func (s *setup) all(in []bool) []bool {
	v := append(make([]bool, 0, s.c.Wires), in...)
	for _, g := range s.c.Gates {
		switch g.Op {
		case circuit.AND:
			v = append(v, v[g.A] && v[g.B])
		case circuit.XOR:
			v = append(v, v[g.A] != v[g.B])
		case circuit.NOT:
			v = append(v, !v[g.A])
		}
	}
	return v
}

// masks draws those of inputs and ANDs; the others follow.
func (s *setup) masks(rng *rand.Rand) []bool {
	l := circuittest.Bits(rng, len(s.c.Inputs))
	for _, g := range s.c.Gates {
		switch g.Op {
		case circuit.AND:
			l = append(l, rng.Uint32()&1 == 1)
		case circuit.XOR:
			l = append(l, l[g.A] != l[g.B])
		case circuit.NOT:
			l = append(l, l[g.A])
		}
	}
	return l
}

func follow(c *circuit.Circuit, s *auth.Shared) {
	for _, g := range c.Gates {
		if g.Op == circuit.AND {
			continue
		}
		bit := s.Bits.Get(int(g.A))
		if g.Op == circuit.XOR {
			bit ^= s.Bits.Get(int(g.B))
		}
		s.Bits.Flip(int(g.Out), s.Bits.Get(int(g.Out))^bit)
		for _, lanes := range [][][]block.Block{s.M, s.K} {
			for _, l := range lanes {
				if l == nil {
					continue
				}
				l[g.Out] = l[g.A]
				if g.Op == circuit.XOR {
					l[g.Out] = l[g.A].Xor(l[g.B])
				}
			}
		}
	}
}

func (s *setup) garble(rng *rand.Rand) {
	s.tables = garble.Tables{Lambda: auth.NewBits(len(s.c.Inputs)), Labels: make([][]block.Block, s.n), Halves: make([][]byte, s.n), Rows: make([][]byte, s.n), Tags: make([][]byte, s.n)}
	for w := range s.c.Inputs {
		if s.values[w] != s.lambda[w] {
			s.tables.Lambda.Flip(w, 1)
		}
	}
	s.garblers = make([]*garble.Garbler, s.n)
	rows := make([][][]byte, s.n)
	for i := 1; i < s.n; i++ {
		labels := make([]block.Block, len(s.c.Inputs))
		s.tables.Labels[i] = make([]block.Block, len(labels))
		for w := range labels {
			labels[w] = mpctest.RandomBlock(rng)
			s.tables.Labels[i][w] = labels[w].Xor(s.deltas[i].Mask(s.tables.Lambda.Get(w)))
		}
		s.garblers[i] = garble.NewGarbler(s.proof, s.inputs[i], labels)
		rows[i] = s.garblers[i].Rows()
		s.tables.Halves[i], s.tables.Tags[i] = rows[i][0], s.garblers[i].Tags()
	}
	for d := 1; d < s.n; d++ {
		var others [][]byte
		for i := 1; i < s.n; i++ {
			if i != d {
				others = append(others, rows[i][d])
			}
		}
		s.tables.Rows[d] = s.garblers[d].Table(others...)
	}
}

// TestEvaluate: on every wire Λ is the value under its mask, and each garbler's
// active label is its label for that Λ.
func TestEvaluate(t *testing.T) {
	for _, n := range []int{2, 3, 5} {
		for seed := range uint64(4) {
			s := newSetup(t, n, seed)
			e, err := garble.Evaluate(s.proof, sid, s.inputs[0], s.tables)
			if err != nil {
				t.Fatal(err)
			}
			if !e.Of(sid) || e.Of([32]byte{}) {
				t.Error("an evaluation of another session")
			}
			for w := range circuit.Wire(s.c.Wires) {
				masked := e.Lambda.Get(int(w))
				if (masked == 1) != (s.values[w] != s.lambda[w]) {
					t.Fatalf("n = %d: Λ of wire %d is %d", n, w, masked)
				}
				for i := 1; i < n; i++ {
					if e.Active(w, i) != s.garblers[i].Label0[w].Xor(s.deltas[i].Mask(masked)) {
						t.Fatalf("n = %d: label %d of wire %d", n, i, w)
					}
				}
			}
		}
	}
}

// TestWrongTables: whatever is wrong in the rows, the verdict is the one of
// ErrRows, or nothing that depends on it was used: Λ is right.
func TestWrongTables(t *testing.T) {
	stopped := 0
	for seed := range uint64(40) {
		s := newSetup(t, 3, seed%4)
		rng := rand.New(rand.NewPCG(seed, 12))
		table := [][][]byte{s.tables.Halves, s.tables.Rows}[seed%2]
		b := table[1+rng.IntN(2)]
		b[rng.IntN(len(b))] ^= 1 << rng.IntN(8)
		e, err := garble.Evaluate(s.proof, sid, s.inputs[0], s.tables)
		if err != nil {
			if !errors.Is(err, garble.ErrRows) || e != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			stopped++
			continue
		}
		for w := range s.c.Wires {
			if (e.Lambda.Get(w) == 1) != (s.values[w] != s.lambda[w]) {
				t.Fatalf("seed %d: Λ of wire %d is wrong and nobody noticed", seed, w)
			}
		}
	}
	if stopped == 0 || stopped == 40 {
		t.Errorf("%d of 40 stopped: both cases should occur", stopped)
	}
}

// TestLabelsOfOutputs: a label of an output that is neither of its garbler's two, or
// not that of its Λ, is found by its tag.
func TestLabelsOfOutputs(t *testing.T) {
	for seed := range uint64(20) {
		s := newSetup(t, 3, seed%4)
		rng := rand.New(rand.NewPCG(seed, 13))
		tags := s.tables.Tags[1+rng.IntN(2)]
		k := rng.IntN(len(tags) / garble.TagBytes)
		one := tags[garble.TagBytes*k:][:garble.TagBytes]
		for i := range 8 { // the two in each other's place
			one[i], one[8+i] = one[8+i], one[i]
		}
		if seed%2 == 1 {
			one[rng.IntN(8)] ^= 1
			one[8+rng.IntN(8)] ^= 1
		}
		if e, err := garble.Evaluate(s.proof, sid, s.inputs[0], s.tables); !errors.Is(err, garble.ErrRows) || e != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

// TestRecipientInTweak: two corrupt garblers who add up the rows S0 that an
// honest one sent them must be left with its hashes, which differ by
// recipient; were they the same, the sum would be M_1[λ_b] ⊕ M_2[λ_b], which
// with their keys is a share of the mask.
func TestRecipientInTweak(t *testing.T) {
	s := newSetup(t, 4, 1)
	rows := s.garblers[3].Rows()
	gates := garble.Gates(s.c)
	for k, g := range gates {
		sum := block.FromBytes(rows[1][garble.RowBytes*k:]).Xor(block.FromBytes(rows[2][garble.RowBytes*k:]))
		m := s.inputs[3].Lambda.M
		if sum == m[1][g.B].Xor(m[2][g.B]) {
			t.Fatalf("gate %d: the hashes cancel", k)
		}
	}
}
