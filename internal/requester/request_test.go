package requester_test

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match"
	"github.com/angler-dex/angler/internal/match/matchtest"
	"github.com/angler-dex/angler/internal/mesh"
	"github.com/angler-dex/angler/internal/requester"
	"github.com/angler-dex/angler/internal/wire"
)

func TestRequest(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	cheap, dear := m.Provider("cheap", 31339, 2123456789), m.Provider("dear", 31339, 2123456799)
	b := newBench(t, m, "asker", dear, cheap)
	l, err := b.request(31337, 2987654321, 2)
	if err != nil {
		t.Fatal(err)
	}
	b.check(l, requester.Active)
	if l.Parts[0].Provider != cheap.Key.ID() || l.Parts[0].Price != 2123456789 || l.Quantity() != 31337 || l.Duration != time.Hour {
		t.Error("the lease is not the deal")
	}
	if row := cheap.Lease(l.ID); row.State != market.Active {
		t.Errorf("to its provider the lease is %s", row.State)
	}
	config, err := l.Kubeconfig(requester.Access{})
	if err != nil || !strings.Contains(string(config), cheap.Cluster.Tokens()[0]) || !strings.Contains(string(config), "angler-"+l.ID.Short()) {
		t.Errorf("kubeconfig: %v", err)
	}
	want := []requester.Phase{
		requester.Discovered, requester.Chosen, requester.Invited, requester.Connected, requester.Timed, requester.Decided,
		requester.Claimed, requester.Confirmed,
	}
	if got := b.phases(); !slices.Equal(got, want) {
		t.Errorf("phases %v", got)
	}

	if l, err = b.client.Release(b.Context(), l); err != nil {
		t.Fatal(err)
	}
	b.check(l, requester.Released)
	if l.Parts[0].Grant != nil || len(cheap.Cluster.Leases()) != 0 {
		t.Error("something is left of a released lease")
	}
	if _, err := l.Kubeconfig(requester.Access{}); err == nil {
		t.Error("a released lease has a kubeconfig")
	}
	if again, err := b.client.Release(b.Context(), l); err != nil || again.State != requester.Released {
		t.Errorf("released again: %v", err)
	}
	checkSecrets(t, m, []string{"31337", "31339", "2123456789", "2123.456789", "2987654321", "2987.654321"}, cheap, dear)
}

func TestNoOfferFits(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	b := newBench(t, m, "asker", m.Provider("a", 4, 10), m.Provider("b", 9, 500))
	if _, err := b.request(5, 499, 2); !errors.Is(err, requester.ErrNoFit) {
		t.Errorf("error %v", err)
	}
	if all, err := b.client.Store.List(); err != nil || len(all) != 0 {
		t.Errorf("%d leases are stored, error %v", len(all), err)
	}
}

func TestRequestIsValidated(t *testing.T) {
	b := newBench(t, matchtest.New(t), "asker")
	if _, err := b.request(0, 1, 1); err == nil {
		t.Error("asked for nothing")
	}
}

// Two requests at once that want the same last units.
func TestTwoRequests(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	p := m.Provider("p", 8, 10)
	one, two := newBench(t, m, "one", p), newBench(t, m, "two", p)
	errs := make(chan error, 2)
	for _, b := range []*bench{one, two} {
		go func() {
			_, err := b.request(6, 20, 1)
			errs <- err
		}()
	}
	first, second := <-errs, <-errs
	if first != nil {
		first, second = second, first
	}
	if first != nil || !errors.Is(second, requester.ErrNoFit) {
		t.Errorf("errors %v and %v", first, second)
	}
	if reserved, held := p.Used(); reserved != 6 || held != 0 {
		t.Errorf("%d units reserved, %d held", reserved, held)
	}
}

