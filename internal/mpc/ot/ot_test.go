package ot

import (
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
	r.Read(b)
	return b
}

var testSID = [32]byte{1, 2, 3}

// dealt returns an ideal base set: what F1 gives, without it.
func dealt(r *rand.ChaCha8) (*BaseSender, *BaseReceiver) {
	s, d := &BaseSender{}, &BaseReceiver{Choice: randBlock(r)}
	r.Read(s.ID[:])
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

func TestExtension(t *testing.T) {
	r := rng(1)
	for _, k := range []int{1, 2, 4, 8} {
		for _, rows := range []int{1, 7, 8, 9, 127, 128, 129, 384, 1000, 2053} {
			s, d := dealt(r)
			x := randBytes(r, (rows+7)/8)
			from := NewExtReceiver(testSID, k, s, 3, 5, rows, x)
			to, err := NewExtSender(testSID, k, d, 3, 5, rows).Receive(from.Message())
			if err != nil {
				t.Fatalf("k = %d, %d rows: %v", k, rows, err)
			}
			if from.Hash() != to.Hash() {
				t.Fatal("hashes differ")
			}
			cut := rows / 3
			var ranges []Range
			for _, e := range [][2]int{{0, cut}, {cut, rows}} {
				if e[0] < e[1] {
					chi := chis(r, e[1]-e[0])
					ranges = append(ranges, Range{e[0], e[1], chi, from.XTilde(e[0], e[1], chi), from.Tilde(e[0], e[1], chi)})
				}
			}
			K, err := to.Check(ranges...)
			if err != nil {
				t.Fatalf("k = %d, %d rows: %v", k, rows, err)
			}
			for j, m := range from.Rows() {
				if m != K[j].Xor(d.Choice.Mask(uint64(x[j/8]>>(j%8)))) {
					t.Fatalf("k = %d, %d rows: row %d", k, rows, j)
				}
			}
		}
	}
}

func TestBaseOT(t *testing.T) {
	r := rng(2)
	da, db := randBlock(r), randBlock(r)
	a, err := NewBaseOT(testSID, 0, 4, da, r)
	if err != nil {
		t.Fatal(err)
	}
	b, err := NewBaseOT(testSID, 4, 0, db, r)
	if err != nil {
		t.Fatal(err)
	}
	as, ar, err := a.Finish(b.Message())
	if err != nil {
		t.Fatal(err)
	}
	bs, br, err := b.Finish(a.Message())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []struct {
		s *BaseSender
		d *BaseReceiver
		c block.Block
	}{{as, br, db}, {bs, ar, da}} {
		if e.s.ID != e.d.ID || e.d.Choice != e.c {
			t.Fatal("id or choice")
		}
		for c := range e.s.Pairs {
			bit := e.c.Bit(c)
			if e.d.Seeds[c] != e.s.Pairs[c][bit] || e.d.Seeds[c] == e.s.Pairs[c][1-bit] {
				t.Fatalf("OT %d", c)
			}
		}
	}
	if as.ID == bs.ID {
		t.Fatal("both directions have one id")
	}
}
