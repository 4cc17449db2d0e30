package match_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match"
	"github.com/angler-dex/angler/internal/match/matchtest"
)

// Each placement function between sessions: every winner reserves its own part under a lease of its own, at what it is paid, the
// others nothing, and the requester's outcome says the same.
func TestFunctionsBetweenSessions(t *testing.T) {
	m := matchtest.New(t)
	names := []string{"a", "b", "c"}
	a, b, c := m.NewProvider("a"), m.NewProvider("b"), m.NewProvider("c")
	all := []string{"fit", "lowest-price;handicap", "second-price", "split"}
	for k, p := range []*matchtest.Provider{a, b, c} {
		p.Policies = all
		p.Start()
		p.Offer(10, market.Price(30-10*k))
	}
	if err := c.Ledger.PutOffer(market.Offer{Name: "offer", Unit: m.Class(), Ceiling: 64, Tiers: market.Tiers{{From: 1, Price: 90}, {From: 9, Price: 25}}, Policies: all}); err != nil {
		t.Fatal(err)
	}
	providers := []*matchtest.Provider{a, b, c}
	r := m.Requester("asker")
	ctx := m.Context()
	for _, tc := range []struct {
		policy string
		units  market.Quantity
		edit   func(*market.Request)
		want   string // of each winner its name, units and what it is paid; "" for no match
	}{
		{"lowest-price", 5, nil, "b:5@20"},
		{"lowest-price;handicap", 5, func(q *market.Request) { q.Handicaps = map[[32]byte]market.Price{b.Key.ID(): 11} }, "a:5@30"},
		{"lowest-price;tiers", 20, nil, "c:20@25"},
		{"lowest-price", 20, nil, "c:20@90"}, // without tiers a curve is its dearest step
		{"second-price", 5, nil, "b:5@30"},
		{"split", 15, nil, "a:5@30 b:10@20"},
		{"split;tiers", 15, nil, "b:10@20 c:5@90"},
		{"split;cap", 10, func(q *market.Request) { q.Cap = 6 }, "a:4@30 b:6@20"},
		{"split;winners=2", 30, nil, ""},
		{"fit", 15, nil, "c:15@90"},
		{"fit;tiers", 70, nil, "b:10@20 c:60@25"},
	} {
		req := m.Request(tc.units, 95)
		req.Policy = tc.policy
		if tc.edit != nil {
			tc.edit(&req)
		}
		out := mustPlay(t, m, r, req, providers...)
		var got []string
		for _, part := range out.Parts {
			k := slices.IndexFunc(providers, func(p *matchtest.Provider) bool { return p.Key.ID() == part.Member.ID })
			got = append(got, fmt.Sprintf("%s:%d@%d", names[k], part.Quantity, part.Price))
			l := providers[k].Lease(part.Lease)
			if l.State != market.Reserved || l.Quantity != part.Quantity || l.Price != part.Price || l.Policy != tc.policy || l.ID != market.NewLeaseID(out.SID, part.Member.ID) {
				t.Errorf("%s: %s has a lease %s of %d at %d under %s", tc.policy, names[k], l.State, l.Quantity, l.Price, l.Policy)
			}
			if err := match.ReleaseLease(ctx, r.Link(ctx, providers[k]), part.Lease); err != nil {
				t.Fatal(err)
			}
		}
		slices.Sort(got)
		if text := strings.Join(got, " "); text != tc.want {
			t.Errorf("%s of %d units: %s, want %s", tc.policy, tc.units, text, tc.want)
		}
		for k, p := range providers {
			if reserved, held := p.Used(); reserved != 0 || held != 0 {
				t.Errorf("%s: %s has %d units reserved and %d held afterwards", tc.policy, names[k], reserved, held)
			}
		}
	}
}

// A policy that no version has, or one that is not spelled as it is signed, is declined like anything else.
func TestUnknownPoliciesAreDeclined(t *testing.T) {
	m := matchtest.New(t)
	p, r := m.Provider("p", 10, 5), m.Requester("asker")
	for _, policy := range []string{"cheapest", "split;winners=04", "split;winners=2;cap", "lowest-price;cap", "fit;luck"} {
		req := m.Request(3, 10)
		req.Policy = policy
		if _, err := play(t, m, r, req, p); !isTooFew(err) {
			t.Errorf("%s: %v", policy, err)
		}
	}
	if seen := p.Seen(); len(seen) != 0 {
		t.Errorf("took part in %d matches", len(seen))
	}
}

// Handicaps are declined by a provider whose offer does not say that it takes them, and
// so is what an offer refuses; its other matches go on.
func TestParametersAreDeclined(t *testing.T) {
	m := matchtest.New(t)
	open, picky, r := m.Provider("open", 100, 5), m.NewProvider("picky"), m.Requester("asker")
	picky.Policies = []string{"lowest-price;handicap", "split;-cap"}
	picky.Start()
	picky.Offer(100, 6)
	for policy, want := range map[string][2]bool{
		"lowest-price":          {true, true},
		"lowest-price;handicap": {false, true},
		"fit;handicap":          {false, false},
		"split":                 {true, true},
		"split;cap":             {true, false},
		"split;handicap":        {false, false},
	} {
		req := m.Request(3, 10)
		if req.Policy = policy; policy == "split;cap" {
			req.Cap = 3
		}
		for k, p := range []*matchtest.Provider{open, picky} {
			if _, err := play(t, m, r, req, p); err != nil && !isTooFew(err) || (err == nil) != want[k] {
				t.Errorf("%s: %s: %v", policy, p.Name, err)
			}
		}
	}
}

func isTooFew(err error) bool {
	_, ok := errors.AsType[*match.TooFewError](err)
	return ok
}
