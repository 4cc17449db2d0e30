package match_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match"
	"github.com/angler-dex/angler/internal/match/matchtest"
	"github.com/angler-dex/angler/internal/mesh"
)

func (b *leaseBench) show(l market.Lease) (s match.Standing, err error) {
	ctx := b.Context()
	err = b.r.Over(ctx, b.p, func(link *mesh.Link) error {
		s, err = match.ShowLease(ctx, link, b.deal(l), b.Clock.Now)
		return err
	})
	return s, err
}

func (b *leaseBench) mustShow(l market.Lease) match.Standing {
	b.TB.Helper()
	s, err := b.show(l)
	if err != nil {
		b.TB.Fatalf("show: %v", err)
	}
	return s
}

func (b *leaseBench) token(l market.Lease, g match.Granted) (f match.Fresh, err error) {
	ctx := b.Context()
	err = b.r.Over(ctx, b.p, func(link *mesh.Link) error {
		f, err = match.LeaseToken(ctx, link, b.deal(l), g.Grant, b.Clock.Now)
		return err
	})
	return f, err
}

// refuse makes a cluster refuse one kind of call.
func refuse(op matchtest.Op) matchtest.Fault {
	return func(_ context.Context, called matchtest.Op, _ string) error {
		if called == op {
			return matchtest.ErrRefused
		}
		return nil
	}
}

func TestShow(t *testing.T) {
	b := newLeaseBench(t)
	l := b.p.Reserve(b.r.Key.ID(), 3)
	if _, err := b.show(l); statusOf(err) != match.StatusDenied {
		t.Errorf("before it was granted: %v", err)
	}
	g := b.mustClaim(l)
	if err := b.confirm(l, g); err != nil {
		t.Fatal(err)
	}
	b.Clock.Pass(10 * time.Minute)
	s := b.mustShow(l)
	if s.State != market.Active || s.Duration != time.Hour || s.Left > 50*time.Minute || s.Left < 49*time.Minute || s.Reclaim != 0 {
		t.Errorf("%+v", s)
	}
	if len(s.Usage) != 2 || s.Usage[0].Resource != "limits.cpu" || s.Usage[0].Hard != "3" || s.Usage[0].Used != "1" {
		t.Errorf("usage %+v", s.Usage)
	}
	if rec, err := identity.OpenRecord(s.Record, b.Clock.Now()); err != nil || rec.ID != b.p.Key.ID() {
		t.Errorf("its record: %v", err)
	}
	// A cluster that does not answer keeps the rest from nobody.
	b.p.Cluster.Before(refuse(matchtest.Usage))
	if s = b.mustShow(l); s.State != market.Active || s.Usage != nil {
		t.Errorf("%+v", s)
	}
	b.p.Cluster.Before(nil)
	if err := b.release(l); err != nil {
		t.Fatal(err)
	}
	if s, err := b.show(l); statusOf(err) != match.StatusGone || s.State != market.Released {
		t.Errorf("%+v, %v", s, err)
	}
	if got := b.ask(b.Requester("stranger"), match.Show, l); got != match.StatusRefused {
		t.Errorf("shown to a stranger: %d", got)
	}
}

