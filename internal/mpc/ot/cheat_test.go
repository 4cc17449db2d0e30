package ot

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"testing"

	"github.com/angler-dex/angler/internal/mpc/block"
)

const cheatRows = 200

// attempt runs one extension whose message and proof a cheat has changed, against a
// fresh honest holder of Δ. It returns the verdict, and fails the test if what was
// accepted is not M = K ⊕ x·Δ for the cheat's own M and x.
func attempt(t *testing.T, k int, r func() (*BaseSender, *BaseReceiver), change func(f *forged)) (accepted bool, delta block.Block) {
	t.Helper()
	s, d := r()
	g := rng(uint64(d.ID[0]) | uint64(d.ID[1])<<8 | uint64(d.ID[2])<<16)
	x := randBytes(g, cheatRows/8)
	from := NewExtReceiver(testSID, k, s, testFrom, testTo, cheatRows, 0, x)
	f := &forged{from: from, base: s, msg: bytes.Clone(from.Message()), M: append([]block.Block(nil), from.Rows()...), chi: chis(g, cheatRows), x: x, layout: newLayout(k, cheatRows, 0)}
	f.xTilde = from.XTilde(0, cheatRows, f.chi)
	f.sums = block.ColumnSums(f.M, f.chi)
	change(f)
	tag := f.tag
	if tag == ([32]byte{}) {
		tag = from.oracle.tilde(0, cheatRows, &f.sums)
	}
	got, err := NewExtSender(testSID, k, d, testFrom, testTo, cheatRows, 0).Receive(f.msg)
	if err != nil {
		t.Fatalf("well-formed message: %v", err)
	}
	if fair := from.Hash() == got.Hash(); fair != bytes.Equal(f.msg, from.Message()) {
		t.Fatal("hash does not tell whether the message is the one hashed")
	}
	K, err := got.Check(Range{0, cheatRows, f.chi, f.xTilde, tag})
	if err != nil {
		if !errors.Is(err, ErrCheck) || K != nil {
			t.Fatalf("%v, %d rows", err, len(K))
		}
		wiped(t, got)
		return false, d.Choice
	}
	if err := correlated(f.M, K, f.x, d.Choice); err != nil {
		t.Fatalf("accepted and wrong: %v", err)
	}
	return true, d.Choice
}

// wiped fails the test if anything is left of an extension.
func wiped(t *testing.T, u *Unchecked) {
	t.Helper()
	all := u.choice
	for _, rows := range [][]block.Block{u.rows, u.pairs} {
		for _, b := range rows {
			all.Lo |= b.Lo
			all.Hi |= b.Hi
		}
	}
	if !all.IsZero() {
		t.Error("rows of an extension that failed are left")
	}
}

// What an extension was made in holds nothing of it afterwards.
func TestRoomIsWiped(t *testing.T) {
	r := borrow(newLayout(4, 256, 128))
	for k := range r.columns {
		r.columns[k] = 0xff
	}
	for k := range r.leaves {
		r.leaves[k].Lo = 1
	}
	r.seeds[9].Hi = 1
	columns, leaves, seeds := r.columns, r.leaves, &r.seeds
	r.giveBack()
	if bytes.Count(columns, []byte{0}) != len(columns) || leaves[3].Lo != 0 || seeds[9].Hi != 0 {
		t.Error("not wiped")
	}
}

// forged is what the cheat may touch: its message and proof, and what it will claim
// its own M to be.
type forged struct {
	layout
	from   *ExtReceiver
	base   *BaseSender
	msg    []byte
	x      []byte
	M      []block.Block
	chi    []block.Block
	xTilde block.Block
	sums   [128]block.Block
	tag    [32]byte // if set, sent in place of the hash of sums
}

func (f *forged) corrections() []byte { c, _, _ := f.parts(f.msg); return c }
func (f *forged) check() []byte       { _, c, _ := f.parts(f.msg); return c }
func (f *forged) u(i int) []byte {
	_, _, u := f.parts(f.msg)
	return u[i*f.wide():][:f.wide()]
}

func dealer(seed uint64) func() (*BaseSender, *BaseReceiver) {
	r := rng(seed)
	return func() (*BaseSender, *BaseReceiver) { return dealt(r) }
}

// group returns the k bits of delta that belong to tree i.
func group(delta block.Block, k, i int) (v uint64) {
	for b := range k {
		v |= delta.Bit(i*k+b) << b
	}
	return v
}

// The holder of Δ uses the correction of side 1−Δ_c of a level. So a flipped bit in that of
// side v is noticed if Δ_c = 1−v and has no effect at all if Δ_c = v: the selective
// failure, one bit of Δ at even odds.
func TestFlippedCorrection(t *testing.T) {
	for _, k := range []int{2, 4, 8} {
		deal, runs, seen := dealer(uint64(20+k)), 24, [2]int{}
		for n := range runs {
			tree, level, side := n%(Base/k), 2+n%(k-1), n/2%2
			accepted, delta := attempt(t, k, deal, func(f *forged) {
				f.corrections()[tree*treeCorrections(k)+((level-2)*2+side)*block.Size+n%16] ^= 1 << (n % 8)
			})
			unused := delta.Bit(tree*k+k-level) == uint64(side)
			if accepted != unused {
				t.Fatalf("k = %d, tree %d, level %d, side %d: accepted %v, Δ bit %v", k, tree, level, side, accepted, unused)
			}
			seen[delta.Bit(tree*k+k-level)]++
		}
		if seen[0] == 0 || seen[1] == 0 {
			t.Fatalf("k = %d: only one case occurred: %v", k, seen)
		}
	}
}

