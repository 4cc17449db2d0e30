package match_test

import (
	"errors"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match"
	"github.com/angler-dex/angler/internal/match/matchtest"
	"github.com/angler-dex/angler/internal/mesh"
)

// leaseBench is a provider with reservations that need no match, and the
// requester that they are for.
type leaseBench struct {
	*matchtest.Market
	p *matchtest.Provider
	r *matchtest.Requester
}

func newLeaseBench(t testing.TB, edits ...func(*match.ProviderConfig)) *leaseBench {
	t.Helper()
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	p := m.NewProvider("p")
	p.Edit = func(c *match.ProviderConfig) {
		for _, edit := range edits {
			edit(c)
		}
	}
	p.Prepare = func(prov *match.Provider) { prov.Every(2 * time.Millisecond) }
	p.Start()
	p.Offer(100, 7)
	return &leaseBench{Market: m, p: p, r: m.Requester("asker")}
}

// deal is what the requester knows of a lease.
func (b *leaseBench) deal(l market.Lease) match.Deal {
	return match.Deal{
		SID: l.SID, Lease: l.ID, Provider: b.p.Key.ID(), Requester: b.r.Key.ID(),
		Class: l.Class, Quantity: l.Quantity, Price: l.Price, Duration: l.Duration, Policy: l.Policy, Further: l.Further,
	}
}

func (b *leaseBench) claim(l market.Lease) (match.Granted, error) {
	return claim(b.Market, b.r, b.p, b.deal(l))
}

func (b *leaseBench) mustClaim(l market.Lease) match.Granted {
	b.TB.Helper()
	g, err := b.claim(l)
	if err != nil {
		b.TB.Fatalf("claim: %v", err)
	}
	return g
}

func (b *leaseBench) confirm(l market.Lease, g match.Granted) error {
	ctx := b.Context()
	return b.r.Over(ctx, b.p, func(link *mesh.Link) error {
		return match.ConfirmLease(ctx, link, l.ID, match.SignReceipt(b.r.Key, g.Receipt))
	})
}

func (b *leaseBench) release(l market.Lease) error {
	ctx := b.Context()
	return b.r.Over(ctx, b.p, func(link *mesh.Link) error { return match.ReleaseLease(ctx, link, l.ID) })
}

func (b *leaseBench) ask(r *matchtest.Requester, action match.Action, l market.Lease) match.Status {
	b.TB.Helper()
	reply, err := match.Ask(b.Context(), r.Link(b.Context(), b.p), match.LeaseRequest{Action: action, Lease: l.ID[:]})
	if err != nil {
		b.TB.Fatal(err)
	}
	return reply.Status
}

func (b *leaseBench) state(l market.Lease) market.State {
	b.TB.Helper()
	return b.p.Lease(l.ID).State
}

func (b *leaseBench) await(l market.Lease, want market.State) {
	b.TB.Helper()
	waitFor(b.TB, "a lease to be "+want.String(), func() bool { return b.state(l) == want })
}

// nothingLeft asserts that no lease occupies anything.
func (b *leaseBench) nothingLeft() {
	b.TB.Helper()
	if reserved, held := b.p.Used(); reserved != 0 || held != 0 {
		b.TB.Errorf("%d units are reserved, %d held", reserved, held)
	}
	if left := b.p.Cluster.Leases(); len(left) != 0 {
		b.TB.Errorf("%d namespaces are left", len(left))
	}
	b.p.CheckCapacity()
}

func statusOf(err error) match.Status {
	if refused, ok := errors.AsType[*match.RefusedError](err); ok {
		return refused.Status
	}
	return 0
}
