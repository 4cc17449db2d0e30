package auth

import (
	"crypto/subtle"
	"errors"
	"slices"
	"sync"

	"github.com/angler-dex/angler/internal/mpc/block"
	"github.com/angler-dex/angler/internal/mpc/oracle"
	"github.com/angler-dex/angler/internal/mpc/ot"
)

// Params are the public parameters of the extension among all parties, and
// this party's Δ.
type Params struct {
	SID    [32]byte
	Self   int
	K      int     // SoftSpoken's k
	Shapes []Shape // region A of each party
	Delta  block.Block
}

// Base is what base OTs with one peer left: its Sender is used to authenticate
// this party's bits, its Receiver to hold keys of the peer's bits. A cached
// (warm) Receiver has a Choice other than Δ.
type Base struct {
	Sender   *ot.BaseSender
	Receiver *ot.BaseReceiver
}

// Proof is what a party says about the bits that it has put into its
// extensions, for the checks of its peers.
type Proof struct {
	H      []byte         // h_i: one hash of the extension towards each party, own place zero; broadcast
	X      block.Block    // x̃ of region A's rows; broadcast
	T      [][32]byte     // hash of t̃ of region A's rows, by peer
	XN     [2]block.Block // x̃ of its narrow rows, of y and of r; broadcast
	TN     [][32]byte     // hash of their t̃, by peer
	XB     []block.Block
	TB     [][32]byte
	Offset []block.Block // δ = c ⊕ Δ, by peer; sent where the pair's set was cached

	chi, chiN []block.Block // the coefficients of region A: of its rows, of its pairs
}

// Claim is the part of a peer's Proof that concerns one party, with the
// extension's message.
type Claim struct {
	U, H   []byte
	X      block.Block
	T      [32]byte
	XN     [2]block.Block
	TN     [32]byte
	XB     block.Block
	TB     [32]byte
	Offset block.Block // zero where the set is not a cached one
}

// Extension is a party's side of the OT extensions with all its peers, in both
// directions: SoftSpoken (Roy22, eprint 2022/192), malicious, with its
// consistency check made non-interactive.
//
//	i: M rows of own bits                    j: K rows, Choice_j
//	   u_ij (with PPRF corrections, check) ──▶
//	   h_i = (H(base id ‖ u_ij))_j         ──▶ h_ij matches
//	   χ_i = RO(sid, i, h_i): x̃_i, t̃_ij   ──▶ q̃ = t̃ ⊕ x̃·Choice_j, column by column
//	   χ'_ij = RO(sid, B, i, j, h_i): x̃', t̃' ▶ the same over region B
//	   δ_i (cached sets only)              ──▶ M' = M ⊕ x·δ_i at j
//
// Choices[j] is this party's packed bits towards j: the rows of the common region
// A, those of the pair's region B, the narrow rows of region A (see Shape).
type Extension struct {
	Params
	choices [][]byte
	base    []Base
	mine    []*ot.ExtReceiver // by peer: own bits, under the peer's choice
	keys    [][]block.Block   // by peer: K of its bits, once checked
	narrow  [][]block.Block   // … of its narrow ones
	offset  []block.Block     // δ of each peer
}

// NewExtension starts with each peer; nothing is computed yet.
func NewExtension(p Params, base []Base, choices [][]byte) *Extension {
	n := len(p.Shapes)
	return &Extension{Params: p, choices: choices, base: base, mine: make([]*ot.ExtReceiver, n), keys: make([][]block.Block, n), narrow: make([][]block.Block, n), offset: make([]block.Block, n)}
}

// Extend extends this party's bits towards party j and returns the message to
// it. Calls for different peers may run at once.
func (e *Extension) Extend(j int) []byte {
	e.mine[j] = ot.NewExtReceiver(e.SID, e.K, e.base[j].Sender, e.Self, j, e.Shapes[e.Self].Rows(), e.Shapes[e.Self].Pairs(), e.choices[j])
	return e.mine[j].Message()
}

// Begin starts the proof; call it after Extend to every peer.
func (e *Extension) Begin() *Proof {
	n := len(e.Shapes)
	p := &Proof{H: make([]byte, n*oracle.Size), T: make([][32]byte, n), TN: make([][32]byte, n), XB: make([]block.Block, n), TB: make([][32]byte, n), Offset: make([]block.Block, n)}
	for j, r := range e.mine {
		if r != nil {
			h := r.Hash()
			copy(p.H[j*oracle.Size:], h[:])
		}
	}
	j := (e.Self + 1) % n // any peer: region A is the same towards all
	p.chi = coefficients(e.Shapes[e.Self].RowsA(), e.seedA(e.Self, p.H))
	p.X = e.mine[j].XTilde(0, len(p.chi), p.chi)
	p.chiN = coefficients(e.Shapes[e.Self].Pairs(), e.seedN(e.Self, p.H))
	p.XN = e.mine[j].XTildePairs(p.chiN)
	return p
}

