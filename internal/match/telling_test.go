package match_test

import (
	"errors"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/k8s"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match"
	"github.com/angler-dex/angler/internal/match/matchtest"
)

// "A documented time before the end" the namespace says so, once; a renewal
// takes it back; a cluster that cannot be told is told later.
func TestNotices(t *testing.T) {
	b := newLeaseBench(t)
	l, g := b.activate(3)
	check := func(when string, want ...k8s.NoticeKind) {
		t.Helper()
		waitFor(t, when, func() bool { // and until it is noted
			n, told := b.p.Cluster.Notices(l.ID.String()), b.p.Lease(l.ID).Told
			return len(n) >= len(want) && (len(n) == 0 || n[len(n)-1].Ends.Equal(told.Ends) && (n[len(n)-1].Kind == k8s.NoticeBegun || match.KindOf(told.Kind) == n[len(n)-1].Kind))
		})
		waitSweeps(t, b.p)
		got := b.p.Cluster.Notices(l.ID.String())
		if len(got) != len(want) {
			t.Fatalf("%s: %d notices, want %d", when, len(got), len(want))
		}
		if n := len(want); n > 0 && (got[n-1].Kind != want[n-1] || !got[n-1].Ends.Equal(b.p.Lease(l.ID).Expires.Truncate(time.Second))) {
			t.Errorf("%s: %v", when, got[n-1])
		}
	}
	check("begun", k8s.NoticeBegun)
	b.Clock.Pass(54*time.Minute - time.Second)
	check("seven minutes before the end", k8s.NoticeBegun)
	b.p.Cluster.Before(refuse(matchtest.Notice))
	b.Clock.Pass(time.Second)
	check("when the cluster refuses", k8s.NoticeBegun)
	b.p.Restart()
	b.p.Cluster.Before(nil)
	b.Clock.Pass(10 * time.Second)
	check("six minutes before the end", k8s.NoticeBegun, k8s.NoticeExpiry)
	b.p.Restart()
	check("after a restart", k8s.NoticeBegun, k8s.NoticeExpiry)
	if s := b.mustShow(l); s.Notice != market.NoticeExpiry {
		t.Errorf("its requester is told %s", s.Notice)
	}
	if err := b.take(l, b.mustPrepare(l, g.Receipt, 2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	check("renewed", k8s.NoticeBegun, k8s.NoticeExpiry, k8s.NoticeRenewed)
	if s := b.mustShow(l); s.Notice != market.NoNotice {
		t.Errorf("its requester is told %s", s.Notice)
	}
}

// A lease is taken back with the notice that its receipt states, and not
// without one.
func TestReclaim(t *testing.T) {
	b := newLeaseBench(t)
	firm, _ := b.activate(3)
	if _, err := b.p.Match.Reclaim(b.Context(), firm.ID); !errors.Is(err, market.ErrNotReclaimable) {
		t.Errorf("a lease without a notice: %v", err)
	}
	o, _ := b.p.Ledger.Offer("offer")
	o.Notice = 10 * time.Minute
	if err := b.p.Ledger.PutOffer(o); err != nil {
		t.Fatal(err)
	}
	l, g := b.activate(3)
	if r, err := match.ReadReceipt(g.Receipt); err != nil || r.Notice != 600 {
		t.Errorf("the receipt states a notice of %d seconds, %v", r.Notice, err)
	}
	if s := b.mustShow(l); s.Reclaim != 10*time.Minute || s.Notice != market.NoNotice {
		t.Errorf("%+v", s)
	}
	for range 2 {
		if _, err := b.p.Match.Reclaim(b.Context(), l.ID); err != nil {
			t.Fatal(err)
		}
		b.p.Restart()
	}
	waitFor(t, "the namespace to say so", func() bool {
		n := b.p.Cluster.Notices(l.ID.String())
		return len(n) > 0 && n[len(n)-1].Kind == k8s.NoticeReclaim // again, if we died before we noted it
	})
	if s := b.mustShow(l); s.Notice != market.NoticeReclaim || s.Left > 10*time.Minute || s.Left < 9*time.Minute {
		t.Errorf("%+v", s)
	}
	if _, err := b.prepare(l, g.Receipt, 2*time.Hour); statusOf(err) != match.StatusDenied || err.Error() != "the provider is taking the lease back" {
		t.Errorf("renewed: %v", err)
	}
	if f, err := b.token(l, g); err != nil || f.Notice != market.NoticeReclaim {
		t.Errorf("told with a token: %s, %v", f.Notice, err)
	}
	b.Clock.Pass(9 * time.Minute)
	waitSweeps(t, b.p)
	if s := b.state(l); s != market.Active {
		t.Errorf("a minute before its notice is up it is %s", s)
	}
	b.Clock.Pass(time.Minute + market.Grace)
	b.await(l, market.Released)
	if now := b.p.Lease(l.ID); now.Reason != "taken back by its provider" {
		t.Errorf("reason %q", now.Reason)
	}
	if s, err := b.show(l); statusOf(err) != match.StatusGone || s.Notice != market.NoticeReclaim {
		t.Errorf("%+v, %v", s, err)
	}
	if s := b.state(firm); s != market.Active {
		t.Errorf("the other one is %s", s)
	}
}

// A drained provider declines, as if it did not want; its leases live on.
func TestDrain(t *testing.T) {
	b := newLeaseBench(t)
	l, _ := b.activate(3)
	if err := b.p.Ledger.SetDrain(market.Draining); err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.r.Seeker().Play(b.Context(), b.Request(1, 10), b.r.Candidates(b.Context(), b.p), 1, nil); err == nil {
		t.Error("a drained provider took part")
	}
	b.mustShow(l)
	if err := b.p.Ledger.SetDrain(market.NotDraining); err != nil {
		t.Fatal(err)
	}
	if out := mustPlay(t, b.Market, b.r, b.Request(1, 10), b.p); !out.Matched() {
		t.Error("it does not come back")
	}
}
