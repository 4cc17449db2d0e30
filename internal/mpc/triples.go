package mpc

import (
	"errors"
	"fmt"
	"sync"

	"github.com/angler-dex/angler/internal/mpc/auth"
	"github.com/angler-dex/angler/internal/mpc/block"
	"github.com/angler-dex/angler/internal/mpc/garble"
	"github.com/angler-dex/angler/internal/mpc/oracle"
	"github.com/angler-dex/angler/internal/mpc/triple"
)

var errPadding = errors.New("padding bits are set")

// f4 verifies that all rows are those which were broadcast, completes the leaky
// ANDs, and opens the coin: every row of everybody is fixed.
func (p *Party) f4(out outgoing) error {
	rows, hashes := p.column(3, fRows), p.column(3, fRowHash)
	match, peer, err := triple.MatchRows(p.sid, p.self, rows, hashes)
	if err != nil {
		return p.abort(peer, err)
	}
	p.clear.rows = match
	s := p.leaky.Receive(rows)
	var y block.Block
	for _, fr := range p.seen[3] {
		y = y.Xor(block.FromBytes(fr[fY][p.self*block.Size:]))
	}
	p.drop(3, fRows)
	if p.z, err = p.salted(encode(p.b.DeltaZ(y, p.delta))); err != nil {
		return err
	}
	out.broadcast(fS, s)
	out.broadcast(fCoin, p.coin)
	out.broadcast(fComZ, p.commit("z", p.z))
	return nil
}

// f5 verifies the coin, commits to α, opens z and binds the inputs.
func (p *Party) f5(out outgoing) error {
	if err := p.openings("coin", fComCoin, 2, fCoin); err == nil {
		p.clear.coin = coinTossed{&p.sid}
	} else {
		return err
	}
	parts := [][]byte{p.sid[:]}
	for _, fr := range p.seen[4] {
		parts = append(parts, fr[fCoin][salt:])
	}
	p.joint = oracle.Sum("joint coin", parts...)
	p.sumS = auth.NewBits(p.leakyANDs())
	for i, fr := range p.seen[4] {
		if !auth.Bits(fr[fS]).Padded(p.leakyANDs()) {
			return p.abort(i, errPadding)
		}
		block.XorBytes(p.sumS, p.sumS, fr[fS])
	}
	seed := triple.Coefficients(p.sid, p.joint, p.column(3, fRowHash), p.column(4, fS))
	alpha := p.leaky.Alpha(seed, p.sumS, p.zero.Blocks(1, "alpha", 0)[0])
	var err error
	if p.alpha, err = p.salted(encode([]block.Block{alpha})); err != nil {
		return err
	}
	if p.inputs, err = p.cfg.Inputs(); err != nil {
		return fmt.Errorf("mpc: inputs: %w", err)
	}
	shape := p.shapes[p.self]
	if len(p.inputs) != shape.Inputs {
		return fmt.Errorf("mpc: %d input bits, not %d", len(p.inputs), shape.Inputs)
	}
	d := auth.NewBits(shape.Inputs)
	for m, x := range p.inputs {
		d.Flip(m, bit(x)^p.a.X.Get(shape.InputR()+m)^p.a.X.Get(shape.InputS()+m))
	}
	out.broadcast(fComAlpha, p.commit("alpha", p.alpha))
	out.broadcast(fZ, p.z)
	out.broadcast(fD, d)
	return nil
}

// f6 verifies the Δ check; only then are α and e, f, g opened. The coin's order
// fixes the circuit, d_w the masks of its inputs, the permutation the triples.
func (p *Party) f6(out outgoing) error {
	if err := p.openings("z", fComZ, 4, fZ); err != nil {
		return err
	}
	z, d := make([][]block.Block, p.n), p.corrections()
	for i, fr := range p.seen[5] {
		z[i] = decode(fr[fZ][salt:])
		if !d[i].Padded(len(p.inputWires[i])) {
			return p.abort(i, errPadding)
		}
	}
	same, err := auth.VerifyDelta(p.sid, z)
	if err != nil {
		return p.abort(unknown, err)
	}
	p.clear.sameDelta = same
	if p.circuit, err = p.function.Build(triple.Permutation(p.function.Leaves(), p.drawn("order"))); err != nil {
		return fmt.Errorf("mpc: circuit: %w", err)
	}
	if !p.sameShape(p.circuit) {
		return errors.New("mpc: circuit: not of the template's shape")
	}
	if err := p.circuit.Validate(); err != nil {
		return fmt.Errorf("mpc: circuit: %w", err)
	}
	p.lambda = garble.Masks(p.circuit, p.a, p.inputWires, d, p.each)
	p.inputS = newInputShares(p.a)
	p.buckets = triple.NewBuckets(p.shapes[p.self], p.bucket, triple.Permutation(p.leakyANDs(), p.drawn("buckets")), garble.Gates(p.circuit), p.sumS)
	p.opened = p.buckets.OpenBits(p.a, p.lambda.Bits)
	p.each(func(j int) {
		if j == p.self {
			return
		}
		p.bytes.with(auth.NarrowBytes*p.buckets.Opened(), func(macs []byte) {
			p.buckets.Open(macs, p.a.M[j], p.a.NarrowM[j], p.lambda.M[j])
			digest := auth.DigestNarrow(p.sid, openedTriples, p.self, j, macs)
			out[j][fOpenedMAC] = digest[:]
		})
	})
	out.broadcast(fAlpha, p.alpha)
	out.broadcast(fOpened, p.opened)
	return nil
}

