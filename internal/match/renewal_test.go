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

// activate brings a reservation to life.
func (b *leaseBench) activate(units market.Quantity) (market.Lease, match.Granted) {
	b.TB.Helper()
	l := b.p.Reserve(b.r.Key.ID(), units)
	g := b.mustClaim(l)
	if err := b.confirm(l, g); err != nil {
		b.TB.Fatal(err)
	}
	return l, g
}

func (b *leaseBench) prepare(l market.Lease, last []byte, total time.Duration) (r match.Renewal, err error) {
	ctx := b.Context()
	err = b.r.Over(ctx, b.p, func(link *mesh.Link) error {
		r, err = match.PrepareRenewal(ctx, link, b.deal(l), last, total, b.Clock.Now)
		return err
	})
	return r, err
}

func (b *leaseBench) take(l market.Lease, r match.Renewal) error {
	ctx := b.Context()
	return b.r.Over(ctx, b.p, func(link *mesh.Link) error {
		return match.ConfirmRenewal(ctx, link, b.deal(l), r, match.SignReceipt(b.r.Key, r.Receipt))
	})
}

func (b *leaseBench) mustPrepare(l market.Lease, last []byte, total time.Duration) match.Renewal {
	b.TB.Helper()
	r, err := b.prepare(l, last, total)
	if err != nil {
		b.TB.Fatalf("prepare: %v", err)
	}
	return r
}

// "Two steps …, durable, idempotent by (lease, new end)": each step may be
// repeated, and the provider may die after each.
func TestRenewal(t *testing.T) {
	b := newLeaseBench(t)
	l, g := b.activate(3)
	last := g.Receipt
	for n, total := range []time.Duration{2 * time.Hour, 5 * time.Hour} {
		first := b.mustPrepare(l, last, total)
		b.p.Restart()
		again := b.mustPrepare(l, last, total)
		if string(again.Receipt) != string(first.Receipt) || string(again.Signed) != string(first.Signed) || first.Taken || again.Taken {
			t.Error("the same promise in other words")
		}
		if again.Void > market.PromiseTime || again.Void < market.PromiseTime-30*time.Second {
			t.Errorf("it binds for %s", again.Void)
		}
		if now := b.p.Lease(l.ID); now.Duration >= total {
			t.Error("renewed before it was confirmed")
		}
		for range 2 {
			if err := b.take(l, first); err != nil {
				t.Fatalf("confirm: %v", err)
			}
			b.p.Restart()
		}
		if now := b.p.Lease(l.ID); now.Duration != total || now.State != market.Active {
			t.Errorf("a term of %s", now.Duration)
		}
		// Its requester may not have heard so.
		if after := b.mustPrepare(l, last, total); string(after.Receipt) != string(first.Receipt) || !after.Taken {
			t.Error("what was taken is promised again in other words")
		}
		r, err := match.OpenReceipt(first.Receipt, first.Signed, b.p.Key.ID())
		if err != nil || r.Seconds != uint64(total/time.Second) || r.Quantity != 3 || r.Price != 7 {
			t.Errorf("receipt %d: %v", n, err)
		}
		last = first.Receipt
	}
	b.whole()
	// A claim that is repeated is still granted in the first words.
	if again, err := b.claim(l); err != nil || string(again.Receipt) != string(g.Receipt) {
		t.Errorf("claimed again: %v", err)
	}
	b.Clock.Pass(5*time.Hour - time.Minute)
	waitSweeps(t, b.p)
	if s := b.state(l); s != market.Active {
		t.Errorf("a minute before its new end it is %s", s)
	}
	b.Clock.Pass(time.Minute + market.Grace)
	b.await(l, market.Released)
	b.nothingLeft()
}

// What is not to be renewed is denied, and the lease goes on as it was.
func TestRenewalDenied(t *testing.T) {
	for name, tc := range map[string]struct {
		spoil func(b *leaseBench, l market.Lease)
		total time.Duration
	}{
		"shorter":      {nil, time.Hour - time.Second},
		"nothing":      {nil, 0},
		"as it is":     {nil, time.Hour},
		"too long":     {nil, market.DefaultMaxDuration + time.Second},
		"for ever":     {nil, 1<<63 - 1},
		"drained":      {func(b *leaseBench, _ market.Lease) { _ = b.p.Ledger.SetDrain(market.Draining) }, 2 * time.Hour},
		"offer paused": {func(b *leaseBench, _ market.Lease) { _ = b.p.Ledger.SetPaused("offer", true) }, 2 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			b := newLeaseBench(t)
			l, g := b.activate(3)
			if tc.spoil != nil {
				tc.spoil(b, l)
			}
			if _, err := b.prepare(l, g.Receipt, tc.total); statusOf(err) != match.StatusDenied {
				t.Errorf("prepared: %v", err)
			}
			if err := b.take(l, match.Renewal{Total: 2 * time.Hour, Receipt: g.Receipt}); statusOf(err) != match.StatusDenied {
				t.Errorf("confirmed without a promise: %v", err)
			}
			if now := b.p.Lease(l.ID); now.State != market.Active || now.Duration != time.Hour {
				t.Errorf("it is %s for %s", now.State, now.Duration)
			}
			b.whole()
		})
	}
}

