package mpc

import (
	"slices"

	"github.com/angler-dex/angler/internal/mpc/auth"
	"github.com/angler-dex/angler/internal/mpc/block"
	"github.com/angler-dex/angler/internal/mpc/oracle"
	"github.com/angler-dex/angler/internal/mpc/ot"
	"github.com/angler-dex/angler/internal/mpc/triple"
)

// f1 draws Δ and all bits, and starts the base OTs with those peers of which no
// cached set is there. The lowest bit of Δ is 1 at party 0 and 0 elsewhere, so
// that it is 1 in the sum of all.
func (p *Party) f1(out outgoing) error {
	delta, err := p.randomBlock()
	if err != nil {
		return err
	}
	delta.Lo &^= 1
	if p.self == 0 {
		delta.Lo |= 1
	}
	p.delta = delta
	if err = p.drawBits(); err != nil {
		return err
	}
	p.baseOT, p.base = make([]*ot.BaseOT, p.n), make([]auth.Base, p.n)
	seeds := make([]block.Block, p.n)
	for j := range p.n {
		p.base[j] = p.cfg.Warm[j]
		if seeds[j], err = p.randomBlock(); err != nil {
			return err
		}
	}
	errs := make([]error, p.n)
	p.each(func(j int) {
		if p.fresh[j] {
			p.baseOT[j], errs[j] = ot.NewBaseOT(p.sid, p.self, j, p.delta, block.NewPRG(seeds[j]))
		}
	})
	clear(seeds)
	for j, err := range errs {
		if err != nil {
			return err
		}
		if p.fresh[j] {
			out[j][fBase] = p.baseOT[j].Message()
		}
	}
	return nil
}

// drawBits draws region A, the same towards everybody, and region B of each
// pair.
func (p *Party) drawBits() error {
	shape := p.shapes[p.self]
	common, err := p.random(shape.Bits() / 8)
	if err != nil {
		return err
	}
	p.choices = make([][]byte, p.n)
	for j := range p.choices {
		if j == p.self {
			continue
		}
		own, err := p.random(auth.RowsB / 8)
		if err != nil {
			return err
		}
		p.choices[j] = slices.Concat(common[:shape.RowsA()/8], own, common[shape.RowsA()/8:])
	}
	clear(common)
	return nil
}

// finishBase ends F1. Of a pair that keeps a cached set in one direction only
// the other one is fresh.
func (p *Party) finishBase() error {
	err := p.eachPeer(func(j int) error {
		if !p.fresh[j] {
			return nil
		}
		sender, receiver, err := p.baseOT[j].Finish(p.seen[1][j][fBase])
		if err != nil {
			return err
		}
		if p.base[j].Sender == nil {
			p.base[j].Sender = sender
		}
		if p.base[j].Receiver == nil {
			p.base[j].Receiver = receiver
		}
		return nil
	})
	if err == nil {
		p.baseOT = nil
	}
	return err
}

// f2 extends: region A and region B of this party's bits towards each peer,
// with the proofs of both; δ where this party's choice is a cached one; a
// commitment to its part of the coin; a seed for the pair's zero shares.
func (p *Party) f2(out outgoing) error {
	p.extension = auth.NewExtension(auth.Params{SID: p.sid, Self: p.self, K: p.k, Shapes: p.shapes, Delta: p.delta}, p.base, p.choices)
	err := p.eachOwn(func(j int) error {
		out[j][fU] = p.extension.Extend(j)
		return p.ahead(j, out[j][fU])
	})
	if err != nil {
		return err
	}
	proof := p.extension.Begin()
	p.each(func(j int) {
		if j != p.self {
			p.extension.Prove(proof, j)
		}
	})
	out.broadcast(fHash, proof.H)
	out.broadcast(fX, encode([]block.Block{proof.X}))
	out.broadcast(fXN, encode(proof.XN[:]))
	if p.coin, err = p.random(salt + coinBytes); err != nil {
		return err
	}
	out.broadcast(fComCoin, p.commit("coin", p.coin))
	p.seeds = make([]block.Block, p.n)
	for j := range out {
		if p.seeds[j], err = p.randomBlock(); err != nil {
			return err
		}
		out[j][fT] = proof.T[j][:]
		out[j][fTN] = proof.TN[j][:]
		out[j][fXB] = encode(proof.XB[j : j+1])
		out[j][fTB] = proof.TB[j][:]
		out[j][fSeed] = encode(p.seeds[j : j+1])
		if p.offsetTo[j] {
			out[j][fOffset] = encode(proof.Offset[j : j+1])
		}
	}
	return nil
}

// f3 verifies the extensions, which gives the authenticated bits, and makes of
// them the rows of the leaky ANDs and y of the Δ check.
func (p *Party) f3(out outgoing) error {
	err := p.eachPeer(func(i int) error {
		fr := p.seen[2][i]
		claim := auth.Claim{U: fr[fU], H: fr[fHash], X: block.FromBytes(fr[fX]), T: [digest]byte(fr[fT]),
			XN: [2]block.Block(decode(fr[fXN])), TN: [digest]byte(fr[fTN]), XB: block.FromBytes(fr[fXB]), TB: [digest]byte(fr[fTB])}
		if p.offsetFrom[i] {
			claim.Offset = block.FromBytes(fr[fOffset])
		}
		return p.extension.Check(i, claim)
	})
	if err != nil {
		return p.ofSets(err)
	}
	if p.a, p.b, p.clear.extended, err = p.extension.Finish(p.each); err != nil {
		return err
	}
	p.extension = nil
	theirs := make([]block.Block, p.n)
	for j, fr := range p.seen[2] {
		if j != p.self {
			theirs[j] = block.FromBytes(fr[fSeed])
		}
	}
	p.drop(2, fU)
	p.zero = auth.NewZeroShares(p.sid, p.self, p.seeds, theirs)
	p.leaky = triple.NewLeaky(p.sid, p.a, p.delta, p.zero.Words(p.leakyANDs(), "phi"), p.rowStart, p.cfg.Workers)
	rows := p.leaky.Rows()
	hashes := make([]byte, p.n*digest)
	err = p.eachOwn(func(j int) error {
		out[j][fRows] = rows[j]
		failed := p.ahead(j, rows[j])
		h := triple.RowHash(p.sid, p.self, j, rows[j])
		copy(hashes[j*digest:], h[:])
		return failed
	})
	if err != nil {
		return err
	}
	out.broadcast(fRowHash, hashes)
	out.broadcast(fY, encode(p.b.DeltaY(p.zero)))
	return nil
}

// rowStart is the start point of the leaky ANDs' hash for an ordered pair: the
// bits of both are fixed by the F2 frames that it hashes, u by its hash in h, which
// auth.Extension.Check has compared.
func (p *Party) rowStart(holder, bits int) block.Block {
	sent, received := p.bound[0][bits], p.bound[1][bits]
	if holder != p.self {
		sent, received = p.bound[1][holder], p.bound[0][holder]
	}
	return oracle.Seed("leaky start", p.sid[:], oracle.Party(holder), oracle.Party(bits), sent[:], received[:])
}

// frameHashes hashes the F2 frames from or to each peer, but for u.
func (p *Party) frameHashes(of func(j int) (from, to int, fr *frame)) [][digest]byte {
	h := make([][digest]byte, p.n)
	p.each(func(j int) {
		if j == p.self {
			return
		}
		from, to, fr := of(j)
		parts := [][]byte{p.header(2, from, to)}
		for _, e := range layout[2] {
			if e.field != fU {
				parts = append(parts, fr[e.field])
			}
		}
		h[j] = oracle.Sum("frame", parts...)
	})
	return h
}
