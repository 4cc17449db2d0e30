package match_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match"
	"github.com/angler-dex/angler/internal/match/matchtest"
	"github.com/angler-dex/angler/internal/mesh"
	"github.com/angler-dex/angler/internal/mpc"
)

// rerun does what a requester does whose match has failed: it matches again,
// without those that were at fault, or one of those who may be. It returns who they
// were.
func rerun(t *testing.T, m *matchtest.Market, r *matchtest.Requester, req market.Request, providers ...*matchtest.Provider) (match.Outcome, []identity.PeerID) {
	t.Helper()
	ctx := m.Context()
	store := func(match.Outcome) error { return nil }
	candidates := r.Candidates(ctx, providers...)
	out, leave, err := r.Seeker().Play(ctx, req, candidates, 1, store)
	var dropped []identity.PeerID
	if failed, ok := errors.AsType[*match.FailedError](err); ok {
		if dropped = failed.Drop; len(dropped) == 0 {
			dropped = failed.Suspects[:1]
		}
		candidates = slices.DeleteFunc(candidates, func(c match.Candidate) bool { return slices.Contains(dropped, c.Record.ID) })
		out, leave, err = r.Seeker().Play(ctx, req, candidates, 1, store)
	}
	if err != nil {
		t.Fatal(err)
	}
	leave(ctx)
	return out, dropped
}

// A provider that vanishes, whenever it does, costs one try: the next is without
// it, and nobody is left with anything.
func TestProviderVanishes(t *testing.T) {
	type vanishing struct {
		when    string
		prepare func(p *matchtest.Provider)
	}
	stages := []vanishing{
		{"before it answers", func(p *matchtest.Provider) {
			p.Prepare = func(*match.Provider) {
				p.Node.Handle(match.KindMatch, func(ctx context.Context, _ *mesh.Stream) { _ = vanish(ctx, p) })
			}
		}},
		{"having accepted", func(p *matchtest.Provider) {
			p.Prepare = func(prov *match.Provider) {
				p.Node.Handle(match.KindMatch, func(ctx context.Context, s *mesh.Stream) {
					prov.Accept(s)
					_ = vanish(ctx, p)
				})
			}
		}},
		{"as by loss of power", func(p *matchtest.Provider) {
			atFlight(p, 4, func(context.Context, *matchtest.Provider) error {
				p.Wire.Cut()
				return nil
			})
		}},
		{"when it is ready", func(p *matchtest.Provider) {
			p.Prepare = func(prov *match.Provider) {
				prov.Drive(func(ctx context.Context, _ *mpc.Party, _ mpc.Network) error { return vanish(ctx, p) })
			}
		}},
	}
	flights := []int{1, 2, 3, 4, 5, 6, 7, 8}
	if testing.Short() {
		flights = []int{2, 6}
	}
	for _, f := range flights {
		stages = append(stages, vanishing{fmt.Sprintf("before its flight %d", f), func(p *matchtest.Provider) { atFlight(p, f, vanish) }})
	}
	for _, stage := range stages {
		t.Run(stage.when, func(t *testing.T) {
			matchtest.CheckLeaks(t)
			m := matchtest.New(t)
			gone := m.NewProvider("gone")
			stage.prepare(gone)
			gone.Start()
			gone.Offer(9, 1)
			others := bystanders(m)
			stays := others[0]
			r := m.Requester("asker")

			out, dropped := rerun(t, m, r, m.Request(3, 10), append(others, gone)...)
			if !out.Matched() || out.Parts[0].Member.ID != stays.Key.ID() || out.Parts[0].Price != 5 {
				t.Fatalf("matched %v: %d parts", out.Matched(), len(out.Parts))
			}
			if slices.ContainsFunc(dropped, func(id identity.PeerID) bool { return id != gone.Key.ID() }) {
				t.Errorf("somebody else was left out: %v", dropped)
			}
			if l := stays.Lease(out.Parts[0].Lease); l.State != market.Reserved {
				t.Errorf("lease is %s", l.State)
			}
			for _, p := range others {
				if _, held := p.Used(); held != 0 {
					t.Errorf("%s holds %d units", p.Name, held)
				}
				p.CheckCapacity()
			}
			gone.Stop()
			gone.Prepare = nil
			gone.Start()
			if reserved, held := gone.Used(); reserved != 0 || held != 0 {
				t.Errorf("it has %d units reserved and %d held when it is back", reserved, held)
			}
		})
	}
}

// The winner vanishes when the requester has its result: the lease is refused,
// and nothing is left. A loser that vanishes then changes nothing.
func TestVanishesAfterTheResult(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	winner := m.Provider("winner", 9, 1)
	loser := m.Provider("loser", 9, 5)
	r := m.Requester("asker")
	ctx := m.Context()
	req := m.Request(3, 10)
	out, leave, err := r.Seeker().Play(ctx, req, r.Candidates(ctx, winner, loser), 2, func(match.Outcome) error {
		winner.Wire.Cut() // the last flight never arrives
		return nil
	})
	if err != nil || out.Parts[0].Member.ID != winner.Key.ID() {
		t.Fatalf("matched %v, error %v", out.Matched(), err)
	}
	short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	leave(short)
	cancel()
	winner.Restart()
	_, err = claim(m, r, winner, deal(r, req, out))
	if refused, ok := errors.AsType[*match.RefusedError](err); !ok || refused.Status != match.StatusRefused {
		t.Errorf("claim: %v", err)
	}
	if reserved, held := winner.Used(); reserved != 0 || held != 0 {
		t.Errorf("the winner has %d units reserved and %d held", reserved, held)
	}
}

