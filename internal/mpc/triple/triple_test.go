package triple_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/angler-dex/angler/internal/mpc/auth"
	"github.com/angler-dex/angler/internal/mpc/block"
	"github.com/angler-dex/angler/internal/mpc/mpctest"
	"github.com/angler-dex/angler/internal/mpc/triple"
)

var sid = [32]byte{'t'}

const (
	ands   = 300 // B = 5: not a multiple of the chunk, nor of 8 bits
	bucket = 5
)

// table is a set of parties that make leaky ANDs of dealt bits.
type table struct {
	n      int
	rng    *rand.Rand
	shapes []auth.Shape
	deltas []block.Block
	a      []*auth.A
	leaky  []*triple.Leaky
	zero   []block.Block // shares for α
	s      []auth.Bits
	sum    auth.Bits
}

func newTable(n int, seed uint64) *table {
	t := &table{n: n, rng: rand.New(rand.NewPCG(seed, 7)), sum: auth.NewBits(ands * bucket)}
	for range n {
		t.shapes = append(t.shapes, auth.Shape{Leaky: ands * bucket, ANDs: ands})
	}
	t.deltas = mpctest.Deltas(t.rng, n)
	t.a = mpctest.DealA(t.rng, t.shapes, t.deltas)
	start := func(holder, bits int) block.Block { return block.Block{Lo: uint64(holder), Hi: uint64(bits) + seed} }
	last := make([]uint64, ands*bucket)
	var zero block.Block
	for i := range n {
		phi := make([]uint64, ands*bucket)
		share := mpctest.RandomBlock(t.rng)
		if i == n-1 {
			phi, share = last, zero
		} else {
			for k := range phi {
				phi[k] = t.rng.Uint64()
				last[k] ^= phi[k]
			}
			zero = zero.Xor(share)
		}
		t.leaky = append(t.leaky, triple.NewLeaky(sid, t.a[i], t.deltas[i], phi, start, 1+i%2))
		t.zero = append(t.zero, share)
	}
	return t
}

// multiply runs F3 and F4; spoil may change the rows that leave a party.
func (t *table) multiply(spoil func(from, to int, rows []byte)) {
	in := make([][][]byte, t.n)
	for i := range in {
		in[i] = make([][]byte, t.n)
	}
	for i, l := range t.leaky {
		for j, rows := range l.Rows() {
			if j != i {
				if spoil != nil {
					spoil(i, j, rows)
				}
				in[j][i] = rows
			}
		}
	}
	for i, l := range t.leaky {
		t.s = append(t.s, l.Receive(in[i]))
		block.XorBytes(t.sum, t.sum, t.s[i])
	}
}

func (t *table) verify() (triple.Verified, error) {
	seed := mpctest.RandomBlock(t.rng)
	alphas := make([]block.Block, t.n)
	for i, l := range t.leaky {
		alphas[i] = l.Alpha(seed, t.sum, t.zero[i])
	}
	return triple.Verify(sid, alphas)
}

// bit is the value of bit at of region A: the XOR of everybody's.
func (t *table) bit(at int) (v uint64) {
	for _, a := range t.a {
		v ^= a.X.Get(at)
	}
	return v
}

// narrow is the value of y, or of r, of a leaky AND.
func (t *table) narrow(k int, r bool) (v uint64) {
	for _, a := range t.a {
		if r {
			v ^= a.R.Get(k)
		} else {
			v ^= a.Y.Get(k)
		}
	}
	return v
}

// TestLeakyANDs: "z = r ⊕ s (= xy)" for all of them, and α sums to zero.
func TestLeakyANDs(t *testing.T) {
	for _, n := range []int{2, 3, 5} {
		tb := newTable(n, uint64(n))
		tb.multiply(nil)
		s := tb.shapes[0]
		for k := range ands * bucket {
			x, y, z := tb.bit(s.X()+k), tb.narrow(k, false), tb.narrow(k, true)^tb.sum.Get(k)
			if x&y != z {
				t.Fatalf("n = %d, leaky AND %d: %d·%d = %d", n, k, x, y, z)
			}
		}
		if v, err := tb.verify(); err != nil || !v.Of(sid) || v.Of([32]byte{}) {
			t.Errorf("n = %d: %v", n, err)
		}
	}
}

