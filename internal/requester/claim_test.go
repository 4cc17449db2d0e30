package requester_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match"
	"github.com/angler-dex/angler/internal/match/matchtest"
	"github.com/angler-dex/angler/internal/mesh"
	"github.com/angler-dex/angler/internal/requester"
)

// grant takes a lease to the state in which its grant is stored, and the
// provider does not know.
func (b *bench) grant(p *matchtest.Provider, l requester.Lease) requester.Lease {
	b.TB.Helper()
	g, err := match.ClaimLease(b.Context(), b.r.Link(b.Context(), p), match.Deal{
		SID: [32]byte(l.SID), Lease: l.ID, Provider: p.Key.ID(), Requester: b.r.Key.ID(),
		Class: l.Class, Quantity: l.Quantity(), Price: l.Parts[0].Price, Duration: l.Duration, Policy: l.Policy,
	}, b.Clock.Now)
	if err != nil {
		b.TB.Fatal(err)
	}
	part := l.Parts[0]
	part.State, part.Grant, part.Receipt, part.Signed = requester.Granted, &g.Grant, g.Receipt, g.Signed
	l.State, l.Parts = requester.Granted, []requester.Part{part}
	if err := b.client.Store.Put(l); err != nil {
		b.TB.Fatal(err)
	}
	return l
}

// A requester that dies after its match, wherever, finds its lease again and
// brings it to its end.
func TestClaimResumes(t *testing.T) {
	for name, bring := range map[string]func(b *bench, p *matchtest.Provider, l requester.Lease){
		"before the claim":      func(*bench, *matchtest.Provider, requester.Lease) {},
		"before the grant came": func(b *bench, p *matchtest.Provider, l requester.Lease) { b.grant(p, l); put(b, l) },
		"before the confirmation": func(b *bench, p *matchtest.Provider, l requester.Lease) {
			b.grant(p, l)
		},
		"before it knew of the confirmation": func(b *bench, p *matchtest.Provider, l requester.Lease) {
			g := b.grant(p, l)
			if _, err := b.client.Claim(b.Context(), g); err != nil {
				b.TB.Fatal(err)
			}
			put(b, g)
		},
		"when all was done": func(b *bench, _ *matchtest.Provider, l requester.Lease) {
			if _, err := b.client.Claim(b.Context(), l); err != nil {
				b.TB.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			matchtest.CheckLeaks(t)
			m := matchtest.New(t)
			p := m.Provider("p", 9, 5)
			b := newBench(t, m, "asker", p)
			bring(b, p, b.won(p, 3))
			b.restart()
			m.Clock.Pass(30 * time.Second)
			l, err := b.client.Claim(b.Context(), b.stored())
			if err != nil {
				t.Fatal(err)
			}
			b.check(l, requester.Active)
			if row := p.Lease(l.ID); row.State != market.Active || p.Cluster.Calls(matchtest.Provision) != 1 {
				t.Errorf("to its provider the lease is %s, provisioned %d times", row.State, p.Cluster.Calls(matchtest.Provision))
			}
			if end := p.Lease(l.ID).Expires; l.Parts[0].Grant == nil || !l.Expires().IsZero() && l.Expires().Sub(end).Abs() > 2*time.Second {
				t.Errorf("it ends at %v, to its provider at %v", l.Expires(), end)
			}
			if l.Parts[0].Grant.Token != p.Cluster.Tokens()[0] {
				t.Error("another token than was given")
			}
			b.restart()
			if l, err = b.client.Release(b.Context(), b.stored()); err != nil {
				t.Fatal(err)
			}
			b.check(l, requester.Released)
			if reserved, _ := p.Used(); reserved != 0 {
				t.Errorf("%d units are reserved", reserved)
			}
		})
	}
}

// otherID is the id that a lease has after its session was changed.
func otherID(l requester.Lease) market.LeaseID {
	return market.NewLeaseID([32]byte(l.SID), l.Parts[0].Provider)
}

func put(b *bench, l requester.Lease) {
	if err := b.client.Store.Put(l); err != nil {
		b.TB.Fatal(err)
	}
}

