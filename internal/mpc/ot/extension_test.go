package ot

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/angler-dex/angler/internal/mpc/block"
)

// rng is a seeded reader of test randomness.
func rng(seed uint64) *rand.ChaCha8 {
	var s [32]byte
	copy(s[:], fmt.Sprint("test ", seed))
	return rand.NewChaCha8(s)
}

func randBlock(r *rand.ChaCha8) block.Block { return block.Block{Lo: r.Uint64(), Hi: r.Uint64()} }

func randBytes(r *rand.ChaCha8, n int) []byte {
	b := make([]byte, n)
	_, _ = r.Read(b) // never fails
	return b
}

var testSID = [32]byte{1, 2, 3}

const testFrom, testTo = 3, 5

// dealt returns an ideal base set: what F1 gives, without it.
func dealt(r *rand.ChaCha8) (*BaseSender, *BaseReceiver) {
	s, d := &BaseSender{}, &BaseReceiver{Choice: randBlock(r)}
	_, _ = r.Read(s.ID[:]) // never fails
	d.ID = s.ID
	for c := range s.Pairs {
		s.Pairs[c] = [2]block.Block{randBlock(r), randBlock(r)}
		d.Seeds[c] = s.Pairs[c][d.Choice.Bit(c)]
	}
	return s, d
}

// chis returns n coefficients, the last 128 of them X^k.
func chis(r *rand.ChaCha8, n int) []block.Block {
	v := make([]block.Block, n)
	for k := range v {
		v[k] = randBlock(r)
	}
	x := block.Block{Lo: 1}
	for k := max(0, n-128); k < n; k++ {
		v[k], x = x, x.Double()
	}
	return v
}

// proof is the check of a range as an honest holder of x makes it.
func proof(r *rand.ChaCha8, from *ExtReceiver, lo, hi int) Range {
	chi := chis(r, hi-lo)
	return Range{lo, hi, chi, from.XTilde(lo, hi, chi), from.Tilde(lo, hi, chi)}
}

// correlated tells whether M = K ⊕ x·Δ in every row.
func correlated(M, K []block.Block, x []byte, delta block.Block) error {
	if len(M) != len(K) {
		return fmt.Errorf("%d and %d rows", len(M), len(K))
	}
	for j := range M {
		if M[j] != K[j].Xor(delta.Mask(uint64(x[j/8]>>(j%8)))) {
			return fmt.Errorf("row %d", j)
		}
	}
	return nil
}

func TestExtension(t *testing.T) {
	r := rng(1)
	for _, k := range []int{1, 2, 4, 8} {
		for _, rows := range []int{1, 7, 8, 9, 127, 128, 129, 384, 513, 2053} {
			s, d := dealt(r)
			x := randBytes(r, (rows+7)/8)
			from := NewExtReceiver(testSID, k, s, testFrom, testTo, rows, 0, x)
			to, err := NewExtSender(testSID, k, d, testFrom, testTo, rows, 0).Receive(from.Message())
			if err != nil {
				t.Fatalf("k = %d, %d rows: %v", k, rows, err)
			}
			if from.Hash() != to.Hash() {
				t.Fatal("hashes differ")
			}
			var ranges []Range
			for lo := 0; lo < rows; { // ranges need no alignment
				hi := min(rows, lo+rows/3+1)
				ranges = append(ranges, proof(r, from, lo, hi))
				lo = hi
			}
			K, err := to.Check(ranges...)
			if err != nil {
				t.Fatalf("k = %d, %d rows: %v", k, rows, err)
			}
			if err := correlated(from.Rows(), K, x, d.Choice); err != nil {
				t.Fatalf("k = %d, %d rows: %v", k, rows, err)
			}
		}
	}
}

// The masks of a Choice of all zeros or all ones, where every tree is punctured at its
// first or last leaf.
func TestExtensionAtTheEdges(t *testing.T) {
	r := rng(2)
	for _, k := range []int{1, 2, 4, 8} {
		for _, choice := range []block.Block{{}, {Lo: ^uint64(0), Hi: ^uint64(0)}, {Lo: 1}, {Hi: 1 << 63}} {
			s, d := dealt(r)
			d.Choice = choice
			for c := range d.Seeds {
				d.Seeds[c] = s.Pairs[c][choice.Bit(c)]
			}
			x := randBytes(r, 25)
			from := NewExtReceiver(testSID, k, s, 0, 1, 200, 0, x)
			to, err := NewExtSender(testSID, k, d, 0, 1, 200, 0).Receive(from.Message())
			if err != nil {
				t.Fatal(err)
			}
			K, err := to.Check(proof(r, from, 0, 200))
			if err != nil {
				t.Fatal(err)
			}
			if err := correlated(from.Rows(), K, x, choice); err != nil {
				t.Fatalf("k = %d, choice %v: %v", k, choice, err)
			}
		}
	}
}

