package match_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/match"
	"github.com/angler-dex/angler/internal/match/matchtest"
	"github.com/angler-dex/angler/internal/mesh"
)

func TestDialBack(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	helper := m.NewProvider("helper")
	helper.Prepare = func(*match.Provider) {
		b := &match.Backer{Pool: m.Pool, Mesh: helper.Node, Now: m.Clock.Now, Log: m.Log.For("helper"), Within: 2 * time.Second}
		helper.Node.Handle(match.KindDialBack, b.Serve)
		helper.Node.Handle(match.KindReferral, b.Refer)
	}
	helper.Start()
	asks := m.Provider("asks", 1, 1)
	ask := func(edit func(*identity.Record)) error {
		t.Helper()
		link, err := asks.Node.Dial(t.Context(), helper.Wire.Addr())
		if err != nil {
			t.Fatal(err)
		}
		now := m.Clock.Now()
		rec := identity.Record{
			Addrs: []netip.AddrPort{asks.Wire.Addr()}, Versions: []uint{match.Version}, Membership: &asks.Membership,
			Issued: now, Expires: now.Add(time.Hour),
		}
		edit(&rec)
		raw, err := identity.SignRecord(asks.Key, rec)
		if err != nil {
			t.Fatal(err)
		}
		m.Clock.Pass(time.Minute) // it answers a peer only so often
		return match.DialBack(t.Context(), link, raw, netip.AddrPort{})
	}
	if err := ask(func(*identity.Record) {}); err != nil {
		t.Errorf("reachable: %v", err)
	}
	nowhere := netip.MustParseAddrPort("127.0.0.1:9")
	if err := ask(func(r *identity.Record) { r.Addrs = []netip.AddrPort{nowhere} }); !errors.Is(err, match.ErrUnreachable) {
		t.Errorf("nobody there: %v", err)
	}
	if err := ask(func(r *identity.Record) { r.Addrs = []netip.AddrPort{nowhere, asks.Wire.Addr()} }); err != nil {
		t.Errorf("reachable at the second address: %v", err)
	}
	if err := ask(func(r *identity.Record) { r.Addrs = []netip.AddrPort{helper.Wire.Addr()} }); !errors.Is(err, match.ErrUnreachable) {
		t.Errorf("somebody else answers there: %v", err)
	}
	strangers := []netip.AddrPort{}
	for k := range 8 {
		strangers = append(strangers, m.Provider(fmt.Sprint("stranger", k), 1, 1).Wire.Addr())
	}
	before := len(helper.Node.Links())
	if err := ask(func(r *identity.Record) { r.Addrs = strangers }); !errors.Is(err, match.ErrUnreachable) {
		t.Errorf("strangers answer there: %v", err)
	}
	if after := len(helper.Node.Links()); after > before {
		t.Errorf("who asks chooses whom we are linked with: %d links, %d before", after, before)
	}
	for _, at := range []string{"198.51.100.7:7400", "192.0.2.1:7400", "127.0.0.1:9"} {
		if err := ask(func(r *identity.Record) { r.Addrs = []netip.AddrPort{asks.Wire.Addr(), netip.MustParseAddrPort(at)} }); err != nil {
			t.Errorf("reachable, and says that it is at %s: %v", at, err)
		}
	}
	if err := ask(func(r *identity.Record) { r.Membership = nil }); err == nil || errors.Is(err, match.ErrUnreachable) {
		t.Errorf("no member: %v", err)
	}
}