// Prove adds the part for party j. Calls for different peers may run at once.
func (e *Extension) Prove(p *Proof, j int) {
	a, rows := e.Shapes[e.Self].RowsA(), e.Shapes[e.Self].Rows()
	p.T[j] = e.mine[j].Tilde(0, a, p.chi)
	p.TN[j] = e.mine[j].TildePairs(p.chiN)
	chi := coefficients(RowsB, e.seedB(e.Self, j, p.H))
	p.XB[j] = e.mine[j].XTilde(a, rows, chi)
	p.TB[j] = e.mine[j].Tilde(a, rows, chi)
	p.Offset[j] = e.base[j].Receiver.Choice.Xor(e.Delta)
}

// Check verifies what party i sent: the lengths and the PPRF check of its
// extension, that h_i fits it, and both regions' consistency. Calls for
// different peers may run at once.
func (e *Extension) Check(i int, c Claim) error {
	a, rows := e.Shapes[i].RowsA(), e.Shapes[i].Rows()
	if !zero(c.H[i*oracle.Size:][:oracle.Size]) {
		return errors.New("a hash of an extension to oneself")
	}
	u, err := ot.NewExtSender(e.SID, e.K, e.base[i].Receiver, i, e.Self, rows, e.Shapes[i].Pairs()).Receive(c.U)
	if err != nil {
		return err
	}
	h := u.Hash()
	if subtle.ConstantTimeCompare(h[:], c.H[e.Self*oracle.Size:][:oracle.Size]) != 1 {
		u.Destroy()
		return ErrHash
	}
	chi := coefficientRooms.Get().(*[]block.Block)
	defer coefficientRooms.Put(chi)
	u.CheckPairs(fill(chi, e.Shapes[i].Pairs(), e.seedN(i, c.H)), c.XN, c.TN)
	e.keys[i], err = u.Check(
		ot.Range{Lo: 0, Hi: a, Chi: fill(chi, a, e.seedA(i, c.H)), XTilde: c.X, TTilde: c.T},
		ot.Range{Lo: a, Hi: rows, Chi: coefficients(RowsB, e.seedB(i, e.Self, c.H)), XTilde: c.XB, TTilde: c.TB},
	)
	e.narrow[i], e.offset[i] = u.Pairs(), c.Offset
	return err
}

// ErrHash is an extension that its sender has hashed differently: over another message, or
// another base set.
var ErrHash = errors.New("OT extension does not match its hash")

// Extended proves that both regions of every peer passed their checks.
type Extended struct{ sid *[32]byte }

// Of tells whether the proof is one of session sid.
func (x Extended) Of(sid [32]byte) bool { return x.sid != nil && *x.sid == sid }

// Finish gives the regions once every peer has passed Check, and applies the
// peers' offsets. each runs its argument for every party, as work.Each does.
func (e *Extension) Finish(each func(f func(j int))) (*A, *B, Extended, error) {
	n := len(e.Shapes)
	for j, k := range e.keys {
		if k == nil && j != e.Self {
			return nil, nil, Extended{}, errors.New("a peer's extension has not been checked")
		}
	}
	own, all, pairs := e.Shapes[e.Self].RowsA(), e.Shapes[e.Self].Rows()/8, e.Shapes[e.Self].Pairs()/8
	common := e.choices[(e.Self+1)%n]
	a := &A{
		Self: e.Self, Shapes: e.Shapes, X: common[:own/8], Y: common[all:][:pairs], R: common[all+pairs:][:pairs],
		M: make([][]block.Block, n), K: make([][]block.Block, n), NarrowM: make([][]block.Block, n), NarrowK: make([][]block.Block, n),
	}
	b := &B{Self: e.Self, X: make([]Bits, n), M: make([][]block.Block, n), K: make([][]block.Block, n)}
	each(func(j int) {
		if j == e.Self {
			return
		}
		m, k, at := e.mine[j].Rows(), e.keys[j], e.Shapes[j].RowsA()
		x := Bits(e.choices[j])
		for r := range m {
			m[r] = m[r].Xor(e.offset[j].Mask(x.Get(r)))
		}
		a.M[j], a.K[j] = m[:own:own], k[:at:at]
		b.X[j], b.M[j], b.K[j] = x[own/8:all], moved(m[own:]), moved(k[at:])
		m, offset := e.mine[j].Pairs(), Narrow(e.offset[j])
		for t := range m {
			m[t] = m[t].Xor(offset.Both(a.Y.Get(t), a.R.Get(t)))
		}
		a.NarrowM[j], a.NarrowK[j] = m, e.narrow[j]
	})
	e.keys, e.narrow = nil, nil
	for _, r := range e.mine {
		if r != nil {
			r.Destroy() // but for its rows, which are in a and b
		}
	}
	e.Destroy()
	return a, b, Extended{&e.SID}, nil
}

