package mpc

import (
	"errors"
	"fmt"
	"io"

	"github.com/angler-dex/angler/internal/mpc/auth"
	"github.com/angler-dex/angler/internal/mpc/block"
	"github.com/angler-dex/angler/internal/mpc/circuit"
	"github.com/angler-dex/angler/internal/mpc/garble"
	"github.com/angler-dex/angler/internal/mpc/ot"
	"github.com/angler-dex/angler/internal/mpc/triple"
	"github.com/angler-dex/angler/internal/mpc/work"
)

// Party is one party of one match: a machine that takes the messages of one
// flight and gives those of the next. It does no I/O, keeps no goroutine and
// has no clock; given the same randomness and messages it does the same. It is
// for one goroutine at a time.
type Party struct {
	*params
	cfg      Config
	flight   int // the last flight that was made
	received int // the last flight that was taken
	failed   error
	done     bool

	secrets
	seen    [lastFlight + 1][]*frame // fields by flight and party; own broadcasts included
	echoes  [lastFlight + 1][digest]byte
	bound   [2][][digest]byte // hashes of the F2 frames sent to and received from each peer
	joint   [digest]byte      // the coin
	clear   clearance
	circuit *circuit.Circuit // for the order that the coin drew

	emit func(to int, chunk []byte) error // of the step, for what is sent ahead
	left []int                            // bytes of the flight that have been, by recipient

	blocks spares[block.Block] // memory of steps
	bytes  spares[byte]

	outputs   []bool
	unreached []int
	minted    map[int]WarmPair
	stats     Stats
}

// secrets is everything that is wiped when the party ends.
type secrets struct {
	delta    block.Block
	choices  [][]byte // own bits of the extension towards each peer
	baseOT   []*ot.BaseOT
	base     []auth.Base
	seeds    []block.Block // of the pairs' zero shares, by peer
	coin     []byte        // salted values that were committed to
	z, alpha []byte

	extension  *auth.Extension
	a          *auth.A
	b          *auth.B
	zero       *auth.ZeroShares
	leaky      *triple.Leaky
	sumS       auth.Bits
	buckets    *triple.Buckets
	inputs     []bool
	inputS     inputShares
	lambda     *auth.Shared
	sigma      *auth.Shared
	outputKeys [][]block.Block // by peer: of its bits of the own outputs' masks
	opened     auth.Bits
	garbler    *garble.Garbler
	eval       *garble.Evaluation
}

// New prepares a party. Nothing is drawn or computed yet but the circuit.
func New(cfg Config) (*Party, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	m, err := newParams(&cfg)
	if err != nil {
		return nil, err
	}
	p := &Party{params: m, cfg: cfg, left: make([]int, m.n)}
	p.stats = newStats(m)
	return p, nil
}

// Step takes the messages of one flight, in[j] from party j, nil where Expect
// says 0, and makes those of the next. It calls emit, in order for each party,
// with pieces of the messages, some of them before all are made: for different
// parties from different goroutines, all of which have ended when Step returns. A piece is
// emit's to keep. The first step takes nothing, the last emits nothing. Step
// keeps slices of in.
//
// Any error ends the party: its secrets are wiped, its cached sets are burnt,
// and there are no outputs. An *AbortError is a fault of somebody else. Errors
// of emit are passed on, but for those in F9: who cannot be reached any more
// loses its own outputs, nobody else's (see Unreached).
func (p *Party) Step(in [][]byte, emit func(to int, chunk []byte) error) error {
	if p.failed != nil || p.done {
		return ErrEnded
	}
	err := p.step(in, emit)
	if err != nil {
		p.fail(err)
	}
	return err
}

func (p *Party) step(in [][]byte, emit func(to int, chunk []byte) error) error {
	if err := p.receive(in); err != nil {
		return err
	}
	p.emit = emit
	out, err := p.advance()
	p.emit = nil
	if err != nil {
		return err
	}
	if err := p.send(out, emit); err != nil {
		return err
	}
	if p.cfg.Progress != nil && p.flight <= lastFlight {
		p.cfg.Progress(p.flight)
	}
	if p.self == 0 && p.flight == lastFlight {
		p.finished()
	}
	return nil
}

