package bench

import (
	"fmt"
	"io"
	"slices"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/mpc"
	"github.com/angler-dex/angler/internal/mpc/circuit"
)

// signingDomain separates the requester's signatures here from every other.
const signingDomain = "angler/1 benchmark"

// trial is what is computed in one run: a function, everybody's inputs, and a
// session.
type trial struct {
	fn     mpc.Function
	k      int // of the OT extension
	rand   io.Reader
	inputs [][]bool // by party
	key    *identity.Key
	sid    [32]byte
	roster [32]byte
}

func newTrial(fn mpc.Function, rnd io.Reader) (*trial, error) {
	inputs, err := draw(fn, rnd)
	if err != nil {
		return nil, err
	}
	t := &trial{fn: fn, rand: rnd, inputs: inputs}
	key, err := identity.Generate(rnd)
	if err != nil {
		return nil, err
	}
	return t, t.renew(key)
}

// renew begins another session of the same parties: an id never serves two.
func (t *trial) renew(requester *identity.Key) error {
	t.key = requester
	for _, id := range []*[32]byte{&t.sid, &t.roster} {
		if _, err := io.ReadFull(t.rand, id[:]); err != nil {
			return fmt.Errorf("randomness: %w", err)
		}
	}
	return nil
}

// party makes one party of the session.
func (t *trial) party(self int, warm map[int]mpc.WarmPair, progress func(int), decide func([]bool) error) (*mpc.Party, error) {
	return mpc.New(mpc.Config{
		SID: t.sid, Roster: t.roster, Self: self, N: t.fn.Parties(), K: t.k, Function: t.fn, Rand: t.rand, Warm: warm,
		Inputs: func() ([]bool, error) { return slices.Clone(t.inputs[self]), nil },
		Sign:   func(msg []byte) ([]byte, error) { return t.key.Sign(signingDomain, msg), nil },
		Verify: func(msg, sig []byte) bool { return t.key.ID().Verify(signingDomain, msg, sig) },
		Decide: decide, Progress: progress,
	})
}

// plain evaluates a circuit on everybody's inputs and gives each party's outputs.
func (t *trial) plain(c *circuit.Circuit) [][]bool {
	var all []bool
	next := make([]int, len(t.inputs))
	for _, owner := range c.Inputs {
		all = append(all, t.inputs[owner][next[owner]])
		next[owner]++
	}
	outputs := make([][]bool, len(t.inputs))
	for k, bit := range c.Eval(all) {
		party := c.Outputs[k].Party
		outputs[party] = append(outputs[party], bit)
	}
	return outputs
}

// verify compares every party's outputs with the circuit's.
func (t *trial) verify(parties []*mpc.Party) error {
	want := t.plain(parties[0].Circuit())
	for i, p := range parties {
		if got, ok := p.Outputs(); !ok || !slices.Equal(got, want[i]) {
			return fmt.Errorf("%w: party %d", errWrong, i)
		}
	}
	return nil
}
