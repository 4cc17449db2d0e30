package match_test

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match"
	"github.com/angler-dex/angler/internal/match/matchtest"
)

// play runs one match and leaves it.
func play(t testing.TB, m *matchtest.Market, r *matchtest.Requester, req market.Request, providers ...*matchtest.Provider) (match.Outcome, error) {
	t.Helper()
	ctx := m.Context()
	out, leave, err := r.Seeker().Play(ctx, req, r.Candidates(ctx, providers...), len(providers), func(match.Outcome) error { return nil })
	leave(ctx)
	return out, err
}

func mustPlay(t testing.TB, m *matchtest.Market, r *matchtest.Requester, req market.Request, providers ...*matchtest.Provider) match.Outcome {
	t.Helper()
	out, err := play(t, m, r, req, providers...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// deal is what the requester expects of an outcome.
func deal(r *matchtest.Requester, req market.Request, o match.Outcome) match.Deal {
	return match.Deal{
		SID: o.SID, Lease: o.Parts[0].Lease, Provider: o.Parts[0].Member.ID, Requester: r.Key.ID(),
		Class: req.Class, Quantity: req.Quantity, Price: o.Parts[0].Price, Duration: req.Duration, Policy: req.Policy, Further: req.Further,
	}
}

// The main job: the cheapest that has room wins, the others learn that they were
// not selected and hold nothing, and the winner's lease goes from reserved to
// released.
func TestCheapestWithRoomWins(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	m.MinRoster = 3
	small := m.Provider("small", 31, 100)
	cheap := m.Provider("cheap", 40, 310)
	dear := m.Provider("dear", 64, 900)
	late := m.Provider("late", 64, 311)
	r := m.Requester("asker")
	ctx := m.Context()
	req := m.Request(32, 1000)

	var stored match.Outcome
	out, leave, err := r.Seeker().Play(ctx, req, r.Candidates(ctx, small, cheap, dear, late), 4, func(o match.Outcome) error {
		stored = o
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if !out.Matched() || out.Parts[0].Member.ID != cheap.Key.ID() || out.Parts[0].Price != 310 || out.Parts[0].Lease != market.NewLeaseID(out.SID, cheap.Key.ID()) {
		t.Fatalf("outcome: matched %v, %d parts", out.Matched(), len(out.Parts))
	}
	if stored.Parts[0].Lease != out.Parts[0].Lease {
		t.Error("another outcome was stored than returned")
	}
	leave(ctx)

	for _, p := range []*matchtest.Provider{small, dear, late} {
		seen := p.Seen()
		if len(seen) != 1 || seen[0].Won || seen[0].Aborted != "" || seen[0].Quantity != 0 || seen[0].Price != 0 || seen[0].Parties != 5 {
			t.Errorf("%s learned %+v", p.Name, seen)
		}
		if reserved, held := p.Used(); reserved != 0 || held != 0 || len(p.Ledger.Leases()) != 0 {
			t.Errorf("%s holds something after a match that it lost", p.Name)
		}
	}
	if seen := cheap.Seen(); len(seen) != 1 || !seen[0].Won || seen[0].Quantity != 32 || seen[0].Price != 310 || seen[0].Lease != out.Parts[0].Lease {
		t.Errorf("the winner learned %+v", seen)
	}
	state := func(want market.State) market.Lease {
		t.Helper()
		l := cheap.Lease(out.Parts[0].Lease)
		if l.State != want || l.Quantity != 32 || l.Price != 310 || l.Requester != r.Key.ID() {
			t.Fatalf("lease is %s for %d units at %d, want %s for 32 at 310", l.State, l.Quantity, l.Price, want)
		}
		return l
	}
	state(market.Reserved)
	if reserved, held := cheap.Used(); reserved != 32 || held != 0 {
		t.Errorf("%d units reserved and %d held by a win of 32", reserved, held)
	}

	link := r.Link(ctx, cheap)
	granted, err := match.ClaimLease(ctx, link, deal(r, req, out), m.Clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	lease := state(market.Provisional)
	spec, ok := cheap.Cluster.Spec(out.Parts[0].Lease.String())
	if !ok || spec.Requester != r.Key.ID().String() || spec.Provider != cheap.Key.ID().String() || granted.Grant.Namespace != lease.Namespace {
		t.Errorf("namespace %q for %+v", granted.Grant.Namespace, spec)
	}
	if cpu, mem := spec.Quota["cpu"], spec.Quota["memory"]; cpu.Value() != 32 || mem.Value() != 32<<30 {
		t.Errorf("quota of 32 units of (1, 1Gi): cpu %s, memory %s", cpu.String(), mem.String())
	}
	if end := lease.Granted.Wall.Add(time.Hour); spec.Expires.Before(end) || granted.Grant.Expires.Before(end.Truncate(time.Second)) {
		t.Error("what is in the cluster ends before the lease does")
	}
	receipt, err := match.OpenReceipt(granted.Receipt, granted.Signed, cheap.Key.ID())
	if err != nil {
		t.Fatal(err)
	}
	if receipt.Quantity != 32 || receipt.Price != 310 || receipt.Seconds != 3600 || receipt.Class != req.Class.String() {
		t.Error("the receipt does not state the deal")
	}

	mine := match.SignReceipt(r.Key, granted.Receipt)
	if err := match.ConfirmLease(ctx, link, out.Parts[0].Lease, mine); err != nil {
		t.Fatal(err)
	}
	kept, theirs := match.Signatures(state(market.Active))
	if _, err := match.OpenReceipt(granted.Receipt, kept, cheap.Key.ID()); err != nil {
		t.Errorf("the provider's signature in its ledger: %v", err)
	}
	if _, err := match.OpenReceipt(granted.Receipt, theirs, r.Key.ID()); err != nil {
		t.Errorf("the requester's signature in the provider's ledger: %v", err)
	}

	if err := match.ReleaseLease(ctx, link, out.Parts[0].Lease); err != nil {
		t.Fatal(err)
	}
	if l := state(market.Released); l.Grant != nil {
		t.Error("the grant is kept after the end")
	}
	if reserved, _ := cheap.Used(); reserved != 0 || len(cheap.Cluster.Leases()) != 0 {
		t.Error("something is left of a released lease")
	}
}

// When nothing fits, everybody learns just that, and nothing is held.
func TestNoOfferFits(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	a, b := m.Provider("a", 4, 10), m.Provider("b", 100, 500)
	r := m.Requester("asker")
	out := mustPlay(t, m, r, m.Request(5, 499), a, b)
	if out.Matched() {
		t.Errorf("matched %v", out.Matched())
	}
	for _, p := range []*matchtest.Provider{a, b} {
		if seen := p.Seen(); len(seen) != 1 || seen[0].Won || seen[0].Aborted != "" {
			t.Errorf("%s learned %+v", p.Name, seen)
		}
		if reserved, held := p.Used(); reserved != 0 || held != 0 {
			t.Errorf("%s holds something", p.Name)
		}
	}
}

// What cannot be stored is not won: the last flight does not leave.
func TestOutcomeThatCannotBeStored(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	p := m.Provider("p", 4, 10)
	r := m.Requester("asker")
	ctx := m.Context()
	full := errors.New("disk full")
	_, leave, err := r.Seeker().Play(ctx, m.Request(1, 10), r.Candidates(ctx, p), 1, func(match.Outcome) error { return full })
	leave(ctx)
	if !errors.Is(err, full) {
		t.Fatalf("error %v", err)
	}
	waitFor(t, "the provider to give up", func() bool { return len(p.Seen()) == 1 })
	if seen := p.Seen()[0]; seen.Won || seen.Aborted == "" {
		t.Errorf("the provider learned %+v", seen)
	}
	if reserved, held := p.Used(); reserved != 0 || held != 0 {
		t.Error("the provider holds something")
	}
}

// A match whose result stands is seen through, even if the request's time is up
// in that very moment.
func TestResultStandsWhenTimeIsUp(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	p := m.Provider("p", 4, 10)
	r := m.Requester("asker")
	ctx, cancel := context.WithCancel(m.Context())
	out, leave, err := r.Seeker().Play(ctx, m.Request(1, 10), r.Candidates(ctx, p), 1, func(match.Outcome) error {
		cancel()
		return nil
	})
	if err != nil || !out.Matched() {
		t.Fatalf("matched %v, error %v", out.Matched(), err)
	}
	leave(m.Context())
	if l := p.Lease(out.Parts[0].Lease); l.State != market.Reserved {
		t.Errorf("lease is %s", l.State)
	}
}

// "F9 after the hold has expired is refused": a winner that may have sold the
// units meanwhile has not won.
func TestHoldExpiresInMatch(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	p := m.NewProvider("p")
	p.Edit = func(c *match.ProviderConfig) { c.HoldFor = time.Minute }
	p.Start()
	p.Offer(4, 10)
	r := m.Requester("asker")
	ctx := m.Context()
	req := m.Request(4, 10)
	out, leave, err := r.Seeker().Play(ctx, req, r.Candidates(ctx, p), 1, func(match.Outcome) error {
		m.Clock.Pass(time.Minute)
		return nil
	})
	if err != nil || !out.Matched() {
		t.Fatalf("matched %v, error %v", out.Matched(), err)
	}
	leave(ctx)
	if _, err := match.ClaimLease(ctx, r.Link(ctx, p), deal(r, req, out), m.Clock.Now); err == nil {
		t.Error("granted")
	}
	if reserved, held := p.Used(); reserved != 0 || held != 0 || len(p.Ledger.Leases()) != 0 {
		t.Errorf("%d units reserved, %d held", reserved, held)
	}
	if seen := p.Seen(); len(seen) != 1 || seen[0].Won || seen[0].Aborted == "" {
		t.Errorf("the provider learned %+v", seen)
	}
}

// Too few that accept end a match before it begins; those who did are let go.
func TestTooFew(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	p := m.Provider("p", 4, 10)
	closed := m.NewProvider("closed")
	closed.Start() // without an offer
	r := m.Requester("asker")
	_, err := play(t, m, r, m.Request(1, 10), p, closed)
	var few *match.TooFewError
	if !errors.As(err, &few) || few.Accepted != 1 || few.Wanted != 2 {
		t.Fatalf("error %v", err)
	}
	if out := mustPlay(t, m, r, m.Request(1, 10), p); !out.Matched() {
		t.Error("the provider that had accepted is not free")
	}
}

// waitFor waits for something that happens elsewhere.
func waitFor(t testing.TB, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func randomBytes(t testing.TB, n int) []byte {
	t.Helper()
	b := make([]byte, n)
	if _, err := rand.Read(b); err != nil {
		t.Fatal(err)
	}
	return b
}
