package match_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match"
	"github.com/angler-dex/angler/internal/match/matchtest"
)

// hangAt makes the cluster hang in a call, before or after it has its effect,
// until the provider goes down. The channel is closed when it does.
func hangAt(c *matchtest.Cluster, op matchtest.Op, after bool) (hangs <-chan struct{}) {
	at := make(chan struct{})
	var once atomic.Bool
	hook := func(ctx context.Context, called matchtest.Op, _ string) error {
		if called != op || once.Swap(true) {
			return nil
		}
		close(at)
		<-ctx.Done()
		return ctx.Err()
	}
	if after {
		c.After(hook)
	} else {
		c.Before(hook)
	}
	return at
}

// A provider that dies in any state of a lease, and in any call to the cluster,
// finds its way when it is back: the lease ends where it should, is there once
// or not at all, and capacity adds up.
func TestProviderDies(t *testing.T) {
	for name, c := range map[string]struct {
		bring func(b *leaseBench, l market.Lease) // to the moment of death
		state market.State                        // on disk at that moment
		claim match.Status                        // how a claim is answered afterwards
		ends  market.State                        // where the lease comes to rest
	}{
		"reserved": {
			bring: func(*leaseBench, market.Lease) {},
			state: market.Reserved, claim: match.StatusGranted, ends: market.Provisional,
		},
		"before the namespace is made": {
			bring: func(b *leaseBench, l market.Lease) {
				hangs := hangAt(b.p.Cluster, matchtest.Provision, false)
				b.background(match.Claim, l)
				<-hangs
			},
			state: market.Provisioning, claim: match.StatusFailed, ends: market.Failed,
		},
		"when the namespace is made": {
			bring: func(b *leaseBench, l market.Lease) {
				hangs := hangAt(b.p.Cluster, matchtest.Provision, true)
				b.background(match.Claim, l)
				<-hangs
			},
			state: market.Provisioning, claim: match.StatusFailed, ends: market.Failed,
		},
		"granted": {
			bring: func(b *leaseBench, l market.Lease) { b.mustClaim(l) },
			state: market.Provisional, claim: match.StatusGranted, ends: market.Provisional,
		},
		"confirmed": {
			bring: func(b *leaseBench, l market.Lease) {
				if err := b.confirm(l, b.mustClaim(l)); err != nil {
					b.TB.Fatal(err)
				}
			},
			state: market.Active, claim: match.StatusGranted, ends: market.Active,
		},
		"before the namespace is deleted": {
			bring: func(b *leaseBench, l market.Lease) {
				b.mustClaim(l)
				hangs := hangAt(b.p.Cluster, matchtest.Release, false)
				b.background(match.Release, l)
				<-hangs
			},
			state: market.Expiring, claim: match.StatusGone, ends: market.Released,
		},
		"when the namespace is deleted": {
			bring: func(b *leaseBench, l market.Lease) {
				b.mustClaim(l)
				hangs := hangAt(b.p.Cluster, matchtest.Release, true)
				b.background(match.Release, l)
				<-hangs
			},
			state: market.Expiring, claim: match.StatusGone, ends: market.Released,
		},
		"before a failure is undone": {
			bring: func(b *leaseBench, l market.Lease) {
				hangs := hangAt(b.p.Cluster, matchtest.Release, false)
				b.p.Cluster.After(func(_ context.Context, op matchtest.Op, _ string) error {
					if op == matchtest.Provision {
						return matchtest.ErrRefused
					}
					return nil
				})
				b.background(match.Claim, l)
				<-hangs
			},
			state: market.Expiring, claim: match.StatusFailed, ends: market.Failed,
		},
		"released": {
			bring: func(b *leaseBench, l market.Lease) {
				b.mustClaim(l)
				if err := b.release(l); err != nil {
					b.TB.Fatal(err)
				}
			},
			state: market.Released, claim: match.StatusGone, ends: market.Released,
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newLeaseBench(t)
			l := b.p.Reserve(b.r.Key.ID(), 3)
			c.bring(b, l)
			b.p.Kill()
			if got := stored(t, b, l); got != c.state {
				t.Errorf("it died in state %s, not %s", got, c.state)
			}
			b.p.Start()
			if c.ends.Terminal() {
				b.await(l, c.ends) // by itself
			}
			g, err := b.claim(l)
			if got := statusOf(err); err != nil && got != c.claim || err == nil && c.claim != match.StatusGranted {
				t.Errorf("claim: %v", err)
			}
			if s := b.state(l); s != c.ends {
				t.Errorf("lease is %s", s)
			}
			b.whole()
			if c.claim == match.StatusGranted {
				if err := b.confirm(l, g); err != nil {
					t.Errorf("confirm: %v", err)
				}
			}
			if err := b.release(l); err != nil {
				t.Errorf("release: %v", err)
			}
			b.nothingLeft()
		})
	}
}