// Nobody else can renew a lease, and nobody without the signature that the deal
// takes.
func TestRenewalIsSigned(t *testing.T) {
	b := newLeaseBench(t)
	stranger := b.Requester("stranger")
	l, g := b.activate(3)
	ask := func(r *matchtest.Requester, req match.LeaseRequest) match.LeaseReply {
		t.Helper()
		req.Lease = l.ID[:]
		reply, err := match.Ask(b.Context(), r.Link(b.Context(), b.p), req)
		if err != nil {
			t.Fatal(err)
		}
		return reply
	}
	const total = 7200
	if r := ask(stranger, match.LeaseRequest{Action: match.Prepare, Seconds: total}); r.Status != match.StatusRefused || r.Record != nil {
		t.Errorf("prepared by a stranger: %v", r)
	}
	p := b.mustPrepare(l, g.Receipt, total*time.Second)
	for name, signature := range map[string][]byte{
		"none": nil, "of the provider": p.Signed, "of noise": randomBytes(t, 64), "of the first receipt": match.SignReceipt(b.r.Key, g.Receipt),
		"of somebody else": match.SignReceipt(stranger.Key, p.Receipt),
	} {
		if r := ask(b.r, match.LeaseRequest{Action: match.Renew, Seconds: total, Receipt: signature}); r.Status != match.StatusDenied {
			t.Errorf("signature %s: %v", name, r)
		}
	}
	good := match.SignReceipt(b.r.Key, p.Receipt)
	if r := ask(stranger, match.LeaseRequest{Action: match.Renew, Seconds: total, Receipt: good}); r.Status != match.StatusRefused {
		t.Errorf("confirmed by a stranger: %v", r)
	}
	if r := ask(b.r, match.LeaseRequest{Action: match.Renew, Seconds: total + 1, Receipt: good}); r.Status != match.StatusDenied {
		t.Errorf("confirmed for longer: %v", r)
	}
	if now := b.p.Lease(l.ID); now.Duration != time.Hour {
		t.Errorf("renewed to %s", now.Duration)
	}
	if err := b.take(l, p); err != nil {
		t.Error(err)
	}
}

// Who changes its mind waits a little: promises are written to disk.
func TestPromisesArePaced(t *testing.T) {
	b := newLeaseBench(t)
	l, g := b.activate(3)
	b.mustPrepare(l, g.Receipt, 2*time.Hour)
	ask := func() match.LeaseReply {
		t.Helper()
		r, err := match.Ask(b.Context(), b.r.Link(b.Context(), b.p), match.LeaseRequest{Action: match.Prepare, Lease: l.ID[:], Seconds: 3 * 3600})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	before := b.p.Lease(l.ID).Promise
	if r := ask(); r.Status != match.StatusPending {
		t.Errorf("another term at once: %v", r)
	}
	if now := b.p.Lease(l.ID).Promise; now.Made != before.Made || now.Duration != before.Duration {
		t.Error("the promise was replaced")
	}
	b.Clock.Pass(5 * time.Second)
	if r := ask(); r.Status != match.StatusPrepared {
		t.Errorf("another term, later: %v", r)
	}
	if err := b.take(l, b.mustPrepare(l, g.Receipt, 3*time.Hour)); err != nil {
		t.Error(err)
	}
}

// A promise that was not confirmed within two minutes is void: the lease ends
// when it would have.
func TestPromiseBecomesVoid(t *testing.T) {
	b := newLeaseBench(t)
	l, g := b.activate(3)
	b.Clock.Pass(time.Hour - time.Second)
	p := b.mustPrepare(l, g.Receipt, 2*time.Hour)
	b.Clock.Pass(market.PromiseTime - time.Second)
	waitSweeps(t, b.p)
	if s := b.state(l); s != market.Active {
		t.Errorf("while the promise binds the lease is %s", s)
	}
	b.Clock.Pass(time.Second)
	if err := b.take(l, p); statusOf(err) != match.StatusDenied && statusOf(err) != match.StatusGone {
		t.Errorf("confirmed late: %v", err)
	}
	b.await(l, market.Released)
	if _, err := b.prepare(l, g.Receipt, 2*time.Hour); statusOf(err) != match.StatusGone {
		t.Errorf("prepared after the end: %v", err)
	}
	b.nothingLeft()
}

// A provider that promises something else than was asked for is caught.
func TestRenewalLies(t *testing.T) {
	for name, edit := range map[string]func(*match.Receipt){
		"a shorter term":      func(r *match.Receipt) { r.Seconds-- },
		"a longer term":       func(r *match.Receipt) { r.Seconds++ },
		"a higher price":      func(r *match.Receipt) { r.Price++ },
		"fewer units":         func(r *match.Receipt) { r.Quantity-- },
		"another lease":       func(r *match.Receipt) { r.Lease = make([]byte, 32) },
		"after another":       func(r *match.Receipt) { r.Previous = make([]byte, 32) },
		"after none":          func(r *match.Receipt) { r.Previous = nil },
		"another notice":      func(r *match.Receipt) { r.Notice = 60 },
		"another manifest":    func(r *match.Receipt) { r.Manifest = make([]byte, 32) },
		"for somebody else":   func(r *match.Receipt) { r.Requester[0]++ },
		"by somebody else":    func(r *match.Receipt) { r.Provider[0]++ },
		"another policy":      func(r *match.Receipt) { r.Policy = "fit" },
		"of another workload": func(r *match.Receipt) { r.Workload = make([]byte, 32) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newLeaseBench(t)
			l, g := b.activate(3)
			b.p.Stop()
			b.p.Prepare = func(p *match.Provider) {
				p.Every(2 * time.Millisecond)
				b.p.Node.Handle(match.KindLease, match.LyingRenewal(b.p.Key, g.Receipt, 2*time.Hour, edit))
			}
			b.p.Start()
			_, err := b.prepare(l, g.Receipt, 2*time.Hour)
			if _, ok := errors.AsType[*match.LieError](err); !ok {
				t.Errorf("%v", err)
			}
		})
	}
}
