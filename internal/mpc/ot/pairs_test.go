package ot

import (
	"bytes"
	"errors"
	"testing"

	"github.com/angler-dex/angler/internal/mpc/block"
)

const pairRows, pairCount = 128, 256

// narrowRow takes the first (h = 0) or second row out of a pair.
func narrowRow(b block.Block, h int) uint64 { return [2]uint64{b.Lo, b.Hi}[h] }

// TestPairs: the wide rows are what they are without pairs, and both narrow rows of
// each pair are M = K ⊕ x·Choice in their columns and nothing beyond them.
func TestPairs(t *testing.T) {
	for _, k := range []int{1, 2, 4, 8} {
		r := rng(uint64(300 + k))
		s, d := dealt(r)
		x := randBytes(r, pairRows/8+2*pairCount/8)
		from := NewExtReceiver(testSID, k, s, testFrom, testTo, pairRows, pairCount, x)
		if got := len(from.Message()); got != MessageSize(k, pairRows, pairCount) {
			t.Fatalf("k = %d: a message of %d bytes", k, got)
		}
		to, err := NewExtSender(testSID, k, d, testFrom, testTo, pairRows, pairCount).Receive(from.Message())
		if err != nil {
			t.Fatal(err)
		}
		if to.Pairs() != nil {
			t.Error("pairs before their check")
		}
		chi := chis(r, pairCount)
		to.CheckPairs(chi, from.XTildePairs(chi), from.TildePairs(chi))
		K, err := to.Check(proof(r, from, 0, pairRows))
		if err != nil || from.Hash() != to.Hash() {
			t.Fatalf("k = %d: %v", k, err)
		}
		if err := correlated(from.Rows(), K, x, d.Choice); err != nil {
			t.Errorf("k = %d: %v", k, err)
		}
		keys, all := to.Pairs(), uint64(0)
		for p, m := range from.Pairs() {
			for h := range 2 {
				at := pairRows + h*pairCount + p
				bit := uint64(x[at/8] >> (at % 8) & 1)
				if narrowRow(m, h) != narrowRow(keys[p], h)^d.Choice.Lo&narrowMask.Lo&-bit || narrowRow(m, h)>>NarrowColumns != 0 {
					t.Fatalf("k = %d: row %d of pair %d", k, h, p)
				}
				all |= narrowRow(m, h)
			}
		}
		if all != narrowMask.Lo {
			t.Errorf("k = %d: columns %x", k, all)
		}
	}
}

// TestPairsChecked: who puts another bit into one tree of the narrow columns, or
// says another x̃ or t̃, passes only where the tree's bits of Choice are zero.
func TestPairsChecked(t *testing.T) {
	const k = 4
	l := newLayout(k, pairRows, pairCount)
	behind := l.corrections() + l.check()
	passed := 0
	for seed := range uint64(160) {
		r := rng(400 + seed)
		s, d := dealt(r)
		x := randBytes(r, pairRows/8+2*pairCount/8)
		from := NewExtReceiver(testSID, k, s, 0, 1, pairRows, pairCount, x)
		tree := int(seed) % (NarrowColumns / k)
		msg := bytes.Clone(from.Message())
		msg[behind+tree*l.longest()+l.wide()+int(seed)%(2*l.narrow())] ^= 1 << (seed % 8)
		to, err := NewExtSender(testSID, k, d, 0, 1, pairRows, pairCount).Receive(msg)
		if err != nil {
			t.Fatal(err)
		}
		chi := chis(r, pairCount)
		to.CheckPairs(chi, from.XTildePairs(chi), from.TildePairs(chi))
		_, err = to.Check(proof(r, from, 0, pairRows))
		lucky := d.Choice.Lo>>(tree*k)&(1<<k-1) == 0
		if (err == nil) != lucky || (to.Pairs() != nil) != lucky {
			t.Fatalf("seed %d: bits of Choice zero: %v, %v", seed, lucky, err)
		}
		if lucky {
			passed++
		}
	}
	if passed == 0 || passed > 40 {
		t.Errorf("%d of 160 passed, where 10 are to be expected", passed)
	}

	r := rng(399)
	s, d := dealt(r)
	from := NewExtReceiver(testSID, k, s, 0, 1, pairRows, pairCount, randBytes(r, 200))
	chi := chis(r, pairCount)
	x, tag := from.XTildePairs(chi), from.TildePairs(chi)
	for name, change := range map[string]func(){
		"first x":  func() { x[0].Hi ^= 4 },
		"second x": func() { x[1].Lo ^= 1 },
		"t":        func() { tag[7] ^= 1 },
	} {
		keep, kept := x, tag
		change()
		to, err := NewExtSender(testSID, k, d, 0, 1, pairRows, pairCount).Receive(from.Message())
		if err != nil {
			t.Fatal(err)
		}
		to.CheckPairs(chi, x, tag)
		if rows, err := to.Check(proof(r, from, 0, pairRows)); !errors.Is(err, ErrCheck) || rows != nil || to.Pairs() != nil {
			t.Errorf("%s: %v", name, err)
		}
		x, tag = keep, kept
	}
}

// TestPairsMisuse: pairs without their check are a mistake of the caller.
func TestPairsMisuse(t *testing.T) {
	r := rng(398)
	s, d := dealt(r)
	from := NewExtReceiver(testSID, 8, s, 0, 1, pairRows, pairCount, randBytes(r, 200))
	to, err := NewExtSender(testSID, 8, d, 0, 1, pairRows, pairCount).Receive(from.Message())
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]func(){
		"no check": func() { _, _ = to.Check(proof(r, from, 0, pairRows)) },
		"rows":     func() { NewExtSender(testSID, 8, d, 0, 1, 100, pairCount) },
		"pairs":    func() { NewExtSender(testSID, 8, d, 0, 1, pairRows, 100) },
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
