package match_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
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
		Class: l.Class, Quantity: l.Quantity, Price: l.Price, Duration: l.Duration,
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

// Somebody else's lease is answered as one that does not exist, whatever is
// asked of it and wherever it stands.
func TestLeaseOfAnother(t *testing.T) {
	b := newLeaseBench(t)
	stranger := b.Requester("stranger")
	l := b.p.Reserve(b.r.Key.ID(), 3)
	none := market.Lease{ID: market.LeaseID{1}}
	refused := func() {
		t.Helper()
		before := b.state(l)
		for _, action := range []match.Action{match.Claim, match.Confirm, match.Release, 0, 9} {
			if got, want := b.ask(stranger, action, l), b.ask(b.r, action, none); got != match.StatusRefused || want != got {
				t.Errorf("action %d: %d for somebody else's lease, %d for none", action, got, want)
			}
		}
		if b.state(l) != before {
			t.Errorf("the lease went from %s to %s", before, b.state(l))
		}
	}
	refused()
	g := b.mustClaim(l)
	refused()
	if err := b.confirm(l, g); err != nil {
		t.Fatal(err)
	}
	refused()
	if got := b.ask(b.r, 9, l); got != match.StatusRefused {
		t.Errorf("an unknown action: %d", got)
	}
}

// However often a lease is claimed, and by how many at once, it is provisioned
// once and granted in the same words.
func TestClaimsAreIdempotent(t *testing.T) {
	b := newLeaseBench(t)
	l := b.p.Reserve(b.r.Key.ID(), 3)
	first := b.mustClaim(l)
	same := func() {
		t.Helper()
		g, err := b.claim(l)
		if err != nil {
			t.Error(err)
			return
		}
		if g.Grant.Token != first.Grant.Token || string(g.Receipt) != string(first.Receipt) || string(g.Signed) != string(first.Signed) {
			t.Error("the same claim was granted in other words")
		}
	}
	var many sync.WaitGroup
	for range 8 {
		many.Go(same)
	}
	many.Wait()
	for range 2 {
		if err := b.confirm(l, first); err != nil {
			t.Fatal(err)
		}
	}
	same()
	b.p.Restart()
	same()
	if err := b.confirm(l, first); err != nil {
		t.Errorf("confirmed again: %v", err)
	}
	other := b.p.Reserve(b.r.Key.ID(), 3)
	for range 8 {
		many.Go(func() {
			if _, err := b.claim(other); err != nil {
				t.Error(err)
			}
		})
	}
	many.Wait()
	if n := b.p.Cluster.Calls(matchtest.Provision); n != 2 {
		t.Errorf("two leases were provisioned %d times", n)
	}
}