// moved is a copy of rows, which are wiped: region B outlives region A, whose memory
// it would hold.
func moved(rows []block.Block) []block.Block {
	c := slices.Clone(rows)
	clear(rows)
	return c
}

// Destroy wipes what the extension holds and has not given away by Finish. The
// bits and the base sets are the caller's to wipe.
func (e *Extension) Destroy() {
	for _, r := range e.mine {
		if r != nil {
			clear(r.Rows())
			clear(r.Pairs())
			r.Destroy()
		}
	}
	wipe(e.keys)
	wipe(e.narrow)
	e.Delta, e.mine, e.keys, e.narrow = block.Block{}, nil, nil, nil
}

// seedA is what the coefficients of region A of party i are made of: RO(sid, i, h_i).
func (e *Extension) seedA(i int, h []byte) block.Block {
	return oracle.Seed("chi A", e.SID[:], oracle.Party(i), h)
}

// seedN is that of the narrow rows of region A of party i, whose coefficients are the same
// for the first and the second of each pair.
func (e *Extension) seedN(i int, h []byte) block.Block {
	return oracle.Seed("chi narrow", e.SID[:], oracle.Party(i), h)
}

// seedB is that of region B of party i towards j.
func (e *Extension) seedB(i, j int, h []byte) block.Block {
	return oracle.Seed("chi B", e.SID[:], oracle.Party(i), oracle.Party(j), h)
}

// coefficients are pseudorandom, and X^k for the 128 mask rows.
func coefficients(rows int, seed block.Block) []block.Block {
	return fill(new([]block.Block), rows, seed)
}

// coefficientRooms keep the memory of coefficients, which are public, from one check
// to the next.
var coefficientRooms = sync.Pool{New: func() any { return new([]block.Block) }}

// fill writes coefficients to a room.
func fill(room *[]block.Block, rows int, seed block.Block) []block.Block {
	if cap(*room) < rows {
		*room = make([]block.Block, rows)
	}
	chi := (*room)[:rows]
	block.NewPRG(seed).Blocks(chi[:rows-maskRows])
	one := block.Block{Lo: 1}
	for k := rows - maskRows; k < rows; k++ {
		chi[k] = one
		one = one.Double()
	}
	return chi
}

// A is region A of all parties as one party holds it: own bits X, the same
// towards everybody, their MACs M[j] under Δ_j (rows of the own shape), and
// K[j], the keys of party j's bits (rows of its shape). Y and R are the own bits of
// the narrow rows, NarrowM[j] and NarrowK[j] their MACs and party j's keys, y in the
// low 48 bits of a block and r from bit 64 on, under Narrow of Δ_j.
type A struct {
	Self             int
	Shapes           []Shape
	X, Y, R          Bits
	M, K             [][]block.Block
	NarrowM, NarrowK [][]block.Block
}

// Destroy wipes the region.
func (a *A) Destroy() {
	for _, x := range []Bits{a.X, a.Y, a.R} {
		clear(x)
	}
	for _, lanes := range [][][]block.Block{a.M, a.K, a.NarrowM, a.NarrowK} {
		wipe(lanes)
	}
}

// B is region B: own bits X[j] towards party j alone, their MACs M[j], and
// keys K[j] of the bits that j has towards this party.
type B struct {
	Self int
	X    []Bits
	M, K [][]block.Block
}

// Destroy wipes the region.
func (b *B) Destroy() {
	for _, x := range b.X {
		clear(x)
	}
	wipe(b.M)
	wipe(b.K)
}

// zero tells whether all bytes are.
func zero(b []byte) bool {
	var v byte
	for _, x := range b {
		v |= x
	}
	return v == 0
}

func wipe(lanes [][]block.Block) {
	for _, l := range lanes {
		clear(l)
	}
}
