package ot

import (
	"crypto/subtle"
	"encoding/binary"
	"errors"

	"github.com/angler-dex/angler/internal/mpc/block"
)

// Errors of an extension. After any of them the base set, Δ and all that was made
// with them are to be destroyed: see the package's comment.
var (
	ErrPadding = errors.New("padding bits of an OT extension are set")
	ErrCheck   = errors.New("OT extension is inconsistent")
)

// ExtSender is the side *to* of an extension, the holder of Δ, before the message
// has come.
type ExtSender struct {
	layout
	oracle oracle
	base   *BaseReceiver
}

// NewExtSender prepares for the message of an extension. The arguments are those
// of NewExtReceiver at the peer; to is this party's own index.
func NewExtSender(sid [32]byte, k int, base *BaseReceiver, from, to, rows, pairs int) *ExtSender {
	return &ExtSender{newLayout(k, rows, pairs), newOracle(sid, from, to), base}
}

// Unchecked is an extension whose message has come. Only Check leads to its rows.
type Unchecked struct {
	layout
	oracle oracle
	choice block.Block
	hash   [32]byte
	intact int // 1 if the PPRF check passed, and that of the pairs
	rows   []block.Block
	pairs  []block.Block
	both   bool // the pairs have been checked
}

// Receive takes the peer's message. Its errors are the peer's fault and follow
// from the message alone: ErrLength, ErrPadding. Whether the trees are
// consistent depends on Δ and is told by Check, with all the rest.
func (s *ExtSender) Receive(msg []byte) (*Unchecked, error) {
	l, k := s.layout, s.k
	if len(msg) != MessageSize(k, l.rows, l.pairs) {
		return nil, ErrLength
	}
	corrections, check, u := l.parts(msg)
	for i, at := 0, 0; i < l.trees(); i++ {
		if u[at+l.wide()-1]&^l.lastByte() != 0 {
			return nil, ErrPadding
		}
		at += l.column(i)
	}

	room := borrow(l)
	defer room.giveBack()
	p := newPPRF(k, &s.oracle, s.base.ID)
	seeds := (*[Base]block.Block)(room.seeds[:])
	*seeds = s.base.Seeds
	p.chosen(seeds, s.base.Choice)
	digest := s.oracle.stream("pprf check")
	tree, tags, columns := room.leaves, room.tags, room.columns
	for i := range l.trees() {
		delta := s.delta(i)
		p.puncture(tree, corrections[i*treeCorrections(k):], i, delta, seeds[i*k:][:k])
		if k > 1 {
			p.tags(tags, tree, i)
			completeTags(tags, delta, check[i*leafTagSize:][:leafTagSize])
			digest.Write(tags)
		}
		sum := room.sum[:l.column(i)]
		p.streams(tree, i)
		p.fold(columns[i*k*l.stride():], l.stride(), sum, tree)
		// w_c = v_c ⊕ Δ_c·(u ⊕ u ⊕ x)
		block.XorBytes(sum, sum, u)
		u = u[len(sum):]
		for b := range k {
			addMasked(columns[(i*k+b)*l.stride():][:len(sum)], sum, s.base.Choice.Bit(i*k+b))
		}
	}
	consistent := 1
	if k > 1 {
		consistent = subtle.ConstantTimeCompare(digest.Sum(nil), check[l.trees()*leafTagSize:])
	}
	out := &Unchecked{
		layout: l, oracle: s.oracle, choice: s.base.Choice,
		hash: s.oracle.extension(l, s.base.ID, msg), intact: consistent,
		rows: make([]block.Block, l.rows),
	}
	block.Transpose(out.rows, columns, l.stride(), l.rows)
	out.pairs = l.transposePairs(columns)
	return out, nil
}

// delta returns the k bits of the choice that tree i punctures.
func (s *ExtSender) delta(i int) (d uint64) {
	for b := range s.k {
		d |= s.base.Choice.Bit(i*s.k+b) << uint(b)
	}
	return d
}

// addMasked adds src to dst if bit is 1, without a branch.
func addMasked(dst, src []byte, bit uint64) {
	m := -(bit & 1)
	for ; len(dst) >= 8 && len(src) >= 8; dst, src = dst[8:], src[8:] {
		binary.LittleEndian.PutUint64(dst, binary.LittleEndian.Uint64(dst)^binary.LittleEndian.Uint64(src)&m)
	}
	for k := range dst {
		dst[k] ^= src[k] & byte(m)
	}
}

// Hash returns h of the message that came: what the peer's broadcast must say.
func (u *Unchecked) Hash() [32]byte { return u.hash }

// Range is the consistency check of the rows Lo ≤ r < Hi. Chi has Hi − Lo
// coefficients; XTilde and TTilde are what the peer sent.
type Range struct {
	Lo, Hi int
	Chi    []block.Block
	XTilde block.Block
	TTilde [32]byte
}

// CheckPairs verifies the pairs of narrow rows, before Check, which gives the
// verdict: the same check as that of a range, over the columns that they have, of
// the first rows and of the second, with one χ. xTilde and tTilde are what the peer
// sent.
func (u *Unchecked) CheckPairs(chi []block.Block, xTilde [2]block.Block, tTilde [32]byte) {
	sums := block.ColumnSums(u.pairs, chi[:u.layout.pairs])
	for c := range NarrowColumns {
		for h, x := range xTilde {
			at := &sums[h*narrowHigh+c]
			*at = at.Xor(x.Mask(u.choice.Bit(c)))
		}
	}
	want := u.oracle.tildePairs(&sums)
	u.intact &= subtle.ConstantTimeCompare(want[:], tTilde[:])
	u.both = true
}

// Pairs returns K of the pairs, nil unless Check has passed.
func (u *Unchecked) Pairs() []block.Block {
	if u.intact != 1 || !u.both {
		return nil
	}
	return u.pairs
}

// Check verifies the trees and the ranges, which follow each other and cover
// all rows, and returns K: M_r = K_r ⊕ x_r·Choice. With q̃_c = Σ χ_r·K_r.Bit(c) it asks,
// column by column, for t̃_c = q̃_c ⊕ Choice_c·x̃ (Roy22, section 4; the universal
// hash is a linear form over GF(2^128)). There is one verdict, nil or ErrCheck, after
// everything has been computed.
func (u *Unchecked) Check(ranges ...Range) ([]block.Block, error) {
	at, ok := 0, u.intact
	for _, r := range ranges {
		if r.Lo != at || r.Hi <= r.Lo || r.Hi > u.layout.rows || len(r.Chi) != r.Hi-r.Lo {
			panic("ot: ranges do not follow each other")
		}
		at = r.Hi
		sums := block.ColumnSums(u.rows[r.Lo:r.Hi], r.Chi)
		for c := range sums {
			sums[c] = sums[c].Xor(r.XTilde.Mask(u.choice.Bit(c)))
		}
		want := u.oracle.tilde(r.Lo, r.Hi, &sums)
		ok &= subtle.ConstantTimeCompare(want[:], r.TTilde[:])
	}
	if at != u.layout.rows || u.layout.pairs > 0 && !u.both {
		panic("ot: rows without a check")
	}
	u.intact = ok
	if ok != 1 {
		u.Destroy()
		return nil, ErrCheck
	}
	return u.rows, nil
}

// Destroy wipes the rows of an extension that comes to nothing: with what its peer
// knows, they tell Choice.
func (u *Unchecked) Destroy() {
	clear(u.rows)
	clear(u.pairs)
	u.choice = block.Block{}
}
