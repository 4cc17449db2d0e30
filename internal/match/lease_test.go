package match_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match"
	"github.com/angler-dex/angler/internal/match/matchtest"
)

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
		l := market.Lease{ID: o.Parts[0].Lease}
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
						switch got := b.ask(b.r, match.Claim, market.Lease{ID: o.Parts[0].Lease}); got {
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