// Providers that are not there, do not serve the class, are of another pool, or
// found twice, are no candidates.
func TestDiscovery(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	good := m.Provider("good", 9, 5)
	elsewhere := matchtest.New(t)
	foreign := elsewhere.Provider("foreign", 9, 1)
	mute := m.NewProvider("mute")
	mute.Prepare = func(*match.Provider) {
		mute.Node.Handle(match.KindRecord, func(ctx context.Context, _ *mesh.Stream) { <-ctx.Done() })
	}
	mute.Start()
	b := newBench(t, m, "asker")
	b.client.Patience.Connect = soon
	dead := netip.MustParseAddrPort("127.0.0.1:1")
	at := slices.Concat(requester.Fixed{dead}, find(good, foreign, mute, good, good))
	b.client.Finder = at
	l, err := b.request(3, 10, 1)
	if err != nil || l.Parts[0].Provider != good.Key.ID() {
		t.Fatalf("error %v", err)
	}
	var few *requester.TooFewError
	b.client.Finder = find(good, foreign, good)
	if _, err := b.request(3, 10, 2); !errors.As(err, &few) || few.Found != 1 || few.Wanted != 2 {
		t.Errorf("error %v", err)
	}
	other := b.Request(3, 10)
	other.Class.Memory *= 2
	if _, err := b.client.Request(b.Context(), other, requester.Bounds{}); !errors.As(err, &few) || few.Found != 0 || few.Wanted != 1 {
		t.Errorf("a class that nobody serves: %v", err)
	}
	other = b.Request(3, 10)
	other.Policy = "highest-price"
	var policy *requester.PolicyError
	if _, err := b.client.Request(b.Context(), other, requester.Bounds{}); !errors.As(err, &policy) || !slices.Contains(policy.Known, market.DefaultPolicy) {
		t.Errorf("a policy that nobody has: %v", err)
	}
}

// A finder's own fault is the request's, if it found nobody; and it need not go
// on when there are enough.
func TestFinders(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	p, q := m.Provider("p", 9, 5), m.Provider("q", 9, 7)
	b := newBench(t, m, "asker")
	broken := errors.New("no bootstrap node")
	b.client.Finder = finder(func(context.Context, func(netip.AddrPort) bool) error { return broken })
	if _, err := b.request(3, 10, 1); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	b.client.Finder = finder(func(ctx context.Context, found func(netip.AddrPort) bool) error {
		for _, addr := range find(p, q) {
			found(addr)
		}
		<-ctx.Done() // until it is told that it is enough
		return ctx.Err()
	})
	if _, err := b.client.Request(b.Context(), b.Request(3, 10), requester.Bounds{MinProviders: 2, MaxProviders: 2}); err != nil {
		t.Error(err)
	}
	flooded, before := 0, strings.Count(m.Log.String(), "connection up")
	b.client.Finder = finder(func(_ context.Context, found func(netip.AddrPort) bool) error {
		for found(p.Wire.Addr()) {
			flooded++
		}
		return nil
	})
	if _, err := b.request(3, 10, 1); err != nil || flooded > 1000 {
		t.Errorf("%d addresses were looked at, error %v", flooded, err)
	}
	if n := strings.Count(m.Log.String(), "connection up") - before; n > 4 { // one, and what the match needs, at both ends
		t.Errorf("%d ends of connections for one address", n)
	}
}

// The deadline and an interruption are told as what they are, wherever they
// strike.
func TestRequestEndsInTime(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	p := m.Provider("p", 9, 5)
	b := newBench(t, m, "asker", p)
	b.client.Finder = finder(func(ctx context.Context, _ func(netip.AddrPort) bool) error {
		<-ctx.Done()
		return ctx.Err()
	})
	if _, err := b.client.Request(b.Context(), b.Request(3, 10), requester.Bounds{Deadline: time.Millisecond}); !errors.Is(err, requester.ErrDeadline) {
		t.Errorf("the deadline passed: %v", err)
	}
	b.client.Finder = find(p)
	for _, phase := range []requester.Phase{requester.Discovered, requester.Invited, requester.Connected} {
		ctx, cancel := context.WithCancel(b.Context())
		b.on(phase, cancel)
		if _, err := b.client.Request(ctx, b.Request(3, 10), requester.Bounds{}); !errors.Is(err, context.Canceled) {
			t.Errorf("interrupted when %s: %v", phase, err)
		}
		cancel()
	}
	waitFor(t, "the provider to be free", func() bool {
		reserved, held := p.Used()
		return reserved == 0 && held == 0
	})
	b.on("", func() {})
	if _, err := b.request(3, 10, 1); err != nil {
		t.Error(err)
	}
}