// A claim that comes while the match still runs is told to ask again; only its
// requester is.
func TestClaimWhileTheMatchRuns(t *testing.T) {
	b := newLeaseBench(t)
	stranger := b.Requester("stranger")
	ctx := b.Context()
	req := b.Request(3, 10)
	out, leave, err := b.r.Seeker().Play(ctx, req, b.r.Candidates(ctx, b.p), 1, func(o match.Outcome) error {
		l := market.Lease{ID: o.Lease}
		for action := match.Claim; action <= match.Release; action++ {
			if got := b.ask(b.r, action, l); got != match.StatusPending {
				t.Errorf("action %d: %d", action, got)
			}
			if got := b.ask(stranger, action, l); got != match.StatusRefused {
				t.Errorf("action %d by a stranger: %d", action, got)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	leave(ctx)
	if _, err := match.ClaimLease(ctx, b.r.Link(ctx, b.p), deal(b.r, req, out), b.Clock.Now); err != nil {
		t.Error(err)
	}
}

// There is no moment between match and reservation in which a claim is refused.
func TestClaimIsNeverTooEarly(t *testing.T) {
	b := newLeaseBench(t)
	rounds := 5
	if testing.Short() {
		rounds = 2
	}
	for range rounds {
		ctx := b.Context()
		req := b.Request(1, 10)
		var claims sync.WaitGroup
		_, leave, err := b.r.Seeker().Play(ctx, req, b.r.Candidates(ctx, b.p), 1, func(o match.Outcome) error {
			for range 3 {
				claims.Go(func() {
					for {
						switch got := b.ask(b.r, match.Claim, market.Lease{ID: o.Lease}); got {
						case match.StatusPending:
							continue
						case match.StatusGranted:
						default:
							t.Errorf("status %d", got)
						}
						return
					}
				})
			}
			return nil
		})
		claims.Wait()
		if err != nil {
			t.Fatal(err)
		}
		leave(ctx)
	}
}

// "Unclaimed reservations die after a minute."
func TestUnclaimedReservationDies(t *testing.T) {
	b := newLeaseBench(t)
	l := b.p.Reserve(b.r.Key.ID(), 3)
	b.Clock.Pass(time.Minute)
	b.await(l, market.Released)
	b.nothingLeft()
	if _, err := b.claim(l); statusOf(err) != match.StatusGone {
		t.Errorf("claimed late: %v", err)
	}
	if n := b.p.Cluster.Calls(matchtest.Release); n != 0 {
		t.Errorf("the cluster was asked %d times to release what it knew nothing of", n)
	}
}

// "Unconfirmed grants are torn down after two minutes; a late confirm is answered
// gone."
func TestUnconfirmedGrantIsTornDown(t *testing.T) {
	b := newLeaseBench(t)
	l := b.p.Reserve(b.r.Key.ID(), 3)
	g := b.mustClaim(l)
	b.Clock.Pass(2 * time.Minute)
	b.await(l, market.Released)
	b.nothingLeft()
	if err := b.confirm(l, g); statusOf(err) != match.StatusGone {
		t.Errorf("confirmed late: %v", err)
	}
	if _, err := b.claim(l); statusOf(err) != match.StatusGone {
		t.Errorf("claimed late: %v", err)
	}
}

// A lease ends when its time is over, and not before.
func TestLeaseExpires(t *testing.T) {
	b := newLeaseBench(t)
	l := b.p.Reserve(b.r.Key.ID(), 3)
	if err := b.confirm(l, b.mustClaim(l)); err != nil {
		t.Fatal(err)
	}
	b.Clock.Pass(time.Hour - time.Minute)
	b.p.Restart() // sweeps at once
	waitSweeps(t, b.p)
	if s := b.state(l); s != market.Active {
		t.Fatalf("a minute before its end the lease is %s", s)
	}
	b.Clock.Pass(2*time.Minute + market.Grace)
	b.await(l, market.Released)
	b.nothingLeft()
}

// waitSweeps waits until the provider has swept since it was called: a
// reservation that is due by then has been ended.
func waitSweeps(t testing.TB, p *matchtest.Provider) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 2 { // Run sweeps between any two jobs
			_ = p.Match.End(context.WithoutCancel(t.Context()), market.LeaseID{}, "")
		}
	}()
	<-done
}

// A confirmation needs the requester's own signature under the very receipt.
func TestConfirmationIsSigned(t *testing.T) {
	b := newLeaseBench(t)
	l := b.p.Reserve(b.r.Key.ID(), 3)
	link := b.r.Link(b.Context(), b.p)
	if err := match.ConfirmLease(b.Context(), link, l.ID, nil); statusOf(err) != match.StatusRefused {
		t.Errorf("confirmed before it was granted: %v", err)
	}
	g := b.mustClaim(l)
	for name, signature := range map[string][]byte{
		"none": nil, "of the provider": g.Signed, "of noise": randomBytes(t, 64),
		"of another receipt": match.SignReceipt(b.r.Key, append([]byte{0}, g.Receipt...)),
		"of somebody else":   match.SignReceipt(matchtest.Key(t), g.Receipt),
	} {
		if err := match.ConfirmLease(b.Context(), link, l.ID, signature); statusOf(err) != match.StatusRefused {
			t.Errorf("signature %s: %v", name, err)
		}
	}
	if s := b.state(l); s != market.Provisional {
		t.Errorf("lease is %s", s)
	}
	if err := b.confirm(l, g); err != nil {
		t.Error(err)
	}
}

// A cluster that fails, whether it did what it was asked or not: the requester
// is told, the capacity is free, nothing stays behind.
func TestProvisioningFails(t *testing.T) {
	refuse := func(_ context.Context, op matchtest.Op, _ string) error {
		if op == matchtest.Provision {
			return matchtest.ErrRefused
		}
		return nil
	}
	for name, fail := range map[string]func(*matchtest.Cluster){
		"refused":          func(c *matchtest.Cluster) { c.Before(refuse) },
		"done, and denied": func(c *matchtest.Cluster) { c.After(refuse) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newLeaseBench(t)
			fail(b.p.Cluster)
			l := b.p.Reserve(b.r.Key.ID(), 3)
			for range 2 {
				if _, err := b.claim(l); statusOf(err) != match.StatusFailed {
					t.Errorf("claim: %v", err)
				}
			}
			if s := b.state(l); s != market.Failed {
				t.Errorf("lease is %s", s)
			}
			b.nothingLeft()
		})
	}
}

// A claim goes on without the one who made it, who may ask again.
func TestClaimOutlivesItsRequester(t *testing.T) {
	b := newLeaseBench(t)
	begun, goOn := make(chan struct{}), make(chan struct{})
	b.p.Cluster.Before(func(_ context.Context, op matchtest.Op, _ string) error {
		if op == matchtest.Provision {
			close(begun)
			<-goOn
		}
		return nil
	})
	l := b.p.Reserve(b.r.Key.ID(), 3)
	ctx, cancel := context.WithCancel(b.Context())
	first := make(chan error, 1)
	link := b.r.Link(ctx, b.p)
	go func() {
		_, err := match.ClaimLease(ctx, link, b.deal(l), b.Clock.Now)
		first <- err
	}()
	<-begun
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("claim: %v", err)
	}
	close(goOn)
	b.mustClaim(l)
	if n := b.p.Cluster.Calls(matchtest.Provision); n != 1 {
		t.Errorf("provisioned %d times", n)
	}
}

