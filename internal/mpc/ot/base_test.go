package ot

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"filippo.io/edwards25519"

	"github.com/angler-dex/angler/internal/mpc/block"
	"github.com/angler-dex/angler/internal/mpc/ot/ristretto"
)

func newBase(t testing.TB, sid [32]byte, self, peer int, choice block.Block, rnd io.Reader) *BaseOT {
	t.Helper()
	b, err := NewBaseOT(sid, self, peer, choice, rnd)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func finish(t testing.TB, b *BaseOT, msg []byte) (*BaseSender, *BaseReceiver) {
	t.Helper()
	s, r, err := b.Finish(msg)
	if err != nil {
		t.Fatal(err)
	}
	return s, r
}

// agree counts the OTs in which the chosen seed is the one of the pair, and those in
// which it is the other one.
func agree(s *BaseSender, d *BaseReceiver) (chosen, other int) {
	for c := range s.Pairs {
		bit := d.Choice.Bit(c)
		if s.Pairs[c][bit] == d.Seeds[c] {
			chosen++
		}
		if s.Pairs[c][1-bit] == d.Seeds[c] {
			other++
		}
	}
	return chosen, other
}

func TestBaseOT(t *testing.T) {
	r := rng(10)
	da, db := randBlock(r), randBlock(r)
	a, b := newBase(t, testSID, 0, 4, da, r), newBase(t, testSID, 4, 0, db, r)
	if len(a.Message()) != BaseMessageSize {
		t.Fatal(len(a.Message()))
	}
	bMessage := bytes.Clone(b.Message())
	as, ad := finish(t, a, b.Message())
	bs, bd := finish(t, b, a.Message())
	if !bytes.Equal(b.Message(), bMessage) {
		t.Fatal("message changed")
	}
	if ad.Choice != da || bd.Choice != db || as.ID != bd.ID || bs.ID != ad.ID || as.ID == bs.ID {
		t.Fatal("choice or id")
	}
	for _, e := range []struct {
		s *BaseSender
		d *BaseReceiver
	}{{as, bd}, {bs, ad}} {
		if chosen, other := agree(e.s, e.d); chosen != Base || other != 0 {
			t.Fatalf("%d chosen seeds, %d others", chosen, other)
		}
	}
	seen := map[block.Block]bool{}
	for c := range Base {
		for _, v := range append(as.Pairs[c][:], bs.Pairs[c][:]...) {
			if seen[v] {
				t.Fatal("a seed occurs twice")
			}
			seen[v] = true
		}
	}
}

// The seeds belong to session and ordered pair.
func TestBaseOTIsBound(t *testing.T) {
	r := rng(11)
	b := newBase(t, testSID, 4, 0, randBlock(r), r)
	coins := randBytes(r, 1<<15)
	choice := randBlock(r)
	for name, a := range map[string]*BaseOT{
		"session": newBase(t, [32]byte{9}, 0, 4, choice, bytes.NewReader(coins)),
		"self":    newBase(t, testSID, 1, 4, choice, bytes.NewReader(coins)),
		"roles":   newBase(t, testSID, 4, 0, choice, bytes.NewReader(coins)),
	} {
		as, ad := finish(t, a, b.Message())
		copyOfB := twin(b)
		bs, bd := finish(t, copyOfB, a.Message())
		for _, n := range []int{first(agree(as, bd)), first(agree(bs, ad))} {
			if n != 0 {
				t.Errorf("%s: %d seeds agree", name, n)
			}
		}
		if as.ID == bd.ID || bs.ID == ad.ID {
			t.Errorf("%s: the same id", name)
		}
	}
}

func first(a, _ int) int { return a }

// A message sent back to its author is another direction.
func TestBaseOTReflected(t *testing.T) {
	r := rng(12)
	a := newBase(t, testSID, 0, 1, randBlock(r), r)
	s, d := finish(t, a, a.Message())
	if chosen, other := agree(s, d); chosen+other != 0 || s.ID == d.ID {
		t.Fatalf("%d + %d seeds agree", chosen, other)
	}
}

func TestBaseOTRefuses(t *testing.T) {
	r := rng(13)
	a, b := newBase(t, testSID, 0, 1, randBlock(r), r), newBase(t, testSID, 1, 0, randBlock(r), r)
	for _, n := range []int{0, 1, 32, BaseMessageSize - 1, BaseMessageSize + 1} {
		if _, _, err := a.Finish(make([]byte, n)); !errors.Is(err, ErrLength) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	identity := make([]byte, 32)
	nonCanonical := bytes.Repeat([]byte{0xff}, 32)
	negative := append([]byte{1}, make([]byte, 31)...)
	for _, at := range []int{0, 1, 2, 100, 2 * Base} { // A, then r
		for name, enc := range map[string][]byte{"identity": identity, "non-canonical": nonCanonical, "negative": negative} {
			msg := bytes.Clone(b.Message())
			copy(msg[at*32:], enc)
			if _, _, err := a.Finish(msg); !errors.Is(err, ErrPoint) {
				t.Errorf("%s at %d: %v", name, at, err)
			}
		}
	}
	finish(t, a, b.Message()) // a refused message spends nothing
}

// Another valid element in place of one: the ids differ, so the sets do not fit.
func TestBaseOTElementReplaced(t *testing.T) {
	r := rng(14)
	b := newBase(t, testSID, 1, 0, randBlock(r), r)
	s, err := edwards25519.NewScalar().SetUniformBytes(randBytes(r, 64))
	if err != nil {
		t.Fatal(err)
	}
	enc := ristretto.BaseMul(s).Encode()
	for _, at := range []int{0, 1, 2, 2 * Base} {
		a := newBase(t, testSID, 0, 1, randBlock(r), r)
		msg := bytes.Clone(b.Message())
		copy(msg[at*32:], enc[:])
		copyOfB := twin(b)
		as, ad := finish(t, a, msg)
		bs, bd := finish(t, copyOfB, a.Message())
		if at == 0 { // A is for the direction in which a holds Δ
			if bs.ID == ad.ID || first(agree(bs, ad)) != 0 {
				t.Error("another A went unnoticed")
			}
			continue
		}
		if as.ID == bd.ID {
			t.Error("another r went unnoticed")
		}
		if chosen, _ := agree(as, bd); chosen != Base-1 { // that OT alone
			t.Errorf("%d seeds agree", chosen)
		}
	}
}

// twin is a party of its own in the state of b.
func twin(b *BaseOT) *BaseOT {
	c := *b
	c.s = edwards25519.NewScalar().Set(b.s)
	for k, t := range b.t {
		c.t[k] = edwards25519.NewScalar().Set(t)
	}
	return &c
}

// What the holder of Δ sends says nothing of Δ: the same coins in the role of either
// branch give the same distribution, of which the simplest statistic is pinned here:
// with r_{c,1−b} replayed and t_c the same, the elements change place and no encoding repeats.
func TestBaseOTChoiceMovesTheRandomElement(t *testing.T) {
	coins := randBytes(rng(15), 1<<15)
	zero := newBase(t, testSID, 0, 1, block.Block{}, bytes.NewReader(coins)).Message()
	ones := newBase(t, testSID, 0, 1, block.Block{Lo: ^uint64(0), Hi: ^uint64(0)}, bytes.NewReader(coins)).Message()
	if !bytes.Equal(zero[:32], ones[:32]) {
		t.Fatal("A depends on the choice")
	}
	for c := range Base {
		z, o := zero[32+64*c:][:64], ones[32+64*c:][:64]
		if !bytes.Equal(z[32:], o[:32]) { // r_1 of b = 0 is r_0 of b = 1: the uniform one
			t.Fatalf("OT %d: the uniform element is not at 1−b", c)
		}
		if bytes.Equal(z[:32], o[32:]) {
			t.Fatalf("OT %d: H does not depend on the branch", c)
		}
	}
}

func TestBaseOTNeedsRandomness(t *testing.T) {
	if _, err := NewBaseOT(testSID, 0, 1, block.Block{}, bytes.NewReader(make([]byte, 1000))); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatal(err)
	}
}

// The whole way: base OTs, then the extension, in both directions.
func TestBaseOTThenExtension(t *testing.T) {
	r := rng(16)
	a, b := newBase(t, testSID, 0, 1, randBlock(r), r), newBase(t, testSID, 1, 0, randBlock(r), r)
	as, ad := finish(t, a, b.Message())
	bs, bd := finish(t, b, a.Message())
	for _, e := range []struct {
		s        *BaseSender
		d        *BaseReceiver
		from, to int
	}{{as, bd, 0, 1}, {bs, ad, 1, 0}} {
		x := randBytes(r, 40)
		from := NewExtReceiver(testSID, 8, e.s, e.from, e.to, 320, 0, x)
		to, err := NewExtSender(testSID, 8, e.d, e.from, e.to, 320, 0).Receive(from.Message())
		if err != nil {
			t.Fatal(err)
		}
		K, err := to.Check(proof(r, from, 0, 320))
		if err != nil {
			t.Fatal(err)
		}
		if err := correlated(from.Rows(), K, x, e.d.Choice); err != nil {
			t.Fatal(err)
		}
	}
}
