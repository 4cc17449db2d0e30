package match_test

import (
	"slices"
	"testing"

	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match/matchtest"
)

// put replaces a provider's offer.
func put(t *testing.T, p *matchtest.Provider, class market.Class, edit func(*market.Offer)) {
	t.Helper()
	o := market.Offer{Name: "offer", Unit: class, Ceiling: 40}
	edit(&o)
	if err := p.Ledger.PutOffer(o); err != nil {
		t.Fatal(err)
	}
}

// What a provider's offer asks, and what it has beside its units, goes through a
// match of three as it stands in the ledger when inputs bind.
func TestBidsOfEachKind(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	a, b, c := m.Provider("a", 40, 1), m.Provider("b", 40, 1), m.Provider("c", 40, 1)
	r, class := m.Requester("asker"), m.Class()
	expr := func(text string) *market.PriceExpr {
		e, err := market.ParsePriceExpr(text)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	put(t, a, class, func(o *market.Offer) { o.Tiers = market.Tiers{{From: 1, Price: 500}, {From: 8, Price: 200}} })
	put(t, b, class, func(o *market.Offer) { o.Expr, o.Storage = expr("0.0003 + used/100"), 50 })
	put(t, c, class, func(o *market.Offer) { o.Expr = expr("0.0001/used") }) // no price while it is idle

	for _, tc := range []struct {
		what, policy string
		q            market.Quantity
		further      []market.Quantity
		winner       *matchtest.Provider
		price        market.Price
	}{
		{"one price for all, though some cost less", "lowest-price", 8, nil, b, 300},
		{"the step of the quantity", "lowest-price;tiers", 8, nil, a, 200},
		{"a step below, and b has become dearer", "lowest-price;tiers", 7, nil, a, 500},
		{"what is beside the units", "lowest-price;with=storage", 2, []market.Quantity{30}, b, 80_300},
	} {
		req := m.Request(tc.q, market.NoMaximum)
		req.Policy, req.Further = tc.policy, tc.further
		out := mustPlay(t, m, r, req, a, b, c)
		if !out.Matched() || out.Parts[0].Member.ID != tc.winner.Key.ID() || out.Parts[0].Price != tc.price {
			t.Fatalf("%s: matched %v, %+v", tc.what, out.Matched(), out.Parts)
		}
		l := tc.winner.Lease(out.Parts[0].Lease)
		if l.Quantity != tc.q || l.Price != tc.price || !slices.Equal(l.Further, tc.further) {
			t.Errorf("%s: %d units at %d and %v beside", tc.what, l.Quantity, l.Price, l.Further)
		}
	}
	req := m.Request(1, market.NoMaximum)
	req.Policy, req.Further = "lowest-price;with=storage", []market.Quantity{21}
	if out := mustPlay(t, m, r, req, a, b, c); out.Matched() {
		t.Error("20 are left, and 21 were had")
	}
	if f := c.Ledger.Faults(); len(f) != 1 {
		t.Errorf("the offer without a price says nothing: %v", f)
	}
}