// Whatever takes long enough for a sweep to come by: a lease that is being
// worked on is nobody else's.
func TestSweepLeavesWorkAlone(t *testing.T) {
	b := newLeaseBench(t)
	begun, goOn := make(chan struct{}), make(chan struct{})
	b.p.Cluster.Before(func(_ context.Context, op matchtest.Op, _ string) error {
		if op == matchtest.Provision {
			close(begun)
			<-goOn
		}
		return nil
	})
	l := b.p.Reserve(b.r.Key.ID(), 3)
	granted := make(chan error, 1)
	go func() {
		_, err := b.claim(l)
		granted <- err
	}()
	<-begun
	b.Clock.Pass(10 * time.Minute) // it is stuck, says the ledger
	waitSweeps(t, b.p)
	close(goOn)
	if err := <-granted; err != nil {
		t.Fatal(err)
	}
	waitSweeps(t, b.p)
	if s := b.state(l); s != market.Provisional {
		t.Errorf("lease is %s", s)
	}
}

// A confirmation and the end of the time for it, at once: whatever the requester
// is told stays true.
func TestConfirmAgainstTheClock(t *testing.T) {
	b := newLeaseBench(t)
	rounds := 60
	if testing.Short() {
		rounds = 20
	}
	confirmed := 0
	for range rounds {
		l := b.p.Reserve(b.r.Key.ID(), 1)
		g := b.mustClaim(l)
		var both sync.WaitGroup
		var err error
		both.Go(func() { err = b.confirm(l, g) })
		both.Go(func() { b.Clock.Pass(2 * time.Minute) })
		both.Wait()
		waitSweeps(t, b.p)
		switch {
		case err == nil:
			confirmed++
			if s := b.state(l); s != market.Active {
				t.Fatalf("a lease that was confirmed is %s", s)
			}
			if err = b.release(l); err != nil {
				t.Fatal(err)
			}
		case statusOf(err) == match.StatusGone:
			b.await(l, market.Released)
		default:
			t.Fatal(err)
		}
	}
	t.Logf("%d of %d were confirmed in time", confirmed, rounds)
	b.nothingLeft()
}

