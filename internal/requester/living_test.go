package requester_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match"
	"github.com/angler-dex/angler/internal/match/matchtest"
	"github.com/angler-dex/angler/internal/mesh"
	"github.com/angler-dex/angler/internal/requester"
	"github.com/angler-dex/angler/internal/wire"
)

// live is a split lease that is active.
func live(t testing.TB, parts int) (*splitBench, requester.Lease) {
	t.Helper()
	s, l := newSplit(t, parts)
	l, err := s.client.Claim(s.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	return s, l
}

// ends asserts how long the parts last for both sides, from now.
func (s *splitBench) ends(l requester.Lease, want time.Duration) {
	s.TB.Helper()
	for k, p := range s.at {
		row := p.Lease(l.Parts[k].ID)
		if left := l.Parts[k].Expires.Sub(s.Clock.Now()); (left-want).Abs() > time.Minute || (row.Left(s.Clock.Read())-want).Abs() > time.Minute {
			s.TB.Errorf("part %d lasts %v, to its provider %v; want %v", k+1, left, row.Left(s.Clock.Read()), want)
		}
	}
}

func TestRenew(t *testing.T) {
	matchtest.CheckLeaks(t)
	s, l := live(t, 3)
	l, err := s.client.Renew(s.Context(), l, 2*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	s.ends(l, 3*time.Hour)
	if l, err = s.client.Renew(s.Context(), s.stored(), time.Hour); err != nil {
		t.Fatal(err)
	}
	s.ends(l, 4*time.Hour)
	for k := range l.Parts {
		receipts, failed := s.client.Receipts(l, k)
		if failed != nil || len(receipts) != 3 {
			t.Fatalf("part %d has %d receipts, error %v", k+1, len(receipts), failed)
		}
		for n, signed := range receipts {
			r, forged := signed.Verify()
			if want := []uint64{3600, 3 * 3600, 4 * 3600}[n]; forged != nil || r.Seconds != want || market.LeaseID(r.Lease) != l.Parts[k].ID {
				t.Errorf("receipt %d: %d seconds, error %v", n+1, r.Seconds, forged)
			}
		}
	}
	for _, more := range []time.Duration{0, -time.Hour, market.MaxDuration} {
		var field *market.FieldError
		if _, err = s.client.Renew(s.Context(), l, more); !errors.As(err, &field) || field.Field != "duration" {
			t.Errorf("by %v: %v", more, err)
		}
	}
	if l, err = s.client.Release(s.Context(), l); err != nil {
		t.Fatal(err)
	}
	if _, err := s.client.Renew(s.Context(), l, time.Hour); err == nil {
		t.Error("a released lease is renewed")
	}
}

// Commands that renew a lease side by side by the same time have one promise of
// each provider between them: it is confirmed and kept once, also by who is late,
// and the receipts are a chain.
func TestRenewSideBySide(t *testing.T) {
	matchtest.CheckLeaks(t)
	s, l := live(t, 2)
	for n := range 3 { // all have read the lease before one has renewed it
		if _, err := s.client.Renew(s.Context(), l, 2*time.Hour); err != nil {
			t.Fatalf("command %d: %v", n+1, err)
		}
	}
	l = s.stored()
	s.ends(l, 3*time.Hour)
	for k := range l.Parts {
		receipts, err := s.client.Receipts(l, k)
		if err != nil || len(receipts) != 2 {
			t.Fatalf("part %d has %d receipts, error %v", k+1, len(receipts), err)
		}
		if _, err := match.VerifyReceipts(receipts); err != nil {
			t.Errorf("part %d: %v", k+1, err)
		}
	}
	if again, err := s.client.Renew(s.Context(), l, time.Hour); err != nil || again.Parts[0].Promise != nil {
		t.Errorf("another renewal: %v, a promise is left: %v", err, again.Parts[0].Promise != nil)
	}
	s.ends(s.stored(), 4*time.Hour)
}

// If one provider will not renew, no part is.
func TestRenewAllOrNone(t *testing.T) {
	matchtest.CheckLeaks(t)
	s, l := live(t, 3)
	if err := s.at[1].Ledger.SetDrain(market.Draining); err != nil {
		t.Fatal(err)
	}
	l, err := s.client.Renew(s.Context(), l, 2*time.Hour)
	if failure, ok := errors.AsType[*requester.RenewError](err); !ok || failure.Renewed != 0 {
		t.Fatalf("error %v", err)
	}
	s.check(l, requester.Active)
	s.ends(l, time.Hour)
	if err = s.at[1].Ledger.SetDrain(market.NotDraining); err != nil {
		t.Fatal(err)
	}
	if l, err = s.client.Renew(s.Context(), l, time.Hour); err != nil {
		t.Fatal(err)
	}
	s.ends(l, 2*time.Hour)
}

// A requester that dies at any write of a renewal finds its lease renewed in all
// parts when it renews again by the same time.
func TestRequesterDiesRenewing(t *testing.T) {
	for at := 1; at <= 2; at++ {
		for _, written := range []bool{false, true} {
			t.Run(fmt.Sprintf("write %d, written %v", at, written), func(t *testing.T) {
				matchtest.CheckLeaks(t)
				s, l := live(t, 2)
				died := s.dies(death{at: at, written: written})
				if _, err := s.client.Renew(s.Context(), l, 2*time.Hour); !errors.Is(err, errDead) || !died() {
					t.Fatalf("error %v", err)
				}
				s.restart()
				l, err := s.client.Renew(s.Context(), s.stored(), 2*time.Hour)
				if err != nil {
					t.Fatal(err)
				}
				if want := 3 * time.Hour; at == 2 && written {
					s.ends(l, want+2*time.Hour) // it was whole: this was another
				} else {
					s.ends(l, want)
				}
			})
		}
	}
}

func TestShow(t *testing.T) {
	matchtest.CheckLeaks(t)
	s, l := live(t, 3)
	l, told, err := s.client.Show(s.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	for k, standing := range told {
		if standing == nil || standing.State != market.Active || (standing.Left-time.Hour).Abs() > time.Minute {
			t.Errorf("part %d stands %+v", k+1, standing)
		}
	}
	// One part is over before its time, the provider of another is away.
	s.client.Reputation = requester.OpenReputation(t.TempDir() + "/reputation.json")
	if err = s.at[0].Match.End(s.Context(), l.Parts[0].ID, "test"); err != nil {
		t.Fatal(err)
	}
	s.at[1].Stop()
	s.client.Patience.Connect = soon
	l, told, err = s.client.Show(s.Context(), l)
	if err == nil || told[0] != nil || told[1] != nil || told[2] == nil {
		t.Errorf("told %v, error %v", told, err)
	}
	s.check(l, requester.Active)
	if l.Parts[0].State != requester.Lost || l.Parts[0].Grant != nil || l.Parts[0].Reason == "" || l.Parts[1].State != requester.Active {
		t.Errorf("parts %v", l.Parts)
	}
	if all, left := l.Quantity(), l.Standing().Quantity(); all != 20+19+18 || left != 19+18 || l.Reason != "" {
		t.Errorf("%d units, %d are left, because %q", all, left, l.Reason)
	}
	if known, unread := s.client.Reputation.Of(); unread != nil || len(known) != 1 || known[s.at[0].Key.ID()].Broken != 1 {
		t.Errorf("reputations %v, error %v", known, unread)
	}
	if _, err = s.stored().Kubeconfig(requester.Access{}); err != nil {
		t.Errorf("what is left has no kubeconfig: %v", err)
	}
	// When the last is gone, so is the lease.
	if err = s.at[2].Match.End(s.Context(), l.Parts[2].ID, "test"); err != nil {
		t.Fatal(err)
	}
	s.at[1].Start()
	if err = s.at[1].Match.End(s.Context(), l.Parts[1].ID, "test"); err != nil {
		t.Fatal(err)
	}
	if l, _, err = s.client.Show(s.Context(), l); err == nil {
		t.Error("it is shown")
	}
	s.check(l, requester.Lost)
}

func TestToken(t *testing.T) {
	matchtest.CheckLeaks(t)
	s, l := live(t, 2)
	first := l.Parts[1].Grant.Token
	l, err := s.client.Token(s.Context(), l, 1, false)
	if err != nil || l.Parts[1].Grant.Token != first {
		t.Errorf("a token that is good is asked for anew, error %v", err)
	}
	if l, err = s.client.Token(s.Context(), l, 1, true); err != nil || l.Parts[1].Grant.Token == first {
		t.Errorf("no fresh token, error %v", err)
	}
	if kept := s.stored(); kept.Parts[1].Grant.Token != l.Parts[1].Grant.Token || kept.Parts[0].Grant.Token != l.Parts[0].Grant.Token {
		t.Error("it is not stored")
	}
	// A cluster that caps the life of tokens: the lease outlives many.
	second := l.Parts[1].Grant.Token
	l.Parts[1].Grant.Expires = s.Clock.Now().Add(time.Minute)
	if l, err = s.client.Token(s.Context(), l, 1, false); err != nil || l.Parts[1].Grant.Token == second {
		t.Errorf("a token that is about to end is given, error %v", err)
	}
	if err = s.at[1].Match.End(s.Context(), l.Parts[1].ID, "test"); err != nil {
		t.Fatal(err)
	}
	if l, err = s.client.Token(s.Context(), l, 1, true); err == nil || l.Parts[1].State != requester.Lost {
		t.Errorf("of a lease that is over: part %s, error %v", l.Parts[1].State, err)
	}
	checkSecrets(t, s.Market, nil, s.at...)
}

// The newest record of a provider is kept, for it is where it is reached next.
func TestRecordsAreRefreshed(t *testing.T) {
	matchtest.CheckLeaks(t)
	s, l := live(t, 1)
	s.Clock.Pass(50 * time.Minute)
	before := l.Parts[0].Record
	l, _, err := s.client.Show(s.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	if kept := s.stored().Parts[0]; string(kept.Record) == string(before) || kept.Met.Sub(s.Clock.Now()).Abs() > time.Minute {
		t.Errorf("the record is of %v", kept.Met)
	}
	if _, err = s.client.Release(s.Context(), l); err != nil {
		t.Error(err)
	}
}

// What one process learns does not undo what another has stored meanwhile:
// kubectl asks for tokens whenever it likes.
func TestLeaseInTwoHands(t *testing.T) {
	matchtest.CheckLeaks(t)
	s, l := live(t, 2)
	if _, err := s.client.Renew(s.Context(), l, 2*time.Hour); err != nil {
		t.Fatal(err)
	}
	old := l.Parts[0].Grant.Token
	if _, err := s.client.Token(s.Context(), l, 0, true); err != nil { // l is what it was before
		t.Fatal(err)
	}
	if _, _, err := s.client.Show(s.Context(), l); err != nil {
		t.Fatal(err)
	}
	kept := s.stored()
	if kept.Parts[0].Grant.Token == old || len(kept.Parts[0].Renewals) != 1 {
		t.Errorf("%d renewals are kept, a fresh token: %v", len(kept.Parts[0].Renewals), kept.Parts[0].Grant.Token != old)
	}
	s.ends(kept, 3*time.Hour)
	if _, err := s.client.Release(s.Context(), l); err != nil {
		t.Fatal(err)
	}
	if _, err := s.client.Token(s.Context(), l, 0, true); err == nil {
		t.Error("a token of a lease that another has released")
	}
	if kept := s.stored(); kept.State != requester.Released || kept.Parts[0].Grant != nil {
		t.Errorf("it is %s, with a grant: %v", kept.State, kept.Parts[0].Grant != nil)
	}
}

// A promise that came to nothing is not taken later with another one.
func TestRenewForgetsPromises(t *testing.T) {
	matchtest.CheckLeaks(t)
	s, l := live(t, 2)
	p := &l.Parts[0] // renewed once, and then promised more when the other part was not
	p.Renewals = []requester.Renewal{{Total: 3 * time.Hour, Receipt: p.Receipt, Signed: p.Signed}}
	p.Promise = &requester.Renewal{Total: 4 * time.Hour, Receipt: p.Receipt, Signed: p.Signed}
	if err := s.client.Store.Put(l); err != nil {
		t.Fatal(err)
	}
	l, err := s.client.Renew(s.Context(), l, 2*time.Hour)
	if err != nil || l.Parts[0].Promise != nil || s.stored().Parts[0].Promise != nil || len(l.Parts[1].Renewals) != 1 {
		t.Errorf("error %v", err)
	}
}

// A provider that says that it is at it, for ever, holds nobody up for ever.
func TestProviderPutsOff(t *testing.T) {
	matchtest.CheckLeaks(t)
	s, l := live(t, 2)
	p := s.at[0]
	p.Stop()
	p.Prepare = func(*match.Provider) {
		p.Node.Handle(match.KindLease, func(_ context.Context, stream *mesh.Stream) {
			if _, err := stream.ReadFrame(1 << 10); err == nil {
				_ = stream.WriteFrame(wire.Encode(match.LeaseReply{Status: match.StatusPending})) // who has left does not hear it
			}
		})
	}
	p.Start()
	defer requester.AskWithin(time.Second)()
	if _, told, err := s.client.Show(s.Context(), l); err == nil || errors.Is(err, context.DeadlineExceeded) || told[0] != nil || told[1] == nil {
		t.Errorf("told %v, error %v", told, err)
	}
	l, err := s.client.Release(s.Context(), s.stored())
	if err == nil || l.State != requester.Releasing || l.Parts[1].State != requester.Released {
		t.Errorf("%s, error %v", l.State, err)
	}
}

// A provider that says that a lease ends before its time, and may not take it
// back, does not get it counted as one that was kept.
func TestProviderEndsEarly(t *testing.T) {
	matchtest.CheckLeaks(t)
	s, l := live(t, 1)
	s.client.Reputation = requester.OpenReputation(t.TempDir() + "/reputation.json")
	p, over := s.at[0], l.Parts[0].Expires
	p.Stop()
	var notice atomic.Uint32
	p.Prepare = func(*match.Provider) {
		p.Node.Handle(match.KindLease, func(_ context.Context, stream *mesh.Stream) {
			if _, err := stream.ReadFrame(1 << 10); err == nil {
				_ = stream.WriteFrame(wire.Encode(match.LeaseReply{Status: match.StatusShown, Standing: &match.Stands{ // who has left does not hear it
					State: uint8(market.Active), Left: 1, Expires: s.Clock.Now().Unix(), Seconds: 1, Kind: uint8(notice.Load()),
				}}))
			}
		})
	}
	p.Start()
	for _, kind := range []market.NoticeKind{market.NoNotice, market.NoticeExpiry, market.NoticeReclaim} {
		notice.Store(uint32(kind))
		if _, told, err := s.client.Show(s.Context(), l); err == nil || told[0] == nil || !s.stored().Parts[0].Expires.Equal(over) {
			t.Errorf("%s: told %v, error %v, ends %v", kind, told, err, s.stored().Parts[0].Expires)
		}
	}
	if _, kept, ok, err := s.client.Store.Expire(s.stored(), s.Clock.Now().Add(10*time.Minute)); ok || len(kept) > 0 || err != nil {
		t.Errorf("it is over, and kept by %v, %v", kept, err)
	}
}