// background asks for something that is not going to be answered.
func (b *leaseBench) background(action match.Action, l market.Lease) {
	b.TB.Helper()
	ctx, cancel := context.WithCancel(b.Context())
	link := b.r.Link(ctx, b.p)
	var asked sync.WaitGroup
	asked.Go(func() {
		_, _ = match.Ask(ctx, link, match.LeaseRequest{Action: action, Lease: l.ID[:]})
	})
	b.TB.Cleanup(func() {
		cancel()
		asked.Wait()
	})
}

// stored reads a lease's state off the file of a provider that is down.
func stored(t *testing.T, b *leaseBench, l market.Lease) market.State {
	t.Helper()
	ledger, err := market.Open(market.Config{Path: b.p.LedgerPath, Provider: b.p.Key.ID(), Clock: b.Clock.Read})
	if err != nil {
		t.Fatal(err)
	}
	defer ledger.Close()
	row, ok := ledger.Lease(l.ID)
	if !ok {
		t.Fatal("the lease is lost")
	}
	return row.State
}

// whole asserts that ledger and cluster agree: a namespace for every lease that
// can be used and for no other, and capacity taken by what is not over.
func (b *leaseBench) whole() {
	b.TB.Helper()
	var usable []string
	var taken market.Quantity
	for _, l := range b.p.Ledger.Leases() {
		if l.State.Usable() {
			usable = append(usable, l.ID.String())
		}
		if !l.State.Terminal() {
			taken += l.Quantity
		}
	}
	slices.Sort(usable)
	if there := b.p.Cluster.Leases(); !slices.Equal(there, usable) {
		b.TB.Errorf("%d namespaces for %d leases that can be used", len(there), len(usable))
	}
	if reserved, held := b.p.Used(); reserved != taken || held != 0 {
		b.TB.Errorf("%d units reserved and %d held, for leases of %d", reserved, held, taken)
	}
	b.p.CheckCapacity()
}