// What a provider says of a lease is numbers within bounds, and names and
// quantities of their grammars: nothing of it can write to a terminal.
func TestStandingIsChecked(t *testing.T) {
	good := func() match.Stands {
		return match.Stands{
			State: uint8(market.Active), Left: 60, Expires: time.Now().Unix(), Seconds: 3600,
			Usage: []match.Gauge{{Resource: "requests.nvidia.com/gpu", Used: "1000m", Hard: "2"}},
		}
	}
	s, err := match.Typed(good())
	if err != nil || s.Usage[0].Used != "1" {
		t.Fatalf("%+v, %v", s, err)
	}
	for name, edit := range map[string]func(*match.Stands){
		"no state":             func(w *match.Stands) { w.State = 0 },
		"a state of memory":    func(w *match.Stands) { w.State = uint8(market.Held) },
		"an unknown state":     func(w *match.Stands) { w.State = 200 },
		"for ever":             func(w *match.Stands) { w.Left = 1 << 63 },
		"a term for ever":      func(w *match.Stands) { w.Seconds = 1 << 63 },
		"a notice for ever":    func(w *match.Stands) { w.Notice = 1 << 63 },
		"an unknown notice":    func(w *match.Stands) { w.Kind = 9 },
		"the year 300000":      func(w *match.Stands) { w.Expires = 1 << 43 },
		"before it all":        func(w *match.Stands) { w.Expires = -1 << 60 },
		"too much usage":       func(w *match.Stands) { w.Usage = make([]match.Gauge, 65) },
		"no name":              func(w *match.Stands) { w.Usage[0].Resource = "" },
		"an escape sequence":   func(w *match.Stands) { w.Usage[0].Resource = "cpu\x1b[2J" },
		"a long name":          func(w *match.Stands) { w.Usage[0].Resource = strings.Repeat("a", 254) },
		"no quantity":          func(w *match.Stands) { w.Usage[0].Used = "" },
		"a word":               func(w *match.Stands) { w.Usage[0].Hard = "much" },
		"a long quantity":      func(w *match.Stands) { w.Usage[0].Hard = strings.Repeat("1", 65) },
		"a quantity and lines": func(w *match.Stands) { w.Usage[0].Hard = "1\n2" },
	} {
		w := good()
		edit(&w)
		if _, err := match.Typed(w); err == nil {
			t.Errorf("%s is taken for a standing", name)
		}
	}
}

// Where a provider is found next is taken from its own record only.
func TestRecordOfAnother(t *testing.T) {
	b := newLeaseBench(t)
	other := b.Provider("other", 1, 1)
	var swapped atomic.Bool
	b.p.Edit = func(c *match.ProviderConfig) {
		own := c.Record
		c.Record = func() ([]byte, error) {
			if swapped.Load() {
				return other.Record()
			}
			return own()
		}
	}
	b.p.Restart()
	l, g := b.activate(3)
	if g.Record == nil {
		t.Error("a grant without a record")
	}
	swapped.Store(true)
	if s := b.mustShow(l); s.Record != nil {
		t.Error("somebody else's record was taken")
	}
}

// A lease that lives has fresh tokens; one that does not live yet, or has begun
// to end, has none.
func TestToken(t *testing.T) {
	b := newLeaseBench(t)
	l := b.p.Reserve(b.r.Key.ID(), 3)
	if _, err := b.token(l, match.Granted{}); statusOf(err) != match.StatusDenied {
		t.Errorf("reserved: %v", err)
	}
	g := b.mustClaim(l)
	if _, err := b.token(l, g); statusOf(err) != match.StatusDenied {
		t.Errorf("provisional: %v", err)
	}
	if err := b.confirm(l, g); err != nil {
		t.Fatal(err)
	}
	one, err := b.token(l, g)
	if err != nil {
		t.Fatal(err)
	}
	two, err := b.token(l, g)
	if err != nil || one.Grant.Token == g.Grant.Token || one.Grant.Token == two.Grant.Token || one.Grant.Server != g.Grant.Server {
		t.Errorf("tokens are not fresh: %v", err)
	}
	if got := b.ask(b.Requester("stranger"), match.Token, l); got != match.StatusRefused {
		t.Errorf("a stranger: %d", got)
	}
	b.p.Cluster.Before(refuse(matchtest.Token))
	if _, err = b.token(l, g); statusOf(err) != match.StatusDenied {
		t.Errorf("a cluster that refuses: %v", err)
	}
	// From the moment that it begins to end.
	b.p.Cluster.Before(nil)
	before := b.p.Cluster.Calls(matchtest.Token)
	b.p.Cluster.Before(refuse(matchtest.Release))
	b.background(match.Release, l)
	b.await(l, market.Expiring)
	if _, err = b.token(l, g); statusOf(err) != match.StatusGone {
		t.Errorf("expiring: %v", err)
	}
	b.p.Cluster.Before(nil)
	b.Clock.Pass(time.Minute)
	b.await(l, market.Released)
	if _, err = b.token(l, g); statusOf(err) != match.StatusGone {
		t.Errorf("released: %v", err)
	}
	if n := b.p.Cluster.Calls(matchtest.Token); n != before {
		t.Errorf("%d tokens were made for a lease that had begun to end", n-before)
	}
}

