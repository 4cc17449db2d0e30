package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/mpc"
	"github.com/angler-dex/angler/internal/placement"
)

// simulation is what came out of a match and what it took, all of it taken from the parties.
type simulation struct {
	requester placement.Result
	providers []placement.Award // by offer; one of 0 units has not won
	stats     []mpc.Stats       // by party
	seconds   float64           // until the last party had its result
}

// signingDomain separates the signature over a simulated outcome from every other.
const signingDomain = "angler/1 simulated match"

// simulate runs the whole protocol among a requester and a provider for each offer, each with state and a goroutine of its own,
// over a network in memory. What it returns are the parties' own verified outputs; nothing else computes the outcome.
// flight, if not nil, is told each flight that the requester has made.
func simulate(ctx context.Context, s *scenario, rnd io.Reader, now func() time.Time, flight func(int)) (*simulation, error) {
	f, err := placement.New(s.policy.String(), len(s.offers))
	if err != nil {
		return nil, err
	}
	inputs, err := s.inputs(f)
	if err != nil {
		return nil, err
	}
	parties, err := parties(f, inputs, rnd, flight)
	if err != nil {
		return nil, err
	}
	if err := reserveMemory(len(parties), parties[0].Stats(), "simulate fewer offers"); err != nil {
		return nil, err
	}
	start := now()
	if err := runAll(ctx, parties); err != nil {
		return nil, err
	}
	out := &simulation{seconds: now().Sub(start).Seconds()}
	for i, p := range parties {
		bits, ok := p.Outputs()
		if !ok {
			return nil, fmt.Errorf("party %d ended without an output", i)
		}
		if i == 0 {
			out.requester = f.Result(inputs[0], bits)
		} else {
			award, _ := f.Award(i, inputs[i], bits)
			out.providers = append(out.providers, award)
		}
		out.stats = append(out.stats, p.Stats())
	}
	return out, out.agree()
}

// runAll runs the parties until the last is through. If ctx ends first it returns at once and leaves parties in the middle of a
// step, which can take minutes among many, to end on their own: Ctrl-C must not wait for them.
func runAll(ctx context.Context, parties []*mpc.Party) error {
	nets := mpc.NewLocal(len(parties))
	group, inner := errgroup.WithContext(ctx)
	for i, p := range parties {
		group.Go(func() error { return mpc.Run(inner, p, nets[i]) })
	}
	done := make(chan error, 1)
	go func() { done <- group.Wait() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// inputs is what each party enters: 0 is the requester, i > 0 the provider of offer i-1.
func (s *scenario) inputs(f placement.Function) ([][]bool, error) {
	request, err := f.RequestInputs(s.request)
	if err != nil {
		return nil, err
	}
	inputs := [][]bool{request}
	for _, o := range s.offers {
		offer, err := f.OfferInputs(o.Offer)
		if err != nil {
			return nil, fmt.Errorf("offer %s: %w", o.name, err)
		}
		inputs = append(inputs, offer)
	}
	return inputs, nil
}

// parties makes the parties of a match on these inputs.
func parties(f placement.Function, inputs [][]bool, rnd io.Reader, flight func(int)) ([]*mpc.Party, error) {
	key, err := identity.Generate(rnd)
	if err != nil {
		return nil, err
	}
	var sid, roster [32]byte
	for _, id := range []*[32]byte{&sid, &roster} {
		if _, err = io.ReadFull(rnd, id[:]); err != nil {
			return nil, fmt.Errorf("randomness: %w", err)
		}
	}
	parties := make([]*mpc.Party, f.Parties())
	for i := range parties {
		told := flight
		if i > 0 {
			told = nil
		}
		parties[i], err = mpc.New(mpc.Config{
			SID: sid, Roster: roster, Self: i, N: len(parties), Function: f, Rand: rnd, Workers: 1, Progress: told,
			Inputs: func() ([]bool, error) { return slices.Clone(inputs[i]), nil }, // the party overwrites it
			Sign:   func(msg []byte) ([]byte, error) { return key.Sign(signingDomain, msg), nil },
			Verify: func(msg, sig []byte) bool { return key.ID().Verify(signingDomain, msg, sig) },
		})
		if err != nil {
			return nil, err
		}
	}
	return parties, nil
}

// agree checks that the parties tell one story: a match that passed its checks cannot tell two.
func (m *simulation) agree() error {
	wins := m.requester.Wins
	for i, p := range m.providers {
		won := len(wins) > 0 && wins[0].Party == i+1
		if won != (p.Quantity > 0) || won && (p.Quantity != wins[0].Quantity || p.Pays != wins[0].Pays) {
			return errors.New("the parties' outputs contradict each other")
		}
		if won {
			wins = wins[1:]
		}
	}
	if len(wins) > 0 {
		return errors.New("the requester's output contradicts itself")
	}
	return nil
}

// flights counts, from the first flight in which anything was sent, those until a party received its last message.
func (m *simulation) flights(party int) int {
	first, last := 0, 0
	for _, s := range m.stats {
		for f, n := range s.Sent {
			if n > 0 && (first == 0 || f < first) {
				first = f
			}
		}
	}
	for f, n := range m.stats[party].Received {
		if n > 0 {
			last = f
		}
	}
	if last == 0 {
		return 0
	}
	return last - first + 1
}

// bytesSent returns what the requester sent, and the provider that sent most.
func (m *simulation) bytesSent() (requester, providerMax int) {
	for _, s := range m.stats[1:] {
		providerMax = max(providerMax, s.BytesSent())
	}
	return m.stats[0].BytesSent(), providerMax
}