func TestFlippedPPRFCheck(t *testing.T) {
	for _, k := range []int{2, 4, 8} {
		deal := dealer(uint64(30 + k))
		for n := range 24 {
			accepted, _ := attempt(t, k, deal, func(f *forged) {
				f.check()[(n*37)%len(f.check())] ^= 1 << (n % 8)
			})
			if accepted {
				t.Fatalf("k = %d, run %d: accepted", k, n)
			}
		}
	}
}

// Other leaves for some values of Δ's bits: corrections that are wrong on one side of
// the last level of tree 0, and a check, u and t̃ that are right for whoever has `guess`
// as its bits. It passes for the guess, and for others only with what is one tree to
// them all: attempt compares the rows.
func TestConsistentlyWrongTree(t *testing.T) {
	for _, k := range []int{2, 4} {
		deal, passed, runs := dealer(uint64(40+k)), 0, 32
		for n := range runs {
			guess := uint64(n % (1 << k))
			accepted, delta := attempt(t, k, deal, func(f *forged) {
				f.corrections()[(k-2)*2*block.Size] ^= 1 // last level, side 0
				f.rebuild(guess)
			})
			if group(delta, k, 0) == guess && !accepted {
				t.Fatalf("k = %d: the right guess %d was refused", k, guess)
			}
			if accepted {
				passed++
			}
		}
		if passed == 0 || passed == runs {
			t.Fatalf("k = %d: %d of %d passed: the guess does not matter", k, passed, runs)
		}
	}
}

// rebuild makes the PPRF check, and u, M and t̃ of tree 0, from the leaves of tree 0 that the
// holder of guess computes by the corrections as they stand.
func (f *forged) rebuild(guess uint64) {
	o := f.from.oracle
	p := newPPRF(f.k, &o, f.base.ID)
	seeds := make([]block.Block, 0, 2*Base)
	for _, pair := range f.base.Pairs {
		seeds = append(seeds, pair[:]...)
	}
	p.seeds(seeds)
	leaves, tags := make([]block.Block, f.leaves()), make([]byte, f.leaves()*leafTagSize)
	digest := o.stream("pprf check")
	for i := range f.trees() {
		f.leavesOf(p, leaves, i, seeds[2*i*f.k:][:2*f.k], guess)
		p.tags(tags, leaves, i)
		sum := sumTags(tags)
		copy(f.check()[i*leafTagSize:], sum[:])
		digest.Write(tags)
	}
	digest.Sum(f.check()[:f.trees()*leafTagSize])

	f.leavesOf(p, leaves, 0, seeds[:2*f.k], guess)
	p.streams(leaves, 0)
	columns := make([]byte, Base*f.stride())
	p.fold(columns, f.stride(), f.u(0), leaves)
	block.XorBytes(f.u(0), f.u(0), f.x)
	rows := make([]block.Block, f.rows)
	block.Transpose(rows, columns, f.stride(), f.rows)
	low := block.Block{Lo: 1<<f.k - 1}
	for j := range f.M {
		f.M[j] = f.M[j].Xor(f.M[j].And(low)).Xor(rows[j].And(low))
	}
	f.sums = block.ColumnSums(f.M, f.chi)
}

// leavesOf computes a tree's leaves; in tree 0, all but the guess from the corrections sent.
func (f *forged) leavesOf(p *pprf, leaves []block.Block, tree int, seeds []block.Block, guess uint64) {
	p.expand(leaves, nil, tree, seeds)
	if tree != 0 {
		return
	}
	own, chosen := leaves[guess], make([]block.Block, f.k)
	for b := range chosen {
		chosen[b] = seeds[2*b+int(guess>>b&1)]
	}
	p.puncture(leaves, f.corrections(), 0, guess, chosen)
	leaves[guess] = own
}

// One bit of u_i is another x towards group i of Δ alone: noticed unless the group is zero, when
// it has no effect.
func TestFlippedU(t *testing.T) {
	for _, k := range []int{1, 2, 4, 8} {
		deal, runs, passed := dealer(uint64(50+k)), 32, 0
		for n := range runs {
			tree, row := n%(Base/k), (n*61)%cheatRows
			accepted, delta := attempt(t, k, deal, func(f *forged) { f.u(tree)[row/8] ^= 1 << (row % 8) })
			if accepted != (group(delta, k, tree) == 0) {
				t.Fatalf("k = %d, tree %d, row %d: accepted %v, group %d", k, tree, row, accepted, group(delta, k, tree))
			}
			if accepted {
				passed++
			}
		}
		if k <= 2 && (passed == 0 || passed == runs) {
			t.Fatalf("k = %d: %d of %d passed", k, passed, runs)
		}
	}
}

