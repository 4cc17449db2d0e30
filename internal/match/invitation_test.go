package match_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match"
	"github.com/angler-dex/angler/internal/match/matchtest"
	"github.com/angler-dex/angler/internal/wire"
)

// invite sends an invitation and returns the answer's bytes.
func invite(t *testing.T, m *matchtest.Market, r *matchtest.Requester, p *matchtest.Provider, in match.Invite) []byte {
	t.Helper()
	s, err := r.Link(m.Context(), p).Open(m.Context(), match.KindMatch)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Reset()
	if err = s.WriteFrame(wire.Encode(in)); err != nil {
		t.Fatal(err)
	}
	raw, err := s.ReadFrame(8 << 10)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// Whom a provider does not let in, for whatever reason, gets the very same bytes;
// a provider that is full lets in.
func TestAdmission(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	p := m.Provider("p", 9, 5)
	r := m.Requester("asker")
	encode := func(mb identity.Membership) []byte {
		raw, err := mb.Encode()
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	good := match.Invite{
		Version: match.Version, Pool: "test", Class: m.Class().String(), Policy: market.DefaultPolicy, Seconds: 3600, Membership: encode(r.Membership),
	}
	accepted := func() bool {
		var a match.Answer
		if err := wire.Decode(invite(t, m, r, p, good), 8<<10, &a); err != nil {
			t.Fatal(err)
		}
		return a.Accept && len(a.Nonce) == 32
	}
	if !accepted() {
		t.Fatal("a member is declined")
	}
	expired, err := identity.SignMembership(m.Signer, identity.Membership{
		Pool: "test", Member: r.Key.ID(), Role: identity.RoleRequester, Operator: "asker",
		NotBefore: m.Clock.Now().Add(-48 * time.Hour), NotAfter: m.Clock.Now().Add(-time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	decline := wire.Encode(match.Answer{})
	for name, edit := range map[string]func(in *match.Invite){
		"another version":           func(in *match.Invite) { in.Version++ },
		"another pool":              func(in *match.Invite) { in.Pool = "other" },
		"no pool":                   func(in *match.Invite) { in.Pool = "" },
		"a class in another form":   func(in *match.Invite) { in.Class = "cpu=1,memory=1Gi" },
		"no class":                  func(in *match.Invite) { in.Class = "sesame" },
		"a class that isn't served": func(in *match.Invite) { in.Class = "arch=amd64,cpu=2,currency=USD,memory=1Gi" },
		"an unknown policy":         func(in *match.Invite) { in.Policy = "highest-price" },
		"no policy":                 func(in *match.Invite) { in.Policy = "../x" },
		"no time":                   func(in *match.Invite) { in.Seconds = 0 },
		"a year and more":           func(in *match.Invite) { in.Seconds = 367 * 24 * 3600 },
		"all the time there is":     func(in *match.Invite) { in.Seconds = 1<<64 - 1 },
		"no membership":             func(in *match.Invite) { in.Membership = nil },
		"noise for a membership":    func(in *match.Invite) { in.Membership = randomBytes(t, 100) },
		"another's membership": func(in *match.Invite) {
			in.Membership = encode(m.Certify(matchtest.Key(t).ID(), identity.RoleRequester, "asker"))
		},
		"an operator's membership": func(in *match.Invite) {
			in.Membership = encode(m.Certify(r.Key.ID(), identity.RoleOperator, "asker"))
		},
		"an expired membership": func(in *match.Invite) { in.Membership = encode(expired) },
		"a membership that nobody signs": func(in *match.Invite) {
			in.Membership = encode(matchtest.New(t).Certify(r.Key.ID(), identity.RoleRequester, "asker"))
		},
	} {
		in := good
		edit(&in)
		if got := invite(t, m, r, p, in); !bytes.Equal(got, decline) {
			t.Errorf("%s: %x", name, got)
		}
	}
	p.Reserve(r.Key.ID(), 9)
	if !accepted() {
		t.Error("a full provider says so")
	}
	if err := p.Ledger.SetPaused("offer", true); err != nil {
		t.Fatal(err)
	}
	if accepted() {
		t.Error("an offer that is paused takes part")
	}
	waitFor(t, "all places to be free", func() bool { return p.Match.Busy() == 0 })
}

// A requester's matches are counted when inputs bind, and bounded.
func TestMatchBudget(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	p := m.Provider("p", 9, 5)
	if err := p.Ledger.PutOffer(market.Offer{Name: "offer", Unit: m.Class(), Ceiling: 9, Price: 5, MaxMatches: 2}); err != nil {
		t.Fatal(err)
	}
	r := m.Requester("asker")
	for range 2 {
		if out := mustPlay(t, m, r, m.Request(3, 1), p); out.Matched() { // too dear: that counts as well
			t.Error("matched")
		}
	}
	p.Restart() // the count outlives it; links do not
	r.Stop()
	r.Start()
	if _, err := play(t, m, r, m.Request(3, 10), p); err == nil {
		t.Error("a third match of two")
	}
	if out := mustPlay(t, m, m.Requester("other"), m.Request(3, 10), p); !out.Matched() {
		t.Error("another requester pays for it")
	}
}

// A record is what its provider has signed, for a member of the pool.
func TestMeet(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	p := m.Provider("p", 9, 5)
	r := m.Requester("asker")
	c := r.Candidates(m.Context(), p)[0]
	if c.Record.ID != p.Key.ID() || c.Record.Membership.Operator != "p" || len(c.Record.Addrs) != 1 || c.Record.Addrs[0] != p.Wire.Addr() {
		t.Errorf("record of %s at %v", c.Record.ID.Short(), c.Record.Addrs)
	}
	other := matchtest.New(t)
	if _, err := match.Meet(m.Context(), c.Link, other.Pool, m.Clock.Now()); err == nil {
		t.Error("met in another pool")
	}
	if _, err := match.Meet(m.Context(), c.Link, m.Pool, m.Clock.Now().Add(2*time.Hour)); err == nil {
		t.Error("met with a record out of date")
	}
	if _, err := match.Meet(m.Context(), c.Link, nil, m.Clock.Now()); err != nil {
		t.Errorf("on an open market: %v", err)
	}
}