// A provider that breaks a match is left out of the next; if too few are left,
// or it goes on, the request says so.
func TestReruns(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	// It takes part, and cannot sign what it should: it withdraws.
	bad := m.NewProvider("bad")
	bad.Edit = func(c *match.ProviderConfig) { c.Rand = exhausted{} }
	bad.Start()
	bad.Offer(9, 1)
	good, more := m.Provider("good", 9, 5), m.Provider("more", 9, 7)
	b := newBench(t, m, "asker", bad, good, more)
	l, err := b.request(3, 10, 2)
	if err != nil || l.Parts[0].Provider != good.Key.ID() {
		t.Fatalf("error %v", err)
	}
	b.client.Finder = find(bad, good)
	var few *requester.TooFewError
	if _, err := b.request(3, 10, 2); !errors.As(err, &few) || few.Found != 1 {
		t.Errorf("error %v", err)
	}
}

// A provider that vanishes in the midst of a match is dropped, and the request
// ends in a lease at another.
func TestProviderVanishesInMatch(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	gone, good := m.Provider("gone", 9, 1), m.Provider("good", 9, 5)
	b := newBench(t, m, "asker", gone, good)
	b.on(requester.Connected, func() {
		b.on("", func() {})
		if err := gone.Node.Close(); err != nil {
			t.Error(err)
		}
	})
	l, err := b.request(3, 10, 1)
	if err != nil || l.Parts[0].Provider != good.Key.ID() {
		t.Fatalf("error %v", err)
	}
	if !slices.Contains(b.phases(), requester.Dropped) {
		t.Errorf("phases %v", b.phases())
	}
}

// If every match is aborted by a check that names nobody, the request gives up
// in the end.
func TestAborted(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	p := m.NewProvider("p")
	matches := 0
	p.Prepare = func(*match.Provider) {
		p.Node.Handle(match.KindMatch, func(ctx context.Context, s *mesh.Stream) {
			matches++
			record, err := p.Record()
			if err != nil {
				t.Error(err)
			}
			say := func(v any) {
				if err := s.WriteFrame(wire.Encode(v)); err != nil {
					t.Error(err)
				}
			}
			_, _ = s.ReadFrame(4 << 10)
			say(match.Answer{Accept: true, Nonce: make([]byte, 32), Record: record})
			_, _ = s.ReadFrame(512 << 10)
			say(match.Report{State: match.Ready})
			say(match.Report{State: match.Aborted, Flight: 4})
			_, _ = s.ReadFrame(16)
		})
	}
	p.Start()
	p.Offer(9, 5)
	b := newBench(t, m, "asker", p)
	_, err := b.request(3, 10, 1)
	if !errors.Is(err, requester.ErrAborted) {
		t.Errorf("error %v", err)
	}
	if matches != 1+requester.Reruns {
		t.Errorf("%d matches", matches)
	}
}

// exhausted is randomness that ends after the nonce of the invitation.
type exhausted struct{}

func (exhausted) Read(p []byte) (int, error) {
	if len(p) != 32 {
		return 0, errors.New("no randomness")
	}
	return len(p), nil
}

// A winner that does not provision is told of and left out of the next match,
// and nothing is left at it.
func TestWinnerDoesNotProvide(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	bad, good := m.Provider("bad", 9, 1), m.Provider("good", 9, 5)
	bad.Cluster.After(refuseToProvision)
	b := newBench(t, m, "asker", bad, good)
	l, err := b.request(3, 10, 1)
	if err != nil || l.Parts[0].Provider != good.Key.ID() {
		t.Fatalf("error %v", err)
	}
	all, err := b.client.Store.List()
	if err != nil || len(all) != 2 || all[1].State != requester.Lost || all[1].Parts[0].Provider != bad.Key.ID() || all[1].Reason == "" {
		t.Errorf("%d leases are stored, error %v", len(all), err)
	}
	if reserved, held := bad.Used(); reserved != 0 || held != 0 || len(bad.Cluster.Leases()) != 0 {
		t.Error("something is left at the one that failed")
	}
}

func refuseToProvision(_ context.Context, op matchtest.Op, _ string) error {
	if op == matchtest.Provision {
		return matchtest.ErrRefused
	}
	return nil
}