// TestWrongRow: a wrong row is found if the honest bit x that it meets is 1, and
// else changes nothing: the leak that bucketing removes.
func TestWrongRow(t *testing.T) {
	found := map[bool]int{}
	for seed := range uint64(12) {
		tb := newTable(3, 100+seed)
		tb.multiply(func(from, to int, rows []byte) {
			if from == 2 && to == 0 {
				rows[6*int(seed)+int(seed%6)] ^= 1 << (seed % 8)
			}
		})
		_, err := tb.verify()
		hit := tb.a[0].X.Get(int(seed)) == 1
		if (err != nil) != hit {
			t.Errorf("seed %d: x = %v, verdict %v", seed, hit, err)
		}
		found[hit]++
	}
	if len(found) != 2 {
		t.Errorf("both cases should occur: %v", found)
	}
}

// TestWrongS: a lie in s is always found.
func TestWrongS(t *testing.T) {
	tb := newTable(3, 9)
	tb.multiply(nil)
	tb.sum.Flip(17, 1)
	if _, err := tb.verify(); err == nil {
		t.Error("a wrong product passes")
	}
}

// TestBuckets: σ is the product of the masks, and on every lane it is one:
// M = K ⊕ b·Δ between every two parties.
func TestBuckets(t *testing.T) {
	const n, wires, one = 3, 20, 0
	tb := newTable(n, 77)
	tb.multiply(nil)
	verified, err := tb.verify()
	if err != nil {
		t.Fatal(err)
	}
	values := make([]bool, wires)
	for k := range values {
		values[k] = tb.rng.Uint32()&1 == 1
	}
	lambda := mpctest.DealShared(tb.rng, values, tb.deltas)
	gates := make([]triple.Gate, ands)
	for k := range gates {
		gates[k] = triple.Gate{A: uint32(tb.rng.IntN(wires)), B: uint32(tb.rng.IntN(wires))}
	}
	perm := triple.Permutation(ands*bucket, block.Block{Lo: 1})
	buckets := make([]*triple.Buckets, n)
	public := auth.NewBits(ands * triple.PerGate(bucket))
	for i := range n {
		buckets[i] = triple.NewBuckets(tb.shapes[i], bucket, perm, gates, tb.sum)
		if buckets[i].Opened() != ands*triple.PerGate(bucket) {
			t.Fatal("number of opened bits")
		}
		block.XorBytes(public, public, buckets[i].OpenBits(tb.a[i], lambda[i].Bits))
	}
	opened := open(t, tb, buckets, lambda)

	sigma := make([]auth.Bits, n)
	for i := range n {
		own := uint64(0)
		if i == one {
			own = 1
		}
		sigma[i] = buckets[i].SigmaBits(verified, opened, tb.a[i].X, lambda[i].Bits, public, own)
	}
	for k, g := range gates {
		got := sigma[0].Get(k) ^ sigma[1].Get(k) ^ sigma[2].Get(k)
		if want := values[g.A] && values[g.B]; want != (got == 1) {
			t.Fatalf("gate %d: σ = %d of %v and %v", k, got, values[g.A], values[g.B])
		}
	}
	for i := range n {
		for j := range n {
			if i == j {
				continue
			}
			macs, keys := make([]block.Block, ands), make([]block.Block, ands)
			var constant block.Block
			if i == one {
				constant = tb.deltas[j]
			}
			buckets[i].Sigma(verified, opened, macs, tb.a[i].M[j], lambda[i].M[j], public, block.Block{})
			buckets[j].Sigma(verified, opened, keys, tb.a[j].K[i], lambda[j].K[i], public, constant)
			for k := range macs {
				if macs[k] != keys[k].Xor(tb.deltas[j].Mask(sigma[i].Get(k))) {
					t.Fatalf("gate %d: MAC of %d towards %d", k, i, j)
				}
			}
		}
	}
}

// open opens e, f, g towards everybody and returns the proof of party 0.
func open(t *testing.T, tb *table, buckets []*triple.Buckets, lambda []*auth.Shared) auth.Opened {
	t.Helper()
	var proof auth.Opened
	for to := range tb.n {
		o := auth.NewOpening(sid, "e f g", to, tb.n, tb.deltas[to])
		for from := range tb.n {
			if from == to {
				continue
			}
			macs, keys := make([]byte, auth.NarrowBytes*buckets[from].Opened()), make([]byte, auth.NarrowBytes*buckets[from].Opened())
			buckets[from].Open(macs, tb.a[from].M[to], tb.a[from].NarrowM[to], lambda[from].M[to])
			buckets[to].Open(keys, tb.a[to].K[from], tb.a[to].NarrowK[from], lambda[to].K[from])
			d := auth.DigestNarrow(sid, "e f g", from, to, macs)
			if err := o.CheckNarrow(from, buckets[from].OpenBits(tb.a[from], lambda[from].Bits), keys, d[:]); err != nil {
				t.Fatalf("from %d to %d: %v", from, to, err)
			}
		}
		var err error
		if proof, err = o.Finish(); err != nil {
			t.Fatal(err)
		}
	}
	return proof
}