// The same with a guess g of the group, and a t̃ that is right for it: passes for g alone (2^-k),
// and then M with g added in that row is a valid MAC.
func TestFlippedUWithGuess(t *testing.T) {
	for _, k := range []int{1, 2, 4} {
		deal, runs, passed := dealer(uint64(60+k)), 64, 0
		for n := range runs {
			tree, row, g := n%(Base/k), (n*61)%(cheatRows-128), uint64(n)%(1<<k)
			accepted, delta := attempt(t, k, deal, func(f *forged) {
				f.u(tree)[row/8] ^= 1 << (row % 8)
				var e block.Block
				for b := range k {
					c := tree*k + b
					f.sums[c] = f.sums[c].Xor(f.chi[row].Mask(g >> b))
					if g>>b&1 == 1 && c < 64 {
						e.Lo |= 1 << c
					} else if g>>b&1 == 1 {
						e.Hi |= 1 << (c - 64)
					}
				}
				f.M[row] = f.M[row].Xor(e)
			})
			if accepted != (group(delta, k, tree) == g) {
				t.Fatalf("k = %d: accepted %v, group %d, guess %d", k, accepted, group(delta, k, tree), g)
			}
			if accepted {
				passed++
			}
		}
		if passed == 0 || passed == runs {
			t.Fatalf("k = %d: %d of %d passed", k, passed, runs)
		}
	}
}

// One bit of x in every u_i is another x, and one that x̃ denies.
func TestAnotherX(t *testing.T) {
	for _, k := range []int{1, 4, 8} {
		deal := dealer(uint64(70 + k))
		for n := range 10 {
			row := (n * 61) % cheatRows
			flip := func(f *forged) {
				for i := range f.trees() {
					f.u(i)[row/8] ^= 1 << (row % 8)
				}
			}
			if accepted, _ := attempt(t, k, deal, flip); accepted {
				t.Fatal("x̃ of another x was accepted")
			}
			accepted, _ := attempt(t, k, deal, func(f *forged) {
				flip(f)
				f.x[row/8] ^= 1 << (row % 8)
				f.xTilde = f.xTilde.Xor(f.chi[row])
			})
			if !accepted {
				t.Fatal("a consistent x was refused")
			}
		}
	}
}

func TestFlippedTildes(t *testing.T) {
	for _, k := range []int{1, 2, 4, 8} {
		deal := dealer(uint64(80 + k))
		for n := range 16 {
			one := block.Block{Lo: 1 << (n * 4)}
			for name, change := range map[string]func(f *forged){
				"x̃":      func(f *forged) { f.xTilde = f.xTilde.Xor(one) },
				"t̃":      func(f *forged) { f.sums[n*8] = f.sums[n*8].Xor(one) },
				"t̃ hash": func(f *forged) { f.tag = sha256.Sum256([]byte{byte(n)}) },
			} {
				if accepted, _ := attempt(t, k, deal, change); accepted {
					t.Fatalf("k = %d: a flipped %s was accepted", k, name)
				}
			}
		}
	}
}

// A range that fails fails all, in whatever place it stands.
func TestOneBadRangeOfTwo(t *testing.T) {
	r := rng(90)
	for bad := range 2 {
		s, d := dealt(r)
		from := NewExtReceiver(testSID, 4, s, 0, 1, 300, 0, randBytes(r, 38))
		to, err := NewExtSender(testSID, 4, d, 0, 1, 300, 0).Receive(from.Message())
		if err != nil {
			t.Fatal(err)
		}
		ranges := []Range{proof(r, from, 0, 150), proof(r, from, 150, 300)}
		ranges[bad].XTilde = ranges[bad].XTilde.Xor(block.Block{Hi: 4})
		if _, err := to.Check(ranges...); !errors.Is(err, ErrCheck) {
			t.Fatalf("range %d: %v", bad, err)
		}
	}
}

func TestMalformedExtension(t *testing.T) {
	r := rng(91)
	for _, k := range []int{1, 2, 4, 8} {
		s, d := dealt(r)
		msg := NewExtReceiver(testSID, k, s, 0, 1, 203, 0, randBytes(r, 26)).Message()
		to := NewExtSender(testSID, k, d, 0, 1, 203, 0)
		for _, m := range [][]byte{nil, msg[:1], msg[:len(msg)-1], append(bytes.Clone(msg), 0), append(bytes.Clone(msg), msg...)} {
			if _, err := to.Receive(m); !errors.Is(err, ErrLength) {
				t.Errorf("k = %d, %d bytes: %v", k, len(m), err)
			}
		}
		l := newLayout(k, 203, 0)
		for i := range l.trees() {
			for bit := 3; bit < 8; bit++ { // 203 = 25·8 + 3
				m := bytes.Clone(msg)
				m[len(m)-1-i*l.wide()] ^= 1 << bit
				if _, err := to.Receive(m); !errors.Is(err, ErrPadding) {
					t.Fatalf("k = %d, tree %d, padding bit %d: %v", k, l.trees()-1-i, bit, err)
				}
			}
		}
	}
}