// A lease that is confirmed after a sweep has found it due, and before it could
// take it, lives on.
func TestConfirmedWhenFoundDue(t *testing.T) {
	var b *leaseBench
	var once sync.Once
	var armed atomic.Bool
	confirmed := errors.New("never tried")
	var l market.Lease
	var g match.Granted
	b = newLeaseBench(t, func(c *match.ProviderConfig) {
		right := c.Clock
		c.Clock = func() market.Moment {
			if armed.Load() { // by the sweep, which asks whether the lease is left alone
				once.Do(func() { confirmed = b.confirm(l, g) })
			}
			return right()
		}
	})
	l = b.p.Reserve(b.r.Key.ID(), 3)
	g = b.mustClaim(l)
	armed.Store(true)
	b.Clock.Pass(2 * time.Minute)
	waitSweeps(t, b.p)
	once.Do(func() {}) // has been done
	if s := b.state(l); confirmed != nil || s != market.Active {
		t.Errorf("error %v, lease is %s", confirmed, s)
	}
}

// A confirmation that comes while the lease is being ended waits for the end, and
// is told of it.
func TestConfirmedWhenBeingEnded(t *testing.T) {
	var b *leaseBench
	var l market.Lease
	var g match.Granted
	answered := make(chan error, 1)
	b = newLeaseBench(t, func(c *match.ProviderConfig) {
		c.Log = slog.New(&eavesdropper{Handler: c.Log.Handler(), heard: func(message string) {
			if message != "ending lease" {
				return
			}
			early := make(chan struct{})
			go func() {
				answered <- b.confirm(l, g)
				close(early)
			}()
			select {
			case <-early: // it should not
			case <-time.After(200 * time.Millisecond):
			}
		}})
	})
	l = b.p.Reserve(b.r.Key.ID(), 3)
	g = b.mustClaim(l)
	b.Clock.Pass(2 * time.Minute)
	b.await(l, market.Released)
	if err := <-answered; statusOf(err) != match.StatusGone {
		t.Errorf("confirmed: %v", err)
	}
	b.nothingLeft()
}

// eavesdropper hears what is logged.
type eavesdropper struct {
	slog.Handler
	heard func(message string)
}

func (e *eavesdropper) Handle(ctx context.Context, r slog.Record) error {
	e.heard(r.Message)
	return e.Handler.Handle(ctx, r)
}

