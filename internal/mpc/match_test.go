package mpc

import (
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/angler-dex/angler/internal/mpc/block"
	"github.com/angler-dex/angler/internal/mpc/circuit"
	"github.com/angler-dex/angler/internal/mpc/circuit/circuittest"
	"github.com/angler-dex/angler/internal/mpc/ideal"
	"github.com/angler-dex/angler/internal/mpc/mpctest"
)

// trial is one match in a test.
type trial struct {
	name    string // with seed: all randomness
	seed    uint64
	fn      Function
	inputs  [][]bool // by party; nil draws them
	sets    []map[int]WarmPair
	k       int // 0: 2, the fastest
	cheats  map[int]*cheat
	wire    mpctest.Wire
	decide  func(party int, outputs []bool) error
	workers int
}

// start makes the parties.
func (m *trial) start(t testing.TB) []*Party {
	t.Helper()
	n := m.fn.Parties()
	if m.inputs == nil {
		m.inputs = drawInputs(t, m.fn, m.seed)
	}
	key := mpctest.Key()
	parties := make([]*Party, n)
	for i := range n {
		cfg := Config{
			SID: sha256.Sum256([]byte(m.name)), Roster: sha256.Sum256([]byte("roster")), Self: i, N: n, K: 2, Workers: 1 + m.workers,
			Function: m.fn, Rand: mpctest.Rand(m.name, m.seed, i),
			Inputs: func() ([]bool, error) { return slices.Clone(m.inputs[i]), nil },
			Sign:   func(msg []byte) ([]byte, error) { return ed25519.Sign(key, msg), nil },
			Verify: func(msg, sig []byte) bool { return ed25519.Verify(key.Public().(ed25519.PublicKey), msg, sig) },
		}
		if underRace {
			cfg.Workers++
		}
		if m.k != 0 {
			cfg.K = m.k
		}
		if m.sets != nil {
			cfg.Warm = m.sets[i]
		}
		if m.decide != nil {
			cfg.Decide = func(out []bool) error { return m.decide(i, out) }
		}
		p, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		parties[i] = p
	}
	return parties
}

// run runs the match in lock-step.
func (m *trial) run(t testing.TB) ([]*Party, *mpctest.Result) {
	t.Helper()
	parties := m.start(t)
	machines := make([]mpctest.Machine, len(parties))
	for i, p := range parties {
		machines[i] = p
		if c := m.cheats[i]; c != nil {
			c.Party = p
			machines[i] = c
		}
	}
	return parties, mpctest.Drive(machines, m.wire)
}

// drawInputs draws everybody's input bits.
func drawInputs(t testing.TB, fn Function, seed uint64) [][]bool {
	t.Helper()
	c, err := fn.Build(identity(fn.Leaves()))
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(seed, 'x'))
	inputs := make([][]bool, fn.Parties())
	for i := range inputs {
		inputs[i] = circuittest.Bits(rng, len(c.InputsOf(i)))
	}
	return inputs
}

// dealt is a set of base OTs for every pair, so that F1 has nothing to do.
func dealt(name string, seed uint64, n int) []map[int]WarmPair {
	return mpctest.Deal(mpctest.Rand("deal "+name, seed, 0), n)
}

// wanted is what a party has to output.
func wanted(t testing.TB, c *circuit.Circuit, inputs [][]bool, party int) []bool {
	t.Helper()
	out, err := ideal.Compute(c, inputs)
	if err != nil {
		t.Fatal(err)
	}
	return out[party]
}

// requireRight asserts that every party is through with the right outputs.
func requireRight(t testing.TB, parties []*Party, res *mpctest.Result, inputs [][]bool) {
	t.Helper()
	for i, p := range parties {
		if res != nil && res.Errors[i] != nil {
			t.Fatalf("party %d: %v", i, res.Errors[i])
		}
		out, ok := p.Outputs()
		if want := wanted(t, p.circuit, inputs, i); !ok || !slices.Equal(out, want) {
			t.Fatalf("party %d: outputs %v, %v, want %v", i, out, ok, want)
		}
		requireWiped(t, p)
	}
}

// requireWiped asserts that nothing secret is left at a party that has ended.
func requireWiped(t testing.TB, p *Party) {
	t.Helper()
	s := p.secrets
	if s.delta != (block.Block{}) || s.choices != nil || s.base != nil || s.a != nil || s.b != nil || s.leaky != nil || s.lambda != nil ||
		s.sigma != nil || s.garbler != nil || s.eval != nil || s.inputs != nil || s.zero != nil || s.z != nil || s.alpha != nil || s.coin != nil {
		t.Fatalf("party %d keeps secrets after the end", p.self)
	}
	if !p.done && (p.outputs != nil || p.minted != nil) {
		t.Fatalf("party %d keeps results after a failure", p.self)
	}
}

// mintedSets gathers what all parties minted, as the next match takes it.
func mintedSets(parties []*Party) []map[int]WarmPair {
	sets := make([]map[int]WarmPair, len(parties))
	for i, p := range parties {
		sets[i] = p.Minted()
	}
	return sets
}

// cheat is a party that deviates: it runs the honest code, and changes its
// state or what it sends where a test says so. It is rushing: Peek shows it
// what the others send it in a flight before it makes its own messages.
type cheat struct {
	*Party
	pre  map[int]func(c *cheat)               // before a flight is made
	post map[int]func(c *cheat, out outgoing) // after it was made, before it leaves

	peeked   [][]byte
	inputs   []bool // what its d_w says that its inputs are
	failed   error
	finished bool
}

func (c *cheat) Peek(_ int, frames [][]byte) { c.peeked = frames }

// Step is Party.Step with the hooks, and without destroying anything.
func (c *cheat) Step(in [][]byte, emit func(to int, chunk []byte) error) error {
	if c.failed != nil {
		return c.failed
	}
	c.failed = c.step(in, emit)
	return c.failed
}

func (c *cheat) step(in [][]byte, emit func(to int, chunk []byte) error) error {
	if err := c.receive(in); err != nil {
		return err
	}
	next := c.flight + 1
	if f := c.pre[next]; f != nil {
		f(c)
	}
	out, err := c.advance()
	if err != nil {
		return err
	}
	if f := c.post[next]; f != nil {
		f(c, out)
	}
	if err := c.send(out, emit); err != nil {
		return err
	}
	if next == 5 {
		c.record()
	}
	c.finished = c.self == 0 && next == lastFlight || c.Party.done
	return nil
}

// Expect is nil once the cheat is through.
func (c *cheat) Expect() []int {
	if c.finished || c.failed != nil {
		return nil
	}
	return c.Party.Expect()
}

// record notes which inputs the cheat is bound to: x = d ⊕ r ⊕ s.
func (c *cheat) record() {
	shape, d := c.shapes[c.self], c.seen[5][c.self][fD]
	c.inputs = make([]bool, shape.Inputs)
	for m := range c.inputs {
		c.inputs[m] = uint64(d[m/8]>>(m%8))&1^c.a.X.Get(shape.InputR()+m)^c.a.X.Get(shape.InputS()+m) == 1
	}
}

// peekField is a field of the frame that party from sends to the cheat in the
// flight that the cheat is about to make.
func (c *cheat) peekField(flight, from int, f field) []byte {
	fr, err := c.parseFrame(flight, from, c.self, c.peeked[from])
	if err != nil {
		return nil
	}
	return fr[f]
}

func asAbort(err error, target **AbortError) bool { return errors.As(err, target) }
