package match_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match"
	"github.com/angler-dex/angler/internal/match/matchtest"
)

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