// TestPlan: for every plan the chance that a cheat who spoils c leaky ANDs, each
// unnoticed with ½, owns a whole bucket is at most 2^-40 for every c (union
// bound over the buckets); one triple less or one leaky AND less in a bucket is
// not enough; and no plan takes more leaky ANDs than the one for more ANDs.
func TestPlan(t *testing.T) {
	chance := func(ell, b int) (log float64) {
		log = math.Inf(-1)
		for c := b; c < 200; c++ {
			log = max(log, math.Log2(float64(ell))-float64(c)+choose(c, b)-choose(b*ell, b))
		}
		return log
	}
	for _, v := range []struct{ ands, triples, bucket int }{
		{0, triple.MinTriples, 5}, {320, 320, 5}, {321, 321, 5}, {2_435, 2_435, 5}, {2_436, 3_044, 4}, {3_044, 3_044, 4}, {3_045, 3_045, 4},
		{200_000, 200_000, 4}, {276_325, 276_325, 3}, {10_000_000, 10_000_000, 3},
	} {
		triples, bucket := triple.Plan(v.ands)
		if triples != v.triples || bucket != v.bucket {
			t.Errorf("%d ANDs: %d triples of %d, want %d of %d", v.ands, triples, bucket, v.triples, v.bucket)
		}
		if c := chance(triples, bucket); c > -40 {
			t.Errorf("%d triples of %d: 2^%.2f", triples, bucket, c)
		}
	}
	for _, v := range []struct{ triples, bucket int }{{319, 5}, {3_043, 4}, {276_324, 3}} {
		if c := chance(v.triples, v.bucket); c <= -40 {
			t.Errorf("%d triples of %d would do: 2^%.2f", v.triples, v.bucket, c)
		}
	}
	last := 0
	for ands := range 10_000 {
		triples, bucket := triple.Plan(ands)
		if bits := triples * bucket; bits < last {
			t.Fatalf("%d ANDs take fewer leaky ANDs than %d", ands, ands-1)
		} else {
			last = bits
		}
	}
}

// choose is log2 of the binomial coefficient.
func choose(n, k int) (log float64) {
	for i := range k {
		log += math.Log2(float64(n-i)) - math.Log2(float64(i+1))
	}
	return log
}

// TestPermutation: every permutation of four things is about as frequent as any
// other, and a seed gives one permutation.
func TestPermutation(t *testing.T) {
	const draws = 24_000
	rng, counts := rand.New(rand.NewPCG(3, 3)), map[[4]int]int{}
	for range draws {
		counts[[4]int(triple.Permutation(4, mpctest.RandomBlock(rng)))]++
	}
	var chi float64
	for _, c := range counts {
		d := float64(c) - draws/24
		chi += d * d / (draws / 24)
	}
	if len(counts) != 24 || chi > 60 { // 23 degrees of freedom: beyond 60 with 4·10^-5, and the seed is fixed
		t.Errorf("%d permutations, χ² = %.1f", len(counts), chi)
	}
	perm, seen := triple.Permutation(1600, block.Block{Hi: 5}), make([]bool, 1600)
	for _, k := range perm {
		if seen[k] {
			t.Fatal("an index occurs twice")
		}
		seen[k] = true
	}
	if again := triple.Permutation(1600, block.Block{Hi: 5}); again[0] != perm[0] || again[1599] != perm[1599] {
		t.Error("one seed, two permutations")
	}
	if len(triple.Permutation(0, block.Block{})) != 0 {
		t.Error("a permutation of nothing")
	}
}

// TestRowHashes: rows that are not those which were broadcast are refused, and
// their sender is named.
func TestRowHashes(t *testing.T) {
	rows := [][]byte{nil, {1, 2}, {3}}
	hashes := make([][]byte, 3)
	for j := range hashes {
		hashes[j] = make([]byte, 3*32)
		for to := range 3 {
			if to != j {
				h := triple.RowHash(sid, j, to, rows[j])
				copy(hashes[j][32*to:], h[:])
			}
		}
	}
	if m, peer, err := triple.MatchRows(sid, 0, rows, hashes); err != nil || peer != -1 || !m.Of(sid) {
		t.Fatal(peer, err)
	}
	rows[2] = []byte{4}
	if m, peer, err := triple.MatchRows(sid, 0, rows, hashes); err == nil || peer != 2 || m.Of(sid) {
		t.Error("other rows", peer, err)
	}
	rows[2], hashes[1][32] = []byte{3}, 1
	if _, peer, err := triple.MatchRows(sid, 0, rows, hashes); err == nil || peer != 1 {
		t.Error("a hash in the own place", peer, err)
	}
}