// Column c of M depends on base OT c in one way only: K's column differs from M's
// by x where Choice has a 1. So M is not zero, not constant, and differs by column, row and
// session.
func TestRowsLookRandom(t *testing.T) {
	r := rng(3)
	s, _ := dealt(r)
	x := randBytes(r, 256)
	seen := map[block.Block]bool{}
	for k, sid := range map[int][32]byte{1: {1}, 2: {2}, 4: {3}, 8: {4}} {
		rows := NewExtReceiver(sid, k, s, 0, 1, 2048, 0, x).Rows()
		ones := 0
		for _, m := range rows {
			if seen[m] {
				t.Fatal("a row occurs twice")
			}
			seen[m] = true
			for c := range 128 {
				ones += int(m.Bit(c))
			}
		}
		if n := 2048 * 128; ones < n/2-n/100 || ones > n/2+n/100 {
			t.Fatalf("k = %d: %d ones of %d", k, ones, n)
		}
	}
}

// "δ = c⊕Δ, party i applies it locally (M′ = M ⊕ x·δ)".
func TestKeptSet(t *testing.T) {
	r := rng(4)
	s, d := dealt(r)
	delta := randBlock(r)
	x := randBytes(r, 50)
	from := NewExtReceiver(testSID, 4, s, 0, 1, 400, 0, x)
	to, err := NewExtSender(testSID, 4, d, 0, 1, 400, 0).Receive(from.Message())
	if err != nil {
		t.Fatal(err)
	}
	K, err := to.Check(proof(r, from, 0, 400))
	if err != nil {
		t.Fatal(err)
	}
	M := append([]block.Block(nil), from.Rows()...)
	for j := range M {
		M[j] = M[j].Xor(d.Choice.Xor(delta).Mask(uint64(x[j/8] >> (j % 8))))
	}
	if err := correlated(M, K, x, delta); err != nil {
		t.Fatal(err)
	}
}

// An extension belongs to its session, its ordered pair, its set and its k.
func TestExtensionIsBound(t *testing.T) {
	r := rng(5)
	s, d := dealt(r)
	x := randBytes(r, 32)
	from := NewExtReceiver(testSID, 4, s, testFrom, testTo, 256, 0, x)
	other := *d
	other.ID[0] ^= 1
	for name, to := range map[string]*ExtSender{
		"session":  NewExtSender([32]byte{9}, 4, d, testFrom, testTo, 256, 0),
		"sender":   NewExtSender(testSID, 4, d, testFrom+1, testTo, 256, 0),
		"receiver": NewExtSender(testSID, 4, d, testFrom, testTo+1, 256, 0),
		"swapped":  NewExtSender(testSID, 4, d, testTo, testFrom, 256, 0),
		"set":      NewExtSender(testSID, 4, &other, testFrom, testTo, 256, 0),
	} {
		got, err := to.Receive(from.Message())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got.Hash() == from.Hash() {
			t.Errorf("%s: the same hash", name)
		}
		if _, err := got.Check(proof(r, from, 0, 256)); !errors.Is(err, ErrCheck) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMessageSize(t *testing.T) {
	for _, e := range []struct{ k, rows, want int }{
		{1, 1000, 128 * 125},
		{2, 1000, 64*32 + 64*32 + 32 + 64*125},
		{4, 1001, 32*3*32 + 32*32 + 32 + 32*126},
		{8, 8, 16*7*32 + 16*32 + 32 + 16},
	} {
		if got := MessageSize(e.k, e.rows, 0); got != e.want {
			t.Errorf("k = %d, %d rows: %d, want %d", e.k, e.rows, got, e.want)
		}
		s, _ := dealt(rng(6))
		if got := len(NewExtReceiver(testSID, e.k, s, 0, 1, e.rows, 0, make([]byte, 200)).Message()); got != e.want {
			t.Errorf("k = %d, %d rows: message of %d, want %d", e.k, e.rows, got, e.want)
		}
	}
}

// What a caller may not do is a bug, not a result.
func TestMisuse(t *testing.T) {
	r := rng(7)
	s, d := dealt(r)
	from := NewExtReceiver(testSID, 4, s, 0, 1, 300, 0, randBytes(r, 38))
	to, err := NewExtSender(testSID, 4, d, 0, 1, 300, 0).Receive(from.Message())
	if err != nil {
		t.Fatal(err)
	}
	all := proof(r, from, 0, 300)
	short := all
	short.Chi = all.Chi[1:]
	for name, f := range map[string]func(){
		"no range":     func() { _, _ = to.Check() },
		"a gap":        func() { _, _ = to.Check(proof(r, from, 0, 100), proof(r, from, 101, 300)) },
		"an end":       func() { _, _ = to.Check(proof(r, from, 0, 299)) },
		"an overlap":   func() { _, _ = to.Check(proof(r, from, 0, 100), proof(r, from, 99, 300)) },
		"twice":        func() { _, _ = to.Check(all, all) },
		"coefficients": func() { _, _ = to.Check(short) },
		"k":            func() { NewExtSender(testSID, 3, d, 0, 1, 300, 0) },
		"rows":         func() { NewExtSender(testSID, 4, d, 0, 1, 0, 0) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: accepted", name)
				}
			}()
			f()
		}()
	}
}