// If no other can take its place, the request fails by what the winner did.
func TestNobodyProvides(t *testing.T) {
	for name, c := range map[string]struct {
		most  market.Price
		least int
	}{
		"nor does the next":    {most: 10, least: 1},
		"too few are left":     {most: 10, least: 2},
		"nobody else fits":     {most: 4, least: 1},
		"and all were too few": {most: 10, least: 3},
	} {
		t.Run(name, func(t *testing.T) {
			matchtest.CheckLeaks(t)
			m := matchtest.New(t)
			bad, worse := m.Provider("bad", 9, 1), m.Provider("worse", 9, 5)
			bad.Cluster.Before(refuseToProvision)
			worse.Cluster.Before(refuseToProvision)
			b := newBench(t, m, "asker", bad, worse)
			_, err := b.request(3, c.most, c.least)
			_, unprovided := errors.AsType[*requester.ProvisionError](err)
			_, few := errors.AsType[*requester.TooFewError](err)
			if unprovided != (c.least < 3) || few != (c.least == 3) {
				t.Errorf("error %v", err)
			}
		})
	}
}

// A winner that is gone when its grant is to be confirmed may hold the lease for
// active: the request fails rather than to end in two leases, and the grant is
// kept.
func TestWinnerVanishesWithTheGrant(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	winner, other := m.Provider("winner", 9, 1), m.Provider("other", 9, 5)
	b := newBench(t, m, "asker", winner, other)
	b.client.Now = func() time.Time { // asked when the grant has come, and before it is stored
		if rows := winner.Ledger.Leases(); len(rows) == 1 && rows[0].State == market.Provisional {
			winner.Wire.Cut()
			b.client.Patience.Connect = atOnce
		}
		return m.Clock.Now()
	}
	_, err := b.request(3, 10, 1)
	if _, ok := errors.AsType[*requester.ProvisionError](err); !ok {
		t.Errorf("error %v", err)
	}
	if l := b.stored(); l.State != requester.Granted || l.Parts[0].Grant == nil {
		t.Errorf("lease is %s", l.State)
	}
	if n := len(other.Seen()); n != 1 {
		t.Errorf("%d matches", n)
	}
}

// A winner that is gone when it is claimed: the request ends in a lease at
// another, and the reservation dies by itself.
func TestWinnerVanishes(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	winner, other := m.Provider("winner", 9, 1), m.Provider("other", 9, 5)
	b := newBench(t, m, "asker", winner, other)
	b.on(requester.Decided, func() {
		waitFor(t, "the reservation", func() bool { return len(winner.Ledger.Leases()) == 1 })
		winner.Stop()
		b.client.Patience.Connect = atOnce
		b.on("", func() {})
	})
	l, err := b.request(3, 10, 1)
	if err != nil || l.Parts[0].Provider != other.Key.ID() {
		t.Fatalf("error %v", err)
	}
	all, err := b.client.Store.List()
	if err != nil || len(all) != 2 || all[1].State != requester.Lost || all[1].Parts[0].Provider != winner.Key.ID() {
		t.Errorf("%d leases are stored, error %v", len(all), err)
	}
	winner.Start()
	if reserved, _ := winner.Used(); reserved != 3 {
		t.Errorf("%d units are reserved", reserved)
	}
	m.Clock.Pass(time.Minute + market.Grace)
	waitFor(t, "the reservation to die", func() bool { reserved, _ := winner.Used(); return reserved == 0 })
}

// Who keeps something without which a lease is of no use, such as the key of an
// identity of its own, does so before there is the lease.
func TestWonIsToldFirst(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	p := m.Provider("p", 20, 10)
	b := newBench(t, m, "asker", p)
	var told []market.LeaseID
	b.client.Won = func(id market.LeaseID) error {
		told = append(told, id)
		return nil
	}
	b.client.Store.Tamper(func(write func() error) error {
		if len(told) == 0 {
			t.Error("stored before it was told")
		}
		return write()
	})
	l, err := b.request(3, 20, 1)
	if err != nil || len(told) != 1 || told[0] != l.ID {
		t.Fatalf("told %v, error %v", told, err)
	}
	b.client.Won = func(market.LeaseID) error { return errDead }
	if _, err = b.request(3, 20, 1); !errors.Is(err, errDead) {
		t.Errorf("error %v", err)
	}
	if all, err := b.client.Store.List(); err != nil || len(all) != 1 {
		t.Errorf("%d leases are stored, error %v", len(all), err)
	}
}