// A provider that will not provide makes the lease lost, with the reason; one
// that cannot be reached leaves it to be claimed again.
func TestClaimFails(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(b *bench, p *matchtest.Provider, l requester.Lease)
		ends  requester.State
	}{
		"nobody has it": {func(b *bench, p *matchtest.Provider, l requester.Lease) {
			l.SID[0]++
			l.Parts[0].ID = otherID(l)
			l.ID, l.Created = otherID(l), l.Created.Add(time.Second)
			put(b, l)
		}, requester.Lost},
		"too late": {func(b *bench, p *matchtest.Provider, l requester.Lease) {
			b.Clock.Pass(time.Minute)
			waitFor(b.TB, "the reservation to die", func() bool { return p.Lease(l.ID).State.Terminal() })
		}, requester.Lost},
		"too late to confirm": {func(b *bench, p *matchtest.Provider, l requester.Lease) {
			b.grant(p, l)
			b.Clock.Pass(2 * time.Minute)
			waitFor(b.TB, "the grant to be torn down", func() bool { return p.Lease(l.ID).State.Terminal() })
		}, requester.Lost},
		"the cluster refuses": {func(_ *bench, p *matchtest.Provider, _ requester.Lease) {
			p.Cluster.Before(func(context.Context, matchtest.Op, string) error { return matchtest.ErrRefused })
		}, requester.Lost},
		"another deal than was agreed": {func(b *bench, _ *matchtest.Provider, l requester.Lease) {
			l.Parts[0].Price--
			put(b, l)
		}, requester.Lost},
		"the provider is gone": {func(_ *bench, p *matchtest.Provider, _ requester.Lease) {
			p.Stop()
		}, requester.Claiming},
		"the provider is gone before it is confirmed": {func(b *bench, p *matchtest.Provider, l requester.Lease) {
			b.grant(p, l)
			p.Stop()
		}, requester.Granted},
		"another answers in its place": {func(b *bench, p *matchtest.Provider, _ requester.Lease) {
			p.Stop()
			p.Key, p.LedgerPath = matchtest.Key(b.TB), p.LedgerPath+".other"
			p.Start()
		}, requester.Claiming},
	} {
		t.Run(name, func(t *testing.T) {
			matchtest.CheckLeaks(t)
			m := matchtest.New(t)
			p := m.Provider("p", 9, 5)
			b := newBench(t, m, "asker", p)
			first := b.won(p, 3)
			c.spoil(b, p, first)
			if c.ends != requester.Lost {
				b.client.Patience.Connect = atOnce
			}
			all, err := b.client.Store.List()
			if err != nil {
				t.Fatal(err)
			}
			l, err := b.client.Claim(b.Context(), all[0])
			if _, ok := errors.AsType[*requester.ProvisionError](err); !ok {
				t.Errorf("error %v", err)
			}
			b.check(l, c.ends)
			if l.State == requester.Lost {
				if l.Reason == "" || l.Parts[0].Grant != nil {
					t.Errorf("lost for the reason %q, with a grant: %v", l.Reason, l.Parts[0].Grant != nil)
				}
				if again, err := b.client.Claim(b.Context(), l); err != nil || again.State != requester.Lost {
					t.Errorf("claimed again: %v", err)
				}
				if again, err := b.client.Release(b.Context(), l); err != nil || again.State != requester.Lost {
					t.Errorf("released: %v", err)
				}
			}
			if name == "another deal than was agreed" {
				if s := p.Lease(l.ID).State; s != market.Released {
					t.Errorf("what is of no use was not given back: it is %s", s)
				}
			}
		})
	}
}