// A provider that stalls without a word is left out, and the others are not.
func TestProviderStalls(t *testing.T) {
	flights := []int{1, 3, 5, 8}
	if testing.Short() {
		flights = []int{5}
	}
	wait := silence(t)
	for _, flight := range flights {
		t.Run(fmt.Sprintf("flight %d", flight), func(t *testing.T) {
			matchtest.CheckLeaks(t)
			m := matchtest.New(t)
			m.Patience.Silence = wait
			still := m.NewProvider("still")
			atFlight(still, flight, stall)
			still.Start()
			still.Offer(9, 1)
			others := bystanders(m)
			r := m.Requester("asker")
			out, dropped := rerun(t, m, r, m.Request(3, 10), append(others, still)...)
			if !slices.Equal(dropped, []identity.PeerID{still.Key.ID()}) {
				t.Errorf("%d were left out, not the one that stalls", len(dropped))
			}
			if out.Parts[0].Member.ID != others[0].Key.ID() {
				t.Errorf("matched %v: %d parts", out.Matched(), len(out.Parts))
			}
		})
	}
}

// If the link between two providers breaks, the two are suspects.
func TestLinkBetweenProvidersBreaks(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	m.Patience.Silence = silence(t)
	a, b := m.NewProvider("a"), m.NewProvider("b")
	atFlight(a, 3, func(context.Context, *matchtest.Provider) error {
		a.Wire.CutFrom(b.Wire.Addr())
		b.Wire.CutFrom(a.Wire.Addr())
		return nil
	})
	for _, p := range []*matchtest.Provider{a, b} {
		p.Start()
		p.Offer(9, 1)
	}
	r := m.Requester("asker")
	out, dropped := rerun(t, m, r, m.Request(3, 10), append(bystanders(m), a, b)...)
	if len(dropped) != 1 || dropped[0] != a.Key.ID() && dropped[0] != b.Key.ID() {
		t.Fatalf("%d were left out, not one of the two", len(dropped))
	}
	if !out.Matched() || out.Parts[0].Price != 1 || out.Parts[0].Member.ID == dropped[0] {
		t.Errorf("matched %v: %d parts", out.Matched(), len(out.Parts))
	}
}

// claim claims over a new link if need be.
func claim(m *matchtest.Market, r *matchtest.Requester, p *matchtest.Provider, d match.Deal) (granted match.Granted, err error) {
	m.TB.Helper()
	ctx := m.Context()
	err = r.Over(ctx, p, func(link *mesh.Link) (err error) {
		granted, err = match.ClaimLease(ctx, link, d, m.Clock.Now)
		return err
	})
	return granted, err
}

// A check that fails and names nobody drops nobody, and least of all the one
// that reports it: all are suspects.
func TestFaultOfNobody(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	p := m.NewProvider("p")
	rounds := 3
	p.Prepare = func(prov *match.Provider) {
		prov.Drive(func(ctx context.Context, party *mpc.Party, net mpc.Network) error {
			if rounds--; rounds < 0 {
				return mpc.Run(ctx, party, net)
			}
			return &mpc.AbortError{Peer: -1, Flight: 1, Err: errors.New("parties saw different broadcasts")}
		})
	}
	p.Start()
	p.Offer(9, 1)
	others := append(bystanders(m), m.Provider("also", 9, 9))
	r := m.Requester("asker")
	for rounds > 0 {
		_, err := play(t, m, r, m.Request(3, 10), append(others, p)...)
		if failed, ok := errors.AsType[*match.FailedError](err); !ok || len(failed.Drop) != 0 || len(failed.Suspects) != len(others)+1 {
			t.Fatalf("error %v", err)
		}
	}
	if out := mustPlay(t, m, r, m.Request(3, 10), append(others, p)...); out.Parts[0].Member.ID != p.Key.ID() {
		t.Errorf("matched %v: %d parts", out.Matched(), len(out.Parts))
	}
}

// bystanders are running providers that do what they should, the cheapest
// first.
func bystanders(m *matchtest.Market) []*matchtest.Provider {
	all := []*matchtest.Provider{m.Provider("stays", 9, 5)}
	if !testing.Short() {
		all = append(all, m.Provider("stays too", 9, 7))
	}
	return all
}

// silence is how long a match may be silent in tests in which one is: longer
// than a whole match takes on this machine, busy as it may be.
func silence(t *testing.T) (wait time.Duration) {
	t.Helper()
	t.Run("how long a match takes", func(t *testing.T) {
		m := matchtest.New(t)
		all := append(bystanders(m), m.Provider("one more", 1, 1))
		r := m.Requester("asker")
		start := time.Now()
		mustPlay(t, m, r, m.Request(1, 1), all...)
		wait = time.Second + 2*time.Since(start)
	})
	return wait
}
