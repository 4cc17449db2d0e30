package auth_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/angler-dex/angler/internal/mpc/auth"
	"github.com/angler-dex/angler/internal/mpc/block"
	"github.com/angler-dex/angler/internal/mpc/mpctest"
	"github.com/angler-dex/angler/internal/mpc/work"
)

const parties = 3

var sid = [32]byte{'s'}

// world is the extension among three parties, all of them here.
type world struct {
	params  []auth.Params
	choices [][][]byte
	base    []map[int]auth.Base
	a       []*auth.A
	b       []*auth.B
}

func newWorld(rng *rand.Rand) *world {
	w := &world{base: mpctest.Deal(rand.NewChaCha8([32]byte{byte(rng.Uint32())}), parties)}
	var shapes []auth.Shape
	for i := range parties {
		shapes = append(shapes, auth.Shape{Leaky: 40, ANDs: 8, Inputs: 3 * i})
	}
	for i := range parties {
		delta := block.Block{Lo: rng.Uint64() &^ 1, Hi: rng.Uint64()}
		w.params = append(w.params, auth.Params{SID: sid, Self: i, K: 2, Shapes: shapes, Delta: delta})
		common, narrow := random(rng, shapes[i].RowsA()/8), random(rng, 2*shapes[i].Pairs()/8)
		choices := make([][]byte, parties)
		for j := range choices {
			if j != i {
				choices[j] = slices.Concat(common, random(rng, auth.RowsB/8), narrow)
			}
		}
		w.choices = append(w.choices, choices)
	}
	return w
}

func random(rng *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for k := range b {
		b[k] = byte(rng.Uint32())
	}
	return b
}

// extend runs F2 and its checks; spoil may change a claim.
func (w *world) extend(spoil func(from, to int, c *auth.Claim)) error {
	ext, u, proofs := make([]*auth.Extension, parties), make([][][]byte, parties), make([]*auth.Proof, parties)
	for i := range ext {
		base := make([]auth.Base, parties)
		for j, b := range w.base[i] {
			base[j] = b
		}
		ext[i], u[i] = auth.NewExtension(w.params[i], base, w.choices[i]), make([][]byte, parties)
		for j := range parties {
			if j != i {
				u[i][j] = ext[i].Extend(j)
			}
		}
		proofs[i] = ext[i].Begin()
		for j := range parties {
			if j != i {
				ext[i].Prove(proofs[i], j)
			}
		}
	}
	for to := range parties {
		for from := range parties {
			if from == to {
				continue
			}
			p := proofs[from]
			c := auth.Claim{U: u[from][to], H: p.H, X: p.X, T: p.T[to], XN: p.XN, TN: p.TN[to], XB: p.XB[to], TB: p.TB[to], Offset: p.Offset[to]}
			if spoil != nil {
				spoil(from, to, &c)
			}
			if err := ext[to].Check(from, c); err != nil {
				return err
			}
		}
		a, b, proof, err := ext[to].Finish(func(f func(int)) { work.Each(1, parties, f) })
		if err != nil {
			return err
		}
		if !proof.Of(sid) || proof.Of([32]byte{}) {
			panic("a proof of another session")
		}
		w.a, w.b = append(w.a, a), append(w.b, b)
	}
	return nil
}

// TestAuthenticated: "M_j[b] = K_j[b] ⊕ b·Δ_j", for every row of both regions
// and every ordered pair, sets being cached ones with choices other than Δ.
func TestAuthenticated(t *testing.T) {
	w := newWorld(rand.New(rand.NewPCG(1, 1)))
	if err := w.extend(nil); err != nil {
		t.Fatal(err)
	}
	for i := range parties {
		for j := range parties {
			if i == j {
				continue
			}
			check := func(region string, x auth.Bits, m, k []block.Block, rows int) {
				if len(m) != rows || len(k) != rows {
					t.Fatalf("%s: %d MACs, %d keys, not %d", region, len(m), len(k), rows)
				}
				for r := range m {
					if m[r] != k[r].Xor(w.params[j].Delta.Mask(x.Get(r))) {
						t.Fatalf("%s, %d to %d, row %d", region, i, j, r)
					}
				}
			}
			check("A", w.a[i].X, w.a[i].M[j], w.a[j].K[i], w.params[i].Shapes[i].RowsA())
			window := auth.Narrow(w.params[j].Delta)
			m, k := w.a[i].NarrowM[j], w.a[j].NarrowK[i]
			if len(m) != w.params[i].Shapes[i].Pairs() || len(k) != len(m) {
				t.Fatalf("%d pairs of MACs, %d of keys", len(m), len(k))
			}
			for r := range m {
				if m[r] != k[r].Xor(window.Both(w.a[i].Y.Get(r), w.a[i].R.Get(r))) {
					t.Fatalf("%d to %d, pair %d", i, j, r)
				}
			}
			check("B", w.b[i].X[j], w.b[i].M[j], w.b[j].K[i], auth.RowsB)
		}
	}
}