// A lease can be given back wherever it stands, and again.
func TestReleaseInEveryState(t *testing.T) {
	for name, bring := range map[string]func(b *leaseBench, l market.Lease){
		"reserved":    func(*leaseBench, market.Lease) {},
		"provisional": func(b *leaseBench, l market.Lease) { b.mustClaim(l) },
		"active": func(b *leaseBench, l market.Lease) {
			if err := b.confirm(l, b.mustClaim(l)); err != nil {
				b.TB.Fatal(err)
			}
		},
		"provisioning": func(b *leaseBench, l market.Lease) {
			begun := make(chan struct{})
			b.p.Cluster.Before(func(_ context.Context, op matchtest.Op, _ string) error {
				if op == matchtest.Provision {
					close(begun)
					waitFor(b.TB, "the release", func() bool { return strings.Contains(b.Log.String(), "asked for its release") })
				}
				return nil
			})
			b.background(match.Claim, l)
			<-begun
			b.Log.For("test").Info("asked for its release")
		},
		"expiring": func(b *leaseBench, l market.Lease) {
			b.mustClaim(l)
			var refusals atomic.Int32
			b.p.Cluster.Before(func(_ context.Context, op matchtest.Op, _ string) error {
				if op == matchtest.Release && refusals.Add(1) == 1 {
					return matchtest.ErrRefused
				}
				return nil
			})
			if got := b.ask(b.r, match.Release, l); got != match.StatusPending {
				b.TB.Errorf("released against the cluster's will: %d", got)
			}
			if s := b.state(l); s != market.Expiring {
				b.TB.Errorf("lease is %s", s)
			}
			b.Clock.Pass(time.Second)
		},
		"released": func(b *leaseBench, l market.Lease) {
			if err := b.release(l); err != nil {
				b.TB.Fatal(err)
			}
		},
		"failed": func(b *leaseBench, l market.Lease) {
			b.p.Cluster.Before(func(_ context.Context, op matchtest.Op, _ string) error {
				if op == matchtest.Provision {
					return matchtest.ErrRefused
				}
				return nil
			})
			if _, err := b.claim(l); statusOf(err) != match.StatusFailed {
				b.TB.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newLeaseBench(t)
			l := b.p.Reserve(b.r.Key.ID(), 3)
			bring(b, l)
			for range 2 {
				if err := b.release(l); err != nil {
					t.Fatal(err)
				}
				if s := b.state(l); !s.Terminal() {
					t.Errorf("lease is %s", s)
				}
				b.nothingLeft()
			}
			if err := b.p.Match.End(b.Context(), l.ID, "again"); err != nil {
				t.Errorf("ended again: %v", err)
			}
		})
	}
	b := newLeaseBench(t)
	if err := b.release(market.Lease{ID: market.LeaseID{1}}); err != nil {
		t.Errorf("a lease that the provider knows nothing of: %v", err)
	}
	if err := b.p.Match.End(b.Context(), market.LeaseID{1}, ""); !errors.Is(err, market.ErrNoLease) {
		t.Errorf("ended what is not there: %v", err)
	}
}

// A lease that cannot be ended is tried again, less and less often, by whomever
// it is asked for; its capacity stays taken until it is gone.
func TestEndingBacksOff(t *testing.T) {
	b := newLeaseBench(t)
	var tries atomic.Int32
	var well atomic.Bool
	b.p.Cluster.Before(func(_ context.Context, op matchtest.Op, _ string) error {
		if op == matchtest.Release && !well.Load() {
			tries.Add(1)
			return matchtest.ErrRefused
		}
		return nil
	})
	l := b.p.Reserve(b.r.Key.ID(), 3)
	b.mustClaim(l)
	b.Clock.Pass(3 * time.Minute)
	waitFor(t, "the first try", func() bool { return tries.Load() == 1 })
	for try, wait := range []time.Duration{1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300} {
		b.ask(b.r, match.Release, l) // to ask does not make it faster
		waitSweeps(t, b.p)
		if got := tries.Load(); got != int32(try+1) {
			t.Fatalf("%d tries, want %d", got, try+1)
		}
		if reserved, _ := b.p.Used(); reserved != 3 {
			t.Fatal("the capacity is free, and the namespace is there")
		}
		b.Clock.Pass(wait * time.Second)
		waitFor(t, "another try", func() bool { return tries.Load() == int32(try+2) })
	}
	if n := strings.Count(b.Log.String(), "not deleted yet"); n > 12 {
		t.Errorf("%d lines in the log about 12 tries", n)
	}
	well.Store(true)
	if err := b.p.Match.End(b.Context(), l.ID, "the operator does not wait"); err != nil {
		t.Error(err)
	}
	if s := b.state(l); s != market.Released {
		t.Errorf("lease is %s", s)
	}
	b.nothingLeft()
}

// A ledger that takes no more writes ends the provider: what it reported before
// stays true.
func TestBrokenLedgerEndsTheProvider(t *testing.T) {
	b := newLeaseBench(t)
	l := b.p.Reserve(b.r.Key.ID(), 3)
	if err := b.p.Ledger.Close(); err != nil {
		t.Fatal(err)
	}
	if got := b.ask(b.r, match.Claim, l); got != match.StatusPending {
		t.Errorf("status %d", got)
	}
	if err := b.p.Ended(b.Context()); !errors.Is(err, market.ErrBroken) {
		t.Errorf("Run returned %v", err)
	}
}

