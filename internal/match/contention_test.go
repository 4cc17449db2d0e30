package match_test

import (
	"sync"
	"testing"

	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match"
	"github.com/angler-dex/angler/internal/match/matchtest"
)

// Two requesters at once that want the same last units: one lease, one clean
// no-match, whoever is first.
func TestTwoRequestersOneLease(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	last := m.Provider("last", 8, 10)
	other := m.Provider("other", 5, 1)
	requesters := []*matchtest.Requester{m.Requester("one"), m.Requester("two")}
	rounds := 12
	if testing.Short() {
		rounds = 2
	}
	for round := range rounds {
		outs, errs := make([]match.Outcome, 2), make([]error, 2)
		var both sync.WaitGroup
		for k, r := range requesters {
			both.Go(func() { outs[k], errs[k] = play(t, m, r, m.Request(6, 20), last, other) })
		}
		both.Wait()
		won := -1
		for k := range outs {
			if errs[k] != nil {
				t.Fatalf("round %d: requester %d: %v", round, k, errs[k])
			}
			if outs[k].Matched() {
				if won >= 0 {
					t.Fatalf("round %d: 12 of 8 units are sold", round)
				}
				won = k
			}
		}
		if won < 0 {
			t.Fatalf("round %d: nobody got the units", round)
		}
		if reserved, held := last.Used(); reserved != 6 || held != 0 {
			t.Fatalf("round %d: %d units reserved, %d held", round, reserved, held)
		}
		last.CheckCapacity()
		if l := last.Lease(outs[won].Parts[0].Lease); l.State != market.Reserved || l.Requester != requesters[won].Key.ID() {
			t.Fatalf("round %d: lease is %s", round, l.State)
		}
		ctx := m.Context()
		if err := match.ReleaseLease(ctx, requesters[won].Link(ctx, last), outs[won].Parts[0].Lease); err != nil {
			t.Fatal(err)
		}
	}
}

// More matches than a provider has places for: who cannot wait is declined, the
// others are served.
func TestPlacesAreWaitedFor(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	p := m.NewProvider("p")
	p.Edit = func(c *match.ProviderConfig) { c.Matches = 1 }
	p.Start()
	p.Offer(8, 10)
	var all sync.WaitGroup
	for _, name := range []string{"one", "two", "three"} {
		r := m.Requester(name)
		all.Go(func() {
			if out, err := play(t, m, r, m.Request(2, 20), p); err != nil || !out.Matched() {
				t.Errorf("%s: matched %v, error %v", name, out.Matched(), err)
			}
		})
	}
	all.Wait()
	if reserved, held := p.Used(); reserved != 6 || held != 0 {
		t.Errorf("%d units reserved, %d held by three wins of 2", reserved, held)
	}
}