// What a provider hands out in place of a token is refused.
func TestTokenLies(t *testing.T) {
	b := newLeaseBench(t)
	l, g := b.activate(3)
	for name, c := range map[string]*match.Credential{
		"none": nil, "empty": {Token: "", Expires: b.Clock.Now().Add(time.Hour).Unix()}, "of old": {Token: "t", Expires: 1},
		"two lines": {Token: "a\nb", Expires: b.Clock.Now().Add(time.Hour).Unix()},
		"for ever":  {Token: "t", Expires: 1 << 40},
	} {
		b.p.Stop()
		b.p.Prepare = func(*match.Provider) { b.p.Node.Handle(match.KindLease, match.LyingCredential(c)) }
		b.p.Start()
		if _, err := b.token(l, g); !isLie(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func isLie(err error) bool {
	_, ok := errors.AsType[*match.LieError](err)
	return ok
}

// Whoever asks without pause cannot keep a lease from ending.
func TestEndComesAnyway(t *testing.T) {
	b := newLeaseBench(t)
	l, g := b.activate(3)
	ctx, cancel := context.WithCancel(b.Context())
	link := b.r.Link(ctx, b.p)
	var asking sync.WaitGroup
	for range 16 {
		asking.Go(func() {
			for ctx.Err() == nil {
				for _, action := range []match.Action{match.Token, match.Prepare, match.Show, match.Renew, match.Confirm, match.Claim} {
					_, _ = match.Ask(ctx, link, match.LeaseRequest{Action: action, Lease: l.ID[:], Seconds: 7200, Receipt: g.Signed})
				}
			}
		})
	}
	b.Clock.Pass(time.Hour + market.PromiseTime + market.Grace)
	b.await(l, market.Released)
	cancel()
	asking.Wait()
	b.nothingLeft()
}

// What cannot be is a lie, whatever its status, and an answer to another
// question is a refusal.
func TestAnswersThatCannotBe(t *testing.T) {
	b := newLeaseBench(t)
	l, g := b.activate(3)
	active := &match.Stands{State: uint8(market.Active), Expires: time.Now().Unix()}
	for name, c := range map[string]struct {
		reply match.LeaseReply
		lie   bool
	}{
		"shown, and nothing":     {match.LeaseReply{Status: match.StatusShown}, true},
		"shown, and over":        {match.LeaseReply{Status: match.StatusShown, Standing: &match.Stands{State: uint8(market.Released), Expires: 1e9}}, true},
		"gone, and nonsense":     {match.LeaseReply{Status: match.StatusGone, Standing: &match.Stands{State: 99}}, true},
		"confirmed, when shown":  {match.LeaseReply{Status: match.StatusConfirmed, Standing: active}, false},
		"a status of the future": {match.LeaseReply{Status: 200, Standing: active}, false},
	} {
		b.p.Stop()
		b.p.Prepare = func(*match.Provider) { b.p.Node.Handle(match.KindLease, match.LyingReply(c.reply)) }
		b.p.Start()
		_, err := b.show(l)
		if _, refused := errors.AsType[*match.RefusedError](err); isLie(err) != c.lie || refused == c.lie {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The same of the other questions.
	b.p.Stop()
	b.p.Prepare = func(*match.Provider) {
		b.p.Node.Handle(match.KindLease, match.LyingReply(match.LeaseReply{Status: match.StatusShown, Standing: active}))
		b.p.Node.Handle(match.KindProxy, func(_ context.Context, s *mesh.Stream) {
			_, _ = s.ReadFrame(64)
			_ = s.WriteFrame([]byte("HTTP/1.1 200 OK"))
		})
	}
	b.p.Start()
	_, tokenErr := b.token(l, g)
	_, prepareErr := b.prepare(l, g.Receipt, 2*time.Hour)
	for what, err := range map[string]error{
		"token": tokenErr, "prepare": prepareErr, "renew": b.take(l, match.Renewal{Total: 2 * time.Hour, Receipt: g.Receipt}),
		"release": b.release(l), "confirm": b.confirm(l, g),
	} {
		if statusOf(err) != match.StatusShown {
			t.Errorf("%s: %v", what, err)
		}
	}
	if c, err := b.dial(b.r, l); err == nil {
		c.Close()
		t.Error("garbage was taken for a connection")
	}
}