// outgoing is the fields of one flight, by recipient.
type outgoing []frame

// broadcast puts a field into every frame.
func (o outgoing) broadcast(f field, b []byte) {
	for j := range o {
		o[j][f] = b
	}
}

// advance does the work of the next flight.
func (p *Party) advance() (outgoing, error) {
	p.flight++
	out := make(outgoing, p.n)
	make := [...]func(outgoing) error{1: p.f1, p.f2, p.f3, p.f4, p.f5, p.f6, p.f7, p.f8, p.f9, p.finish}[p.flight]
	if err := make(out); err != nil {
		return nil, err
	}
	if p.flight > firstEchoed && p.flight <= lastEchoed+1 {
		p.echoes[p.flight-1] = p.echo(p.flight - 1)
		out.broadcast(fEcho, p.echoes[p.flight-1][:])
	}
	return out, nil
}

// fail ends the party: nothing is kept but the reason.
func (p *Party) fail(err error) {
	p.wipe()
	p.failed, p.outputs, p.minted = err, nil, nil
}

// Abandon ends a party from outside, as any failure would: its secrets are
// wiped and its cached sets burnt. A party that has finished keeps its results.
func (p *Party) Abandon() {
	if !p.done && p.failed == nil {
		p.fail(ErrEnded)
	}
}

// finished ends a party that is through: its secrets go, its results stay.
func (p *Party) finished() {
	p.wipe()
	p.done = true
}

// Done tells whether the party is through with the match.
func (p *Party) Done() bool { return p.done }

// Outputs returns the party's outputs, in the order of its entries in the
// circuit, once every check on them has passed: at party 0 after the step that
// takes F8, at a provider after the one that takes F9.
func (p *Party) Outputs() ([]bool, bool) { return p.outputs, p.done && p.outputs != nil }

// Minted returns the base OTs for a later match with each peer, nil unless the
// party has finished. They are secret, serve one match, and belong to one pair.
func (p *Party) Minted() map[int]WarmPair {
	if !p.done {
		return nil
	}
	return p.minted
}

// Unreached returns the parties to which F9 could not be sent. Their outputs
// are lost; those of this party are not.
func (p *Party) Unreached() []int { return p.unreached }

// Circuit returns the circuit in the order that the coin drew, nil before F6.
func (p *Party) Circuit() *circuit.Circuit { return p.circuit }

// each runs f for every party on the workers, and returns when all are done.
func (p *Party) each(f func(j int)) { work.Each(p.cfg.Workers, p.n, f) }

// eachPeer runs f for every peer and returns the error of the lowest one, as
// its fault.
func (p *Party) eachPeer(f func(j int) error) error {
	errs := make([]error, p.n)
	p.each(func(j int) {
		if j != p.self {
			errs[j] = f(j)
		}
	})
	for j, err := range errs {
		if err != nil {
			return p.abort(j, err)
		}
	}
	return nil
}

// eachOwn is eachPeer of the party's own work: its errors are nobody else's fault.
func (p *Party) eachOwn(f func(j int) error) error {
	errs := make([]error, p.n)
	p.each(func(j int) {
		if j != p.self {
			errs[j] = f(j)
		}
	})
	return errors.Join(errs...)
}

// random draws n bytes.
func (p *Party) random(n int) ([]byte, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(p.cfg.Rand, b); err != nil {
		return nil, fmt.Errorf("mpc: randomness: %w", err)
	}
	return b, nil
}

// randomBlock draws one block.
func (p *Party) randomBlock() (block.Block, error) {
	b, err := p.random(block.Size)
	if err != nil {
		return block.Block{}, err
	}
	return block.FromBytes(b), nil
}

// encode writes blocks one after the other.
func encode(blocks []block.Block) []byte {
	b := make([]byte, 0, len(blocks)*block.Size)
	for _, v := range blocks {
		b = v.Append(b)
	}
	return b
}

// decode reads them.
func decode(b []byte) []block.Block {
	v := make([]block.Block, len(b)/block.Size)
	for k := range v {
		v[k] = block.FromBytes(b[k*block.Size:])
	}
	return v
}