// drawn is the seed of a permutation from the coin.
func (p *Party) drawn(what string) block.Block {
	return oracle.Seed("permutation", p.sid[:], p.joint[:], []byte(what))
}

// f7Triples verifies α and the MACs of e, f, g, and makes σ of every AND.
func (p *Party) f7Triples() error {
	if err := p.openings("alpha", fComAlpha, 5, fAlpha); err != nil {
		return err
	}
	alphas := make([]block.Block, p.n)
	for i, fr := range p.seen[6] {
		alphas[i] = block.FromBytes(fr[fAlpha][salt:])
	}
	verified, err := triple.Verify(p.sid, alphas)
	if err != nil {
		return p.abort(unknown, err)
	}
	opening, d := auth.NewOpening(p.sid, openedTriples, p.self, p.n, p.delta), p.corrections()
	err = p.eachPeer(func(j int) (err error) {
		p.blocks.with(p.circuit.Wires, func(lambda []block.Block) {
			garble.MaskKeys(lambda, p.circuit, p.a, j, p.inputWires, d, p.delta)
			p.bytes.with(auth.NarrowBytes*p.buckets.Opened(), func(keys []byte) {
				p.buckets.Open(keys, p.a.K[j], p.a.NarrowK[j], lambda)
				err = opening.CheckNarrow(j, p.seen[6][j][fOpened], keys, p.seen[6][j][fOpenedMAC])
			})
		})
		return err
	})
	if err != nil {
		return err
	}
	opened, err := opening.Finish()
	if err != nil {
		return err
	}
	p.clear.verified, p.clear.opened = verified, opened
	p.products(verified, opened, d)
	return nil
}

// products makes σ of every AND, and what is needed of the keys of all masks: at
// party 0 those of each garbler's bits, at a garbler their sum, and the keys of its own
// outputs' masks.
func (p *Party) products(verified triple.Verified, opened auth.Opened, d []auth.Bits) {
	public := auth.NewBits(p.openedBits())
	for _, fr := range p.seen[6] {
		block.XorBytes(public, public, fr[fOpened])
	}
	own := p.outputWires(p.self)
	p.outputKeys = make([][]block.Block, p.n)
	p.sigma = &auth.Shared{M: make([][]block.Block, p.n), K: make([][]block.Block, p.n)}
	if p.self != 0 {
		p.lambda.Keys, p.sigma.Keys = make([]block.Block, p.circuit.Wires), make([]block.Block, p.ands)
	}
	var sums sync.Mutex
	p.each(func(j int) {
		if j == p.self {
			p.sigma.Bits = p.buckets.SigmaBits(verified, opened, p.a.X, p.lambda.Bits, public, bit(p.self == 0))
			return
		}
		p.sigma.M[j] = make([]block.Block, p.ands)
		p.buckets.Sigma(verified, opened, p.sigma.M[j], p.a.M[j], p.lambda.M[j], public, block.Block{})
		keys := func(lambda, sigma []block.Block) {
			garble.MaskKeys(lambda, p.circuit, p.a, j, p.inputWires, d, p.delta)
			var one block.Block // party 0 holds public constants
			if j == 0 {
				one = p.delta
			}
			p.buckets.Sigma(verified, opened, sigma, p.a.K[j], lambda, public, one)
			for _, w := range own {
				p.outputKeys[j] = append(p.outputKeys[j], lambda[w])
			}
		}
		if p.self == 0 {
			p.lambda.K[j], p.sigma.K[j] = make([]block.Block, p.circuit.Wires), make([]block.Block, p.ands)
			keys(p.lambda.K[j], p.sigma.K[j])
			return
		}
		p.blocks.with(p.circuit.Wires+p.ands, func(room []block.Block) {
			lambda, sigma := room[:p.circuit.Wires], room[p.circuit.Wires:]
			keys(lambda, sigma)
			sums.Lock()
			defer sums.Unlock()
			block.XorInto(p.lambda.Keys, lambda)
			block.XorInto(p.sigma.Keys, sigma)
		})
	})
}

// corrections are all parties' d_w.
func (p *Party) corrections() []auth.Bits {
	d := make([]auth.Bits, p.n)
	for i, fr := range p.seen[5] {
		d[i] = fr[fD]
	}
	return d
}

// column gathers one field of a flight, by party.
func (p *Party) column(flight int, f field) [][]byte {
	c := make([][]byte, p.n)
	for i, fr := range p.seen[flight] {
		c[i] = fr[f]
	}
	return c
}

// salted puts a fresh salt before a value that is committed to.
func (p *Party) salted(value []byte) ([]byte, error) {
	b, err := p.random(salt)
	return append(b, value...), err
}

func bit(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}