// TestExtensionChecks: a claim that was changed anywhere is refused.
func TestExtensionChecks(t *testing.T) {
	for name, spoil := range map[string]func(c *auth.Claim){
		"u":        func(c *auth.Claim) { c.U = bytes.Clone(c.U); c.U[len(c.U)-1] ^= 1 },
		"short u":  func(c *auth.Claim) { c.U = c.U[1:] },
		"h":        func(c *auth.Claim) { c.H = bytes.Clone(c.H); c.H[32] ^= 1 },
		"own h":    func(c *auth.Claim) { c.H = bytes.Clone(c.H); c.H[0] ^= 1 },
		"x":        func(c *auth.Claim) { c.X.Lo ^= 1 },
		"t":        func(c *auth.Claim) { c.T[0] ^= 1 },
		"x of y":   func(c *auth.Claim) { c.XN[0].Lo ^= 1 },
		"x of r":   func(c *auth.Claim) { c.XN[1].Hi ^= 1 },
		"t narrow": func(c *auth.Claim) { c.TN[3] ^= 1 },
		"xB":       func(c *auth.Claim) { c.XB.Hi ^= 1 },
		"tB":       func(c *auth.Claim) { c.TB[31] ^= 1 },
	} {
		w := newWorld(rand.New(rand.NewPCG(1, 1)))
		err := w.extend(func(from, to int, c *auth.Claim) {
			if from == 0 && to == 1 {
				spoil(c)
			}
		})
		if err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// TestUnchecked: without the checks there are no bits.
func TestUnchecked(t *testing.T) {
	w := newWorld(rand.New(rand.NewPCG(1, 1)))
	base := make([]auth.Base, parties)
	for j, b := range w.base[0] {
		base[j] = b
	}
	if _, _, proof, err := auth.NewExtension(w.params[0], base, w.choices[0]).Finish(func(func(int)) {}); err == nil || proof.Of(sid) {
		t.Error("regions of an extension that nobody checked")
	}
}

// TestSameDelta: the columns of z sum to zero if each party has one Δ, and not
// if one has two.
func TestSameDelta(t *testing.T) {
	for _, two := range []bool{false, true} {
		w := newWorld(rand.New(rand.NewPCG(2, 1)))
		err := w.extend(func(from, to int, c *auth.Claim) {
			if two && from == 0 && to == 1 {
				c.Offset.Lo ^= 2
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		zero := zeroShares(rand.New(rand.NewPCG(3, 1)))
		sum := make([]block.Block, parties)
		for i, b := range w.b {
			block.XorInto(sum, b.DeltaY(zero[i]))
		}
		z := make([][]block.Block, parties)
		for i, b := range w.b {
			z[i] = b.DeltaZ(sum[i], w.params[i].Delta)
		}
		proof, err := auth.VerifyDelta(sid, z)
		if (err != nil) != two || proof.Of(sid) == two {
			t.Errorf("two keys: %v, verdict %v", two, err)
		}
	}
}

func zeroShares(rng *rand.Rand) []*auth.ZeroShares {
	seeds := make([][]block.Block, parties)
	for i := range seeds {
		seeds[i] = make([]block.Block, parties)
		for j := range seeds[i] {
			seeds[i][j] = block.Block{Lo: rng.Uint64(), Hi: rng.Uint64()}
		}
	}
	shares := make([]*auth.ZeroShares, parties)
	for i := range shares {
		theirs := make([]block.Block, parties)
		for j := range theirs {
			theirs[j] = seeds[j][i]
		}
		shares[i] = auth.NewZeroShares(sid, i, seeds[i], theirs)
	}
	return shares
}

// TestZeroShares: the parties' shares sum to zero, are not zero themselves, and
// differ from use to use.
func TestZeroShares(t *testing.T) {
	shares := zeroShares(rand.New(rand.NewPCG(4, 1)))
	blocks, words := make([]block.Block, 5), make([]uint64, 150)
	for _, s := range shares {
		b, w := s.Blocks(5, "use", 1), s.Words(150, "use")
		if b[0].IsZero() || b[0] == s.Blocks(1, "use", 2)[0] || b[0] == s.Blocks(1, "other", 1)[0] || w[0] == 0 || w[149] == 0 {
			t.Error("shares repeat")
		}
		block.XorInto(blocks, b)
		for k := range words {
			words[k] ^= w[k]
		}
	}
	for _, b := range blocks {
		if !b.IsZero() {
			t.Error("blocks do not sum to zero")
		}
	}
	for _, v := range words {
		if v != 0 {
			t.Error("words do not sum to zero")
		}
	}
}

// TestMint: what two parties mint fits together, and is of the pair.
func TestMint(t *testing.T) {
	w := newWorld(rand.New(rand.NewPCG(5, 1)))
	if err := w.extend(nil); err != nil {
		t.Fatal(err)
	}
	for i := range parties {
		for j := range parties {
			if i == j {
				continue
			}
			r := w.b[i].Mint(sid, j, w.params[i].Delta).Receiver
			s := w.b[j].Mint(sid, i, w.params[j].Delta).Sender
			if r.ID != s.ID || r.Choice == w.params[i].Delta {
				t.Errorf("%d and %d: ids %x and %x", i, j, r.ID[:4], s.ID[:4])
			}
			for k, pair := range s.Pairs {
				if r.Seeds[k] != pair[r.Choice.Bit(k)] || pair[0] == pair[1] {
					t.Fatalf("%d and %d: base OT %d", i, j, k)
				}
			}
		}
	}
	if a, b := w.b[0].Mint(sid, 1, block.Block{}).Receiver, w.b[0].Mint(sid, 2, block.Block{}).Receiver; a.ID == b.ID || a.Choice == b.Choice {
		t.Error("one set for two peers")
	}
}

// TestOpening: bits that were opened with their MACs pass, others do not, and
// the proof needs every peer.
func TestOpening(t *testing.T) {
	w := newWorld(rand.New(rand.NewPCG(6, 1)))
	if err := w.extend(nil); err != nil {
		t.Fatal(err)
	}
	const n = 21
	open := func(from int, spoil func(bits auth.Bits, digest []byte)) (auth.Bits, []byte) {
		bits := auth.NewBits(n)
		for k := range n {
			bits.Flip(k, w.a[from].X.Get(k))
		}
		d := auth.Digest(sid, "test", from, 0, w.a[from].M[0][:n])
		spoil(bits, d[:])
		return bits, d[:]
	}
	honest := func(auth.Bits, []byte) {}
	for name, spoil := range map[string]func(auth.Bits, []byte){
		"honest": honest, "bit": func(b auth.Bits, _ []byte) { b.Flip(3, 1) }, "digest": func(_ auth.Bits, d []byte) { d[5] ^= 1 },
		"padding": func(b auth.Bits, _ []byte) { b[2] |= 0x80 },
	} {
		o := auth.NewOpening(sid, "test", 0, parties, w.params[0].Delta)
		if _, err := o.Finish(); err == nil {
			t.Error("a proof without a check")
		}
		var err error
		for from := 1; from < parties && err == nil; from++ {
			s := honest
			if from == 2 {
				s = spoil
			}
			bits, digest := open(from, s)
			err = o.Check(from, bits, append([]block.Block(nil), w.a[0].K[from][:n]...), digest)
		}
		proof, missing := o.Finish()
		if ok := name == "honest"; (err == nil) != ok || (missing == nil) != ok || proof.Of(sid, "test") != ok || proof.Of(sid, "other bits") {
			t.Errorf("%s: %v, %v", name, err, missing)
		}
	}
}

// TestNarrowOpening: the same of bits whose MACs have 48 bits.
func TestNarrowOpening(t *testing.T) {
	w := newWorld(rand.New(rand.NewPCG(8, 1)))
	if err := w.extend(nil); err != nil {
		t.Fatal(err)
	}
	const n = 19
	lane := func(pairs []block.Block) []byte {
		b := make([]byte, n*auth.NarrowBytes)
		for k := range n {
			auth.PutNarrow(b[k*auth.NarrowBytes:], pairs[k].Hi)
		}
		return b
	}
	for name, spoil := range map[string]func(auth.Bits, []byte){
		"honest": func(auth.Bits, []byte) {}, "bit": func(b auth.Bits, _ []byte) { b.Flip(18, 1) },
		"digest": func(_ auth.Bits, d []byte) { d[31] ^= 1 }, "padding": func(b auth.Bits, _ []byte) { b[2] |= 8 },
	} {
		o := auth.NewOpening(sid, "test", 0, parties, w.params[0].Delta)
		var err error
		for from := 1; from < parties && err == nil; from++ {
			bits := auth.NewBits(n)
			for k := range n {
				bits.Flip(k, w.a[from].R.Get(k))
			}
			d := auth.DigestNarrow(sid, "test", from, 0, lane(w.a[from].NarrowM[0]))
			if from == 2 {
				spoil(bits, d[:])
			}
			err = o.CheckNarrow(from, bits, lane(w.a[0].NarrowK[from]), d[:])
		}
		proof, missing := o.Finish()
		if ok := name == "honest"; (err == nil) != ok || (missing == nil) != ok || proof.Of(sid, "test") != ok {
			t.Errorf("%s: %v, %v", name, err, missing)
		}
	}
}

// TestSharedSum: with the others' MACs under its Δ, the sum of each party is a
// sharing of value·Δ.
func TestSharedSum(t *testing.T) {
	w := newWorld(rand.New(rand.NewPCG(7, 1)))
	if err := w.extend(nil); err != nil {
		t.Fatal(err)
	}
	const n = 11
	shared := make([]*auth.Shared, parties)
	for i, a := range w.a {
		shared[i] = auth.NewShared(i, parties, n)
		for k := range n {
			shared[i].Bits.Flip(k, a.X.Get(k))
			for j := range parties {
				if j != i {
					shared[i].M[j][k], shared[i].K[j][k] = a.M[j][k], a.K[j][k]
				}
			}
		}
	}
	for i := range parties {
		sum, delta := shared[i].Sum(w.params[i].Delta), w.params[i].Delta
		for k := range n {
			var value uint64
			for j, s := range shared {
				value ^= s.Bits.Get(k)
				if j != i {
					sum[k] = sum[k].Xor(s.M[i][k])
				}
			}
			if sum[k] != delta.Mask(value) {
				t.Fatalf("party %d, value %d", i, k)
			}
		}
	}
}

// TestShape: segments do not overlap, and both regions and their masks start at
// multiples of 128 rows.
func TestShape(t *testing.T) {
	for _, s := range []auth.Shape{{Leaky: 1600, ANDs: 320}, {Leaky: 1600, ANDs: 320, Inputs: 48}, {Leaky: 40, ANDs: 8, Inputs: 127}} {
		at := []int{s.X(), s.Rho(), s.Lambda(), s.InputR(), s.InputS(), s.InputS() + s.Inputs}
		size := []int{s.Leaky, s.ANDs, s.ANDs, s.Inputs, s.Inputs}
		for k, n := range size {
			if at[k]+n != at[k+1] {
				t.Errorf("%+v: segment %d", s, k)
			}
		}
		mask := s.RowsA() - 128
		if mask%128 != 0 || mask < at[5] || mask >= at[5]+128 || s.Rows() != s.RowsA()+auth.RowsB {
			t.Errorf("%+v: mask at %d of %d", s, mask, s.RowsA())
		}
		if mask := s.Pairs() - 128; mask%128 != 0 || mask < s.Leaky || mask >= s.Leaky+128 || s.Bits() != s.RowsA()+2*s.Pairs() {
			t.Errorf("%+v: mask of the pairs at %d of %d", s, mask, s.Pairs())
		}
	}
}