// One whose announcements lead astray is told so, and others are referred to it
// for a while.
func TestReferral(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	helper := m.NewProvider("helper")
	helper.Prepare = func(*match.Provider) {
		b := &match.Backer{Pool: m.Pool, Mesh: helper.Node, Now: m.Clock.Now, Log: m.Log.For("helper"), Within: 2 * time.Second}
		helper.Node.Handle(match.KindDialBack, b.Serve)
		helper.Node.Handle(match.KindReferral, b.Refer)
	}
	helper.Start()
	asks := m.Provider("asks", 1, 1)
	back := func(astray netip.AddrPort) error {
		t.Helper()
		link, err := asks.Node.Dial(t.Context(), helper.Wire.Addr())
		if err != nil {
			t.Fatal(err)
		}
		raw, err := asks.Record()
		if err != nil {
			t.Fatal(err)
		}
		m.Clock.Pass(2 * time.Minute)
		return match.DialBack(t.Context(), link, raw, astray)
	}
	requester := m.Requester("requester")
	told := func(class string, pool *identity.Pool) []identity.Record {
		t.Helper()
		link, err := requester.Node.Dial(t.Context(), helper.Wire.Addr())
		if err != nil {
			t.Fatal(err)
		}
		list, err := match.Referrals(t.Context(), link, class, pool, m.Clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	class := m.Class().String()
	if err := back(asks.Wire.Addr()); err != nil || len(told(class, m.Pool)) != 0 {
		t.Errorf("announcements lead to it: %v, %d referrals", err, len(told(class, m.Pool)))
	}
	if err := back(netip.MustParseAddrPort("127.0.0.1:9")); !errors.Is(err, match.ErrAstray) {
		t.Errorf("announcements lead astray: %v", err)
	}
	if list := told(class, m.Pool); len(list) != 1 || list[0].ID != asks.Key.ID() {
		t.Errorf("referred to %v", list)
	}
	if list := told("cpu=77", m.Pool); len(list) != 0 {
		t.Errorf("for another class referred to %v", list)
	}
	if list := told(class, matchtest.New(t).Pool); len(list) != 0 {
		t.Errorf("a stranger to the pool is believed: %v", list)
	}
	m.Clock.Pass(30 * time.Minute)
	if list := told(class, m.Pool); len(list) != 0 {
		t.Errorf("half an hour later referred to %v", list)
	}
}

// Who is behind a NAT that lets in to whom it has sent is reached by those whom
// it has asked, and by nobody else: that is not reached.
func TestDialBackIsNotFooledByNAT(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	helper := m.NewProvider("helper")
	helper.Prepare = func(*match.Provider) {
		b := &match.Backer{Pool: m.Pool, Mesh: helper.Node, Now: m.Clock.Now, Log: m.Log.For("helper"), Within: 2 * time.Second}
		helper.Node.Handle(match.KindDialBack, b.Serve)
	}
	helper.Start()
	hidden := m.Provider("hidden", 1, 1)
	hidden.Wire.Shelter()
	link, err := hidden.Node.Dial(t.Context(), helper.Wire.Addr())
	if err != nil {
		t.Fatal(err)
	}
	raw, err := hidden.Record()
	if err != nil {
		t.Fatal(err)
	}
	if err := match.DialBack(t.Context(), link, raw, netip.AddrPort{}); !errors.Is(err, match.ErrUnreachable) {
		t.Errorf("behind a NAT: %v", err)
	}
}

// A peer cannot have others knock at addresses as often as it likes.
func TestDialBackIsRare(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	helper := m.NewProvider("helper")
	helper.Prepare = func(*match.Provider) {
		b := &match.Backer{Pool: m.Pool, Mesh: helper.Node, Now: m.Clock.Now, Log: m.Log.For("helper")}
		helper.Node.Handle(match.KindDialBack, b.Serve)
	}
	helper.Start()
	asks := m.Provider("asks", 1, 1)
	raw, err := asks.Record()
	if err != nil {
		t.Fatal(err)
	}
	link, err := asks.Node.Dial(t.Context(), helper.Wire.Addr())
	if err != nil {
		t.Fatal(err)
	}
	if err := match.DialBack(t.Context(), link, raw, netip.AddrPort{}); err != nil {
		t.Fatal(err)
	}
	if err := match.DialBack(t.Context(), link, raw, netip.AddrPort{}); err == nil || errors.Is(err, match.ErrUnreachable) {
		t.Errorf("a second time at once: %v", err)
	}
}

// An answer about what was not asked says nothing.
func TestDialBackAnswersThatSayNothing(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	asks := m.Provider("asks", 1, 1)
	raw, err := asks.Record()
	if err != nil {
		t.Fatal(err)
	}
	for name, answer := range map[string][]byte{"astray": {2}, "none of them": {3}, "empty": {}} {
		liar := m.NewProvider("liar " + name)
		liar.Prepare = func(*match.Provider) {
			liar.Node.Handle(match.KindDialBack, func(_ context.Context, s *mesh.Stream) {
				for range 2 {
					if _, err := s.ReadFrame(identity.MaxRecord); err != nil {
						t.Error(err)
					}
				}
				_ = s.WriteFrame(answer)
			})
		}
		liar.Start()
		link, err := asks.Node.Dial(t.Context(), liar.Wire.Addr())
		if err != nil {
			t.Fatal(err)
		}
		err = match.DialBack(t.Context(), link, raw, netip.AddrPort{})
		if err == nil || errors.Is(err, match.ErrAstray) || errors.Is(err, match.ErrUnreachable) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