// Lives of many leases at random, under a cluster that fails at random and a
// provider that dies at random: when all is quiet, ledger and cluster agree, and
// what the requester was told is so.
func TestRandomLives(t *testing.T) {
	lives := 8
	if testing.Short() {
		lives = 3
	}
	for seed := range uint64(lives) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			b := newLeaseBench(t)
			rnd := rand.New(rand.NewPCG(seed, 1))
			var sick atomic.Bool
			var dice atomic.Uint64
			fail := func(context.Context, matchtest.Op, string) error {
				if sick.Load() && dice.Add(0x9e3779b97f4a7c15)>>62 == 0 {
					return matchtest.ErrRefused
				}
				return nil
			}
			b.p.Cluster.Before(fail)
			b.p.Cluster.After(fail)
			sick.Store(true)
			var leases []market.Lease
			told := map[market.LeaseID]market.State{}   // Active or Released
			terms := map[market.LeaseID]time.Duration{} // as confirmed
			last := map[market.LeaseID]match.Renewal{}
			o, _ := b.p.Ledger.Offer("offer")
			o.Notice = time.Minute
			if err := b.p.Ledger.PutOffer(o); err != nil {
				t.Fatal(err)
			}
			grants := map[market.LeaseID]match.Granted{}
			for range 120 {
				b.p.CheckCapacity()
				if len(leases) < 12 && rnd.IntN(4) == 0 {
					if reserved, _ := b.p.Used(); reserved < 90 {
						leases = append(leases, b.p.Reserve(b.r.Key.ID(), market.Quantity(1+rnd.IntN(5))))
					}
					continue
				}
				if len(leases) == 0 {
					continue
				}
				l := leases[rnd.IntN(len(leases))]
				ctx, cancel := context.WithTimeout(b.Context(), 500*time.Millisecond)
				switch rnd.IntN(9) {
				case 0, 1:
					if g, err := match.ClaimLease(ctx, b.r.Link(ctx, b.p), b.deal(l), b.Clock.Now); err == nil {
						if before, ok := grants[l.ID]; ok && before.Grant.Token != g.Grant.Token {
							t.Fatal("granted in other words")
						}
						grants[l.ID] = g
					}
				case 2, 3:
					if g, ok := grants[l.ID]; ok {
						if err := match.ConfirmLease(ctx, b.r.Link(ctx, b.p), l.ID, match.SignReceipt(b.r.Key, g.Receipt)); err == nil && told[l.ID] == 0 {
							told[l.ID] = market.Active
						}
					}
				case 4:
					told[l.ID] = market.Expiring // wanted, at least
					if err := match.ReleaseLease(ctx, b.r.Link(ctx, b.p), l.ID); err == nil {
						told[l.ID] = market.Released
					}
				case 5:
					if rnd.IntN(3) == 0 {
						b.p.Restart()
					} else {
						b.Clock.Pass(10 * time.Second)
					}
				case 6: // prepare, or confirm what was prepared
					if g, ok := grants[l.ID]; ok {
						if r, prepared := last[l.ID]; prepared {
							delete(last, l.ID)
							if err := match.ConfirmRenewal(ctx, b.r.Link(ctx, b.p), b.deal(l), r, match.SignReceipt(b.r.Key, r.Receipt)); err == nil {
								terms[l.ID] = r.Total
							}
						} else if terms[l.ID] == 0 {
							total := time.Duration(2+rnd.IntN(3)) * time.Hour
							if r, err := match.PrepareRenewal(ctx, b.r.Link(ctx, b.p), b.deal(l), g.Receipt, total, b.Clock.Now); err == nil {
								last[l.ID] = r
							}
						}
					}
				case 7:
					if g, ok := grants[l.ID]; ok {
						if f, err := match.LeaseToken(ctx, b.r.Link(ctx, b.p), b.deal(l), g.Grant, b.Clock.Now); err == nil && told[l.ID] == market.Released {
							t.Errorf("a token after the release: %v", f)
						}
					}
				case 8:
					if rnd.IntN(4) == 0 && told[l.ID] == market.Active {
						if _, err := b.p.Match.Reclaim(ctx, l.ID); err == nil {
							told[l.ID] = market.Expiring // it ends by itself
						}
					}
				}
				cancel()
			}
			sick.Store(false)
			b.Clock.Pass(10 * time.Minute) // whatever is due is, delays are over
			for _, l := range leases {
				waitFor(t, "a lease to come to rest", func() bool {
					s := b.state(l)
					back := told[l.ID] == market.Expiring && !b.p.Lease(l.ID).Reclaimed.IsZero()
					return s == market.Active && !back || s.Terminal()
				})
				switch s, was := b.state(l), told[l.ID]; {
				case was == market.Active && s != market.Active:
					t.Errorf("a lease that was confirmed is %s", s)
				case was == market.Released && !s.Terminal():
					t.Errorf("a lease that was released is %s", s)
				case was == market.Expiring && !s.Terminal() && !b.p.Lease(l.ID).Reclaimed.IsZero():
					t.Errorf("a lease that was taken back is %s", s)
				}
				if term := terms[l.ID]; term > b.p.Lease(l.ID).Duration {
					t.Errorf("a lease that was renewed to %s lasts %s", term, b.p.Lease(l.ID).Duration)
				}
			}
			b.whole()
		})
	}
}

// A provider that dies in the midst of matches holds nothing when it is back;
// one that had won has its reservation.
func TestProviderDiesInMatch(t *testing.T) {
	b := newLeaseBench(t)
	ctx := b.Context()
	play := func(die func()) (match.Outcome, error) {
		out, leave, err := b.r.Seeker().Play(ctx, b.Request(3, 10), b.r.Candidates(ctx, b.p), 1, func(match.Outcome) error {
			die()
			return nil
		})
		leave(ctx)
		return out, err
	}
	b.p.Stop()
	atFlight(b.p, 6, func(ctx context.Context, p *matchtest.Provider) error { // inputs have bound
		if _, held := p.Used(); held == 0 {
			t.Error("nothing is held when inputs have bound")
		}
		return vanish(ctx, p)
	})
	b.p.Start()
	if _, err := play(func() {}); err == nil {
		t.Error("a match without its provider")
	}
	b.p.Prepare = nil
	b.p.Restart()
	b.nothingLeft()

	out, err := play(func() {})
	if err != nil {
		t.Fatal(err)
	}
	b.p.Restart()
	if l := b.p.Lease(out.Parts[0].Lease); l.State != market.Reserved || l.Quantity != 3 {
		t.Errorf("lease is %s", l.State)
	}
	b.whole()
	if _, err := claim(b.Market, b.r, b.p, deal(b.r, b.Request(3, 10), out)); err != nil {
		t.Errorf("claim: %v", err)
	}
}