// Many leases that are due at once are ended a few at a time.
func TestSweepIsBounded(t *testing.T) {
	b := newLeaseBench(t)
	var now, most atomic.Int32
	b.p.Cluster.Before(func(_ context.Context, op matchtest.Op, _ string) error {
		if op == matchtest.Release {
			n := now.Add(1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			time.Sleep(time.Millisecond)
			now.Add(-1)
		}
		return nil
	})
	var leases []market.Lease
	for range 60 {
		l := b.p.Reserve(b.r.Key.ID(), 1)
		b.mustClaim(l)
		leases = append(leases, l)
	}
	b.Clock.Pass(2 * time.Minute)
	for _, l := range leases {
		b.await(l, market.Released)
	}
	if n := most.Load(); n > match.Sweepers {
		t.Errorf("%d at once", n)
	}
	b.nothingLeft()
}

// A grant and its receipt are what was agreed, or are refused as a lie.
func TestProviderLies(t *testing.T) {
	for name, edit := range map[string]func(r *match.LeaseReply, q *match.Receipt){
		"no grant":           func(r *match.LeaseReply, _ *match.Receipt) { r.Grant = nil },
		"no TLS":             func(r *match.LeaseReply, _ *match.Receipt) { r.Grant.Server = "http://cluster.example" },
		"a path for a name":  func(r *match.LeaseReply, _ *match.Receipt) { r.Grant.Namespace = "../kube-system" },
		"no certificate":     func(r *match.LeaseReply, _ *match.Receipt) { r.Grant.CA = []byte("exec: rm") },
		"a token of 2 lines": func(r *match.LeaseReply, _ *match.Receipt) { r.Grant.Token += "\nx" },
		"a token of old":     func(r *match.LeaseReply, _ *match.Receipt) { r.Grant.Expires = 1 },
		"fewer units":        func(_ *match.LeaseReply, q *match.Receipt) { q.Quantity-- },
		"a higher price":     func(_ *match.LeaseReply, q *match.Receipt) { q.Price++ },
		"a shorter lease":    func(_ *match.LeaseReply, q *match.Receipt) { q.Seconds-- },
		"another session":    func(_ *match.LeaseReply, q *match.Receipt) { q.SID = make([]byte, 32) },
		"for somebody else":  func(_ *match.LeaseReply, q *match.Receipt) { q.Requester[0]++ },
		"no receipt":         func(r *match.LeaseReply, _ *match.Receipt) { r.Receipt = []byte{} },
	} {
		t.Run(name, func(t *testing.T) {
			b := newLeaseBench(t)
			l := b.p.Reserve(b.r.Key.ID(), 3)
			b.p.Stop()
			b.p.Prepare = func(*match.Provider) {
				b.p.Node.Handle(match.KindLease, match.LyingAbout(b.p.Key, matchtest.CA(t), b.deal(l), edit))
			}
			b.p.Start()
			_, err := b.claim(l)
			if _, ok := errors.AsType[*match.LieError](err); !ok {
				t.Errorf("%v", err)
			}
		})
	}
}

// Nothing of a deal can be read off what is printed by accident.
func TestNothingPrintsSecrets(t *testing.T) {
	d := match.Deal{Quantity: 61234, Price: 712345678}
	o := match.Outcome{Price: 712345678}
	r := match.Receipt{Quantity: 61234, Price: 712345678}
	g := &match.Grant{Token: "sesame"}
	s := match.Seen{Quantity: 61234, Price: 712345678}
	reply := match.LeaseReply{Grant: g, Receipt: r.Encode()}
	var log matchtest.Log
	log.For("x").Info("x", "d", d, "o", o, "r", r, "g", g, "s", s, "reply", reply)
	text := log.String()
	for _, v := range []any{d, o, r, *g, reply} {
		text += fmt.Sprintf("%v %+v %#v %s", v, v, v, v)
	}
	for _, secret := range []string{"61234", "712345678", "sesame"} {
		if strings.Contains(text, secret) {
			t.Errorf("%s is printed: %s", secret, text)
		}
	}
}