// A provider that is restarted under a claim still knows the reservation.
func TestClaimOverARestart(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	p := m.Provider("p", 9, 5)
	b := newBench(t, m, "asker", p)
	l := b.won(p, 3)
	b.r.Link(b.Context(), p) // which is about to break
	p.Restart()
	l, err := b.client.Claim(b.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	b.check(l, requester.Active)
}

// An interrupted claim stays as it is, and is no fault of the provider.
func TestClaimIsInterrupted(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	p := m.Provider("p", 9, 5)
	b := newBench(t, m, "asker", p)
	begun, goOn := make(chan struct{}), make(chan struct{})
	var once atomic.Bool
	p.Cluster.Before(func(context.Context, matchtest.Op, string) error {
		if !once.Swap(true) {
			close(begun)
			<-goOn
		}
		return nil
	})
	l := b.won(p, 3)
	ctx, cancel := context.WithCancel(b.Context())
	go func() {
		<-begun
		cancel()
	}()
	l, err := b.client.Claim(ctx, l)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	b.check(l, requester.Claiming)
	close(goOn)
	if l, err = b.client.Claim(b.Context(), l); err != nil {
		t.Fatal(err)
	}
	b.check(l, requester.Active)
}

// What cannot be stored is not confirmed: the grant is torn down in time.
func TestGrantThatCannotBeStored(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	p := m.Provider("p", 9, 5)
	b := newBench(t, m, "asker", p)
	l := b.won(p, 3)
	b.on(requester.Claimed, func() { breakStore(t, b.client.Store) })
	_, err := b.client.Claim(b.Context(), l)
	if err == nil {
		t.Fatal("stored where nothing can be stored")
	}
	if _, ok := errors.AsType[*requester.ProvisionError](err); ok {
		t.Errorf("the provider is blamed: %v", err)
	}
	if s := p.Lease(l.ID).State; s != market.Provisional {
		t.Errorf("to its provider the lease is %s", s)
	}
}

// A release says whether the lease is given back, wherever it stood.
func TestReleaseStates(t *testing.T) {
	for name, bring := range map[string]func(b *bench, p *matchtest.Provider, l requester.Lease) requester.Lease{
		"won":     func(_ *bench, _ *matchtest.Provider, l requester.Lease) requester.Lease { return l },
		"granted": func(b *bench, p *matchtest.Provider, l requester.Lease) requester.Lease { return b.grant(p, l) },
		"forgotten by its provider": func(b *bench, _ *matchtest.Provider, l requester.Lease) requester.Lease {
			l.SID[0]++
			l.ID = otherID(l)
			l.Parts[0].ID = l.ID
			put(b, l)
			return l
		},
	} {
		t.Run(name, func(t *testing.T) {
			matchtest.CheckLeaks(t)
			m := matchtest.New(t)
			p := m.Provider("p", 9, 5)
			b := newBench(t, m, "asker", p)
			l, err := b.client.Release(b.Context(), bring(b, p, b.won(p, 3)))
			if err != nil {
				t.Fatal(err)
			}
			b.check(l, requester.Released)
		})
	}
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	p := m.Provider("p", 9, 5)
	b := newBench(t, m, "asker", p)
	l := b.won(p, 3)
	p.Stop()
	b.client.Patience.Connect = atOnce
	l, err := b.client.Release(b.Context(), l)
	if err == nil {
		t.Error("given back to nobody")
	}
	b.check(l, requester.Releasing)
	p.Start()
	if l, err = b.client.Release(b.Context(), b.stored()); err != nil {
		t.Error(err)
	}
	b.check(l, requester.Released)
}

// A provider that never comes to an answer is not waited for forever.
func TestProviderDelaysForever(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	p := m.NewProvider("p")
	asked := make(chan struct{}, 100)
	p.Prepare = func(*match.Provider) {
		p.Node.Handle(match.KindLease, func(ctx context.Context, _ *mesh.Stream) {
			asked <- struct{}{}
			<-ctx.Done()
		})
	}
	p.Start()
	p.Offer(9, 5)
	b := newBench(t, m, "asker", p)
	ctx, cancel := context.WithCancel(b.Context())
	go func() {
		<-asked
		cancel()
	}()
	if l, err := b.client.Claim(ctx, b.won(p, 3)); !errors.Is(err, context.Canceled) || l.State != requester.Claiming {
		t.Errorf("error %v", err)
	}
}

// A provider whose clock is behind, or who says so, does not end a lease early.
func TestClockOfProviderBehind(t *testing.T) {
	matchtest.CheckLeaks(t)
	s, l := newSplit(t, 1)
	s.client.Now = func() time.Time { return s.Clock.Now().Add(30 * time.Minute) }
	l.Created = s.client.Now()
	l, err := s.client.Claim(s.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	if left := l.Expires().Sub(s.client.Now()); left < 59*time.Minute || left > time.Hour {
		t.Errorf("%v are left of an hour", left)
	}
}
