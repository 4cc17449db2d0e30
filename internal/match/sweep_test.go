package match_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match"
	"github.com/angler-dex/angler/internal/match/matchtest"
)

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
	var armed atomic.Bool
	done := make(chan struct{})
	confirmed := errors.New("never tried")
	var l market.Lease
	var g match.Granted
	b = newLeaseBench(t, func(c *match.ProviderConfig) {
		right := c.Clock
		c.Clock = func() market.Moment {
			if armed.Swap(false) { // by the sweep, which asks whether the lease is left alone
				confirmed = b.confirm(l, g)
				close(done)
			}
			return right()
		}
	})
	l = b.p.Reserve(b.r.Key.ID(), 3)
	g = b.mustClaim(l)
	armed.Store(true)
	b.Clock.Pass(2 * time.Minute)
	waitSweeps(t, b.p)
	<-done
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
