package requester_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match"
	"github.com/angler-dex/angler/internal/match/matchtest"
	"github.com/angler-dex/angler/internal/requester"
)

// tens are providers of 10 units each, at rising prices.
func tens(m *matchtest.Market, n int) []*matchtest.Provider {
	var list []*matchtest.Provider
	for k := range n {
		list = append(list, m.Provider(fmt.Sprint("p", k+1), 10, market.Price(100+k)))
	}
	return list
}

func (b *bench) split(policy string, units market.Quantity, edit func(*market.Request)) (requester.Lease, error) {
	req := b.Request(units, 1000)
	req.Policy = policy
	if edit != nil {
		edit(&req)
	}
	return b.client.Request(b.Context(), req, requester.Bounds{MinProviders: 1, MaxProviders: 8})
}

// What no provider has alone comes from the cheapest together, by matches that
// are computed in full, and each knows its own part.
func TestRequestIsSplit(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	at := tens(m, 5)
	b := newBench(t, m, "asker", at...)
	l, err := b.split("fit", 32, nil)
	if err != nil {
		t.Fatal(err)
	}
	b.check(l, requester.Active)
	if l.ID != requester.SplitID([32]byte(l.SID)) || l.Quantity() != 32 || len(l.Parts) != 4 {
		t.Fatalf("%d units in %d parts", l.Quantity(), len(l.Parts))
	}
	least, most := l.Prices()
	if least != 100 || most != 103 || l.Parts[3].Quantity != 2 || l.Parts[3].Provider != at[3].Key.ID() {
		t.Errorf("prices from %d to %d, the last part is %#v", least, most, l.Parts[3])
	}
	for k, p := range at {
		reserved, held := p.Used()
		if want := []market.Quantity{10, 10, 10, 2, 0}[k]; reserved != want || held != 0 {
			t.Errorf("%s has %d units reserved, %d held", p.Name, reserved, held)
		}
	}
	if l, err = b.client.Release(b.Context(), l); err != nil {
		t.Fatal(err)
	}
	for _, p := range at {
		if reserved, _ := p.Used(); reserved != 0 {
			t.Errorf("%s has %d units reserved", p.Name, reserved)
		}
	}
	checkSecrets(t, m, nil, at...)
}

// A winner that does not provide is left out, the others give back what they
// had, and the request ends in a lease without it.
func TestSplitWithoutTheOneThatFails(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	at := tens(m, 5)
	at[1].Cluster.After(refuseToProvision)
	b := newBench(t, m, "asker", at...)
	b.client.Reputation = requester.OpenReputation(t.TempDir() + "/reputation.json")
	l, err := b.split("split", 32, nil)
	if err != nil {
		t.Fatal(err)
	}
	if l.Quantity() != 32 || slices.ContainsFunc(l.Parts, func(p requester.Part) bool { return p.Provider == at[1].Key.ID() }) {
		t.Errorf("parts %v", l.Parts)
	}
	all, err := b.client.Store.List()
	if err != nil || len(all) != 2 || all[1].State != requester.Lost || all[1].Reason == "" {
		t.Errorf("%d leases are stored, error %v", len(all), err)
	}
	for k, p := range at {
		reserved, held := p.Used()
		if want := []market.Quantity{10, 0, 10, 10, 2}[k]; reserved != want || held != 0 {
			t.Errorf("%s has %d units reserved, %d held", p.Name, reserved, held)
		}
	}
	known, err := b.client.Reputation.Of()
	if err != nil || len(known) != 1 || known[at[1].Key.ID()].Broken != 1 {
		t.Errorf("reputations %v, error %v", known, err)
	}
	// If too few are left for all of it, nothing is kept of it.
	at[2].Cluster.After(refuseToProvision)
	at[4].Cluster.After(refuseToProvision)
	if _, err = b.client.Release(b.Context(), l); err != nil {
		t.Fatal(err)
	}
	_, err = b.split("split", 32, nil)
	if failure, ok := errors.AsType[*requester.ProvisionError](err); !ok || failure.Winners < 2 || !strings.Contains(err.Error(), "winners did not provision") {
		t.Errorf("error %v", err)
	}
	waitFor(t, "everything to be given back", func() bool {
		return !slices.ContainsFunc(at, func(p *matchtest.Provider) bool {
			reserved, held := p.Used()
			return reserved != 0 || held != 0
		})
	})
}

// A cap spreads, a handicap passes over; both stay with the requester.
func TestCapAndHandicap(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	at := tens(m, 3)
	b := newBench(t, m, "asker", at...)
	var policy *requester.PolicyError
	if _, err := b.split("fit;handicap", 5, nil); !errors.As(err, &policy) || !policy.Handicap() || !strings.Contains(err.Error(), "handicaps only where that is said") {
		t.Errorf("handicaps that nobody has agreed to: %v", err)
	}
	for k, p := range at[1:] {
		p.Policies = []string{"fit;handicap", "split"}
		p.Offer(10, market.Price(101+k))
	}
	var few *requester.TooFewError
	req := b.Request(5, 1000)
	req.Policy = "fit;handicap"
	if _, err := b.client.Request(b.Context(), req, requester.Bounds{MinProviders: 3, MaxProviders: 8}); !errors.As(err, &few) || few.Found != 2 || few.Other != 1 {
		t.Errorf("one of three has not agreed: %v", err)
	}
	at[0].Policies = []string{"fit;handicap", "split"}
	at[0].Offer(10, 100)
	l, err := b.split("split;cap", 9, func(r *market.Request) { r.Cap = 3 })
	if err != nil || len(l.Parts) != 3 || l.Parts[0].Quantity != 3 {
		t.Fatalf("%d parts, error %v", len(l.Parts), err)
	}
	l, err = b.split("fit;handicap", 5, func(r *market.Request) {
		r.Handicaps = map[[32]byte]market.Price{at[0].Key.ID(): 50}
	})
	if err != nil || len(l.Parts) != 1 || l.Parts[0].Provider != at[1].Key.ID() || l.Parts[0].Price != 101 {
		t.Errorf("parts %#v, error %v", l.Parts, err)
	}
	if _, err := b.split("split;winners=2", 32, nil); !errors.Is(err, requester.ErrNoFit) {
		t.Errorf("of two winners: %v", err)
	}
	checkSecrets(t, m, nil, at...)
}

// Providers whose offers take part in other policies alone are told of, and
// nothing is left of the request.
func TestPolicyThatNobodyAccepts(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	p := m.NewProvider("p")
	p.Edit = func(c *match.ProviderConfig) {
		c.Record = func() ([]byte, error) {
			raw, err := p.Record()
			if err != nil {
				return nil, err
			}
			rec, err := identity.OpenRecord(raw, m.Clock.Now())
			if err != nil {
				return nil, err
			}
			rec.Policies = []string{"lowest-price"}
			return identity.SignRecord(p.Key, rec)
		}
	}
	p.Start()
	p.Offer(9, 5)
	b := newBench(t, m, "asker", p)
	_, err := b.split("split", 3, nil)
	if policy, ok := errors.AsType[*requester.PolicyError](err); !ok || !slices.Equal(policy.Known, []string{"lowest-price"}) || !strings.Contains(err.Error(), "lowest-price") {
		t.Errorf("error %v", err)
	}
	if all, err := b.client.Store.List(); err != nil || len(all) != 0 {
		t.Errorf("%d leases are stored, error %v", len(all), err)
	}
	if reserved, held := p.Used(); reserved != 0 || held != 0 {
		t.Errorf("%d units reserved, %d held", reserved, held)
	}
}
