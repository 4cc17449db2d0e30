package requester_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/match"
	"github.com/angler-dex/angler/internal/match/matchtest"
	"github.com/angler-dex/angler/internal/mesh"
	"github.com/angler-dex/angler/internal/requester"
)

// says has a provider show another record: edit changes what it says, and forge
// what it has signed.
func says(m *matchtest.Market, name string, edit func(*identity.Record), forge func([]byte) []byte) *matchtest.Provider {
	p := m.NewProvider(name)
	p.Edit = func(cfg *match.ProviderConfig) {
		honest := cfg.Record
		cfg.Record = func() ([]byte, error) {
			raw, err := honest()
			if err != nil {
				return nil, err
			}
			if edit != nil {
				rec, err := identity.OpenRecord(raw, m.Clock.Now())
				if err != nil {
					return nil, err
				}
				edit(&rec)
				if raw, err = identity.SignRecord(p.Key, rec); err != nil {
					return nil, err
				}
			}
			if forge != nil {
				raw = forge(raw)
			}
			return raw, nil
		}
	}
	p.Start()
	p.Offer(9, 1)
	return p
}

// unusable lists who was told to be of no use, by address.
func (b *bench) unusable() map[netip.AddrPort]error {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := map[netip.AddrPort]error{}
	for _, e := range b.events {
		if e.Phase == requester.Unusable {
			all[e.Addr] = e.Err
		}
	}
	return all
}

// A record that is not what it should be is told as what it is, and nothing of
// it is used.
func TestRecordsThatAreRefused(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	good := m.Provider("good", 9, 5)
	now := m.Clock.Now()
	moved := func(by time.Duration) func(*identity.Record) {
		return func(r *identity.Record) { r.Issued, r.Expires = now.Add(by), now.Add(by+time.Hour) }
	}
	rogues := []struct {
		p    *matchtest.Provider
		want string
		is   error
	}{
		{says(m, "expired", moved(-2*time.Hour), nil), "expired", identity.ErrExpired},
		{says(m, "future", moved(2*time.Hour), nil), "not valid yet", identity.ErrNotYetValid},
		{says(m, "unsigned", nil, func(raw []byte) []byte { raw[len(raw)-1] ^= 1; return raw }), "not signed", identity.ErrNotSigned},
		{says(m, "other", nil, func([]byte) []byte {
			raw, err := good.Record()
			if err != nil {
				t.Error(err)
			}
			return raw
		}), "another identity", nil},
		{says(m, "large", nil, func([]byte) []byte { return make([]byte, identity.MaxRecord+1) }), "too large", mesh.ErrFrameTooLarge},
		{says(m, "garbage", nil, func([]byte) []byte { return []byte("garbage") }), "malformed", identity.ErrMalformed},
	}
	b := newBench(t, m, "asker", good)
	path := filepath.Join(t.TempDir(), "book")
	var err error
	if b.client.Book, err = requester.OpenBook(path); err != nil {
		t.Fatal(err)
	}
	at := find(good)
	for _, r := range rogues {
		at = append(at, r.p.Wire.Addr())
	}
	b.client.Finder = at
	l, err := b.request(3, 10, 1) // all of them ask less than good
	if err != nil || l.Parts[0].Provider != good.Key.ID() {
		t.Fatalf("error %v", err)
	}
	told, texts := b.unusable(), map[string]bool{}
	for _, r := range rogues {
		err := told[r.p.Wire.Addr()]
		if err == nil || !strings.Contains(err.Error(), r.want) || r.is != nil && !errors.Is(err, r.is) {
			t.Errorf("%s: %v", r.p.Name, err)
			continue
		}
		texts[err.Error()] = true
	}
	if len(texts) != len(rogues) {
		t.Errorf("%d messages for %d faults: %v", len(texts), len(rogues), texts)
	}
	for _, r := range rogues {
		if knows(t, path, r.p) {
			t.Errorf("%s is remembered", r.p.Name)
		}
	}
}

// Who has to be at an address is asked there, and nobody else.
func TestPinned(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	p, q := m.Provider("p", 9, 5), m.Provider("q", 9, 1)
	b := newBench(t, m, "asker")
	pinned := requester.Pinned{Fixed: find(p, q), IDs: map[netip.AddrPort]identity.PeerID{
		p.Wire.Addr(): p.Key.ID(), q.Wire.Addr(): p.Key.ID(), // q is cheaper, and somebody else
	}}
	b.client.Finder = pinned
	l, err := b.request(3, 10, 1)
	if err != nil || l.Parts[0].Provider != p.Key.ID() {
		t.Fatalf("error %v", err)
	}
	// The link with p is there already, but p does not listen where q does.
	b.restart()
	b.client.Finder = requester.Pinned{Fixed: find(q), IDs: pinned.IDs}
	var few *requester.TooFewError
	if _, err := b.request(3, 10, 1); !errors.As(err, &few) || few.Found != 0 {
		t.Errorf("error %v", err)
	}
	if err := b.unusable()[q.Wire.Addr()]; !errors.Is(err, mesh.ErrWrongPeer) {
		t.Errorf("who is there is told as %v", err)
	}
}

// A request that finds too few says which of its own bounds others are beyond.
func TestTooFewSaysWhy(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	berlin := says(m, "berlin", func(r *identity.Record) { r.Cell = "u33d" }, nil)
	tokyo := says(m, "tokyo", func(r *identity.Record) { r.Cell = "xn76" }, nil)
	b := newBench(t, m, "asker", berlin, tokyo)
	ask := func(bounds requester.Bounds) *requester.TooFewError {
		t.Helper()
		bounds.MinProviders = 2
		_, err := b.client.Request(b.Context(), b.Request(3, 10), bounds)
		few := new(requester.TooFewError)
		if !errors.As(err, &few) {
			t.Fatalf("error %v", err)
		}
		return few
	}
	if few := ask(requester.Bounds{MaxRTT: time.Nanosecond}); few.Found != 0 || few.Far != 2 || !strings.Contains(few.Error(), "2 found beyond --max-rtt") {
		t.Errorf("%+v: %v", *few, few)
	}
	if few := ask(requester.Bounds{Region: "u3"}); few.Found != 1 || few.Outside != 1 || !strings.Contains(few.Error(), "1 found outside --region") {
		t.Errorf("%+v: %v", *few, few)
	}
	if few := ask(requester.Bounds{Region: "u33d9"}); few.Found != 0 || few.Outside != 2 {
		t.Errorf("%+v: %v", *few, few)
	}
	bounds := requester.Bounds{MinProviders: 2, MaxRTT: time.Hour}
	if _, err := b.client.Request(b.Context(), b.Request(3, 10), bounds); err != nil {
		t.Error(err)
	}
	// One that takes part in other policies alone is not why the others are of no use.
	lisbon := says(m, "lisbon", func(r *identity.Record) { r.Cell, r.Policies = "eyck", []string{"second-price"} }, nil)
	b.client.Finder = find(berlin, tokyo, lisbon)
	if few := ask(requester.Bounds{MaxRTT: time.Nanosecond}); few.Far != 3 || few.Other != 0 {
		t.Errorf("%+v: %v", *few, few)
	}
	if few := ask(requester.Bounds{Region: "ey"}); few.Outside != 2 || few.Other != 1 || !strings.Contains(few.Error(), "other policies alone") {
		t.Errorf("%+v: %v", *few, few)
	}
}

// Who is remembered is no reason not to look for those near the wanted place, nor
// for others at all; and they are asked when the search fails, which is told.
func TestRememberedAreNotEnough(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	cell := func(name, cell string) *matchtest.Provider {
		return says(m, name, func(r *identity.Record) { r.Cell = cell }, nil)
	}
	here, there := []*matchtest.Provider{cell("a", "u33d"), cell("b", "u33d")}, []*matchtest.Provider{cell("x", "xn76"), cell("y", "xn76")}
	b := newBench(t, m, "asker")
	b.client.Patience.Connect = soon
	var err error
	if b.client.Book, err = requester.OpenBook(filepath.Join(t.TempDir(), "book")); err != nil {
		t.Fatal(err)
	}
	tells := func(at []*matchtest.Provider, err error) requester.Finder {
		return finder(func(_ context.Context, found func(netip.AddrPort) bool) error {
			for _, addr := range find(at...) {
				found(addr)
			}
			return err
		})
	}
	two := requester.Bounds{MinProviders: 2, MaxProviders: 2}
	b.client.Finder = tells(here, nil)
	if _, err = b.client.Request(b.Context(), b.Request(1, 10), two); err != nil {
		t.Fatal(err)
	}
	tokyo := two
	tokyo.Near = &requester.Near{Lat: 35.68, Lon: 139.69}
	b.client.Finder = tells(there, nil)
	l, err := b.client.Request(b.Context(), b.Request(1, 10), tokyo)
	if err != nil || l.Parts[0].Provider != there[0].Key.ID() && l.Parts[0].Provider != there[1].Key.ID() {
		t.Errorf("not from near the wanted place: %v", err)
	}
	broken := errors.New("no bootstrap node")
	b.client.Finder, b.events = tells(nil, broken), nil
	if _, err := b.client.Request(b.Context(), b.Request(1, 10), two); err != nil {
		t.Error(err)
	}
	told := false
	for _, e := range b.events {
		told = told || e.Phase == requester.Unsearched && errors.Is(e.Err, broken)
	}
	if !told {
		t.Error("that the search failed is not told")
	}
	var few *requester.TooFewError
	if _, err := b.client.Request(b.Context(), b.Request(1, 10), requester.Bounds{MinProviders: 5}); !errors.As(err, &few) || few.Found != 4 || !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
}

// Whom the DHT does not tell of is found by those who have reached it.
func TestReferred(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	helper := m.NewProvider("helper")
	helper.Prepare = func(*match.Provider) {
		b := &match.Backer{Pool: m.Pool, Mesh: helper.Node, Now: m.Clock.Now, Log: m.Log.For("helper"), Within: soon}
		helper.Node.Handle(match.KindDialBack, b.Serve)
		helper.Node.Handle(match.KindReferral, b.Refer)
	}
	helper.Start()
	helper.Offer(9, 9)
	astray := m.Provider("astray", 9, 5)
	link, err := astray.Node.Dial(t.Context(), helper.Wire.Addr())
	if err != nil {
		t.Fatal(err)
	}
	raw, err := astray.Record()
	if err != nil {
		t.Fatal(err)
	}
	if err = match.DialBack(t.Context(), link, raw, netip.MustParseAddrPort("127.0.0.1:9")); !errors.Is(err, match.ErrAstray) {
		t.Fatal(err)
	}
	b := newBench(t, m, "asker")
	b.client.Finder = finder(func(_ context.Context, found func(netip.AddrPort) bool) error {
		found(helper.Wire.Addr())
		return nil
	})
	l, err := b.request(3, 10, 2)
	if err != nil || l.Parts[0].Provider != astray.Key.ID() {
		t.Errorf("error %v", err)
	}
	var few *requester.TooFewError
	b.client.Finder = find(helper)
	if _, err := b.request(3, 10, 2); !errors.As(err, &few) || few.Found != 1 {
		t.Errorf("somebody who was not named was asked: %v", err)
	}
	astray.Stop() // the referral is of no use any more, and does no harm
	b.client.Patience.Connect = soon
	b.client.Finder = finder(func(_ context.Context, found func(netip.AddrPort) bool) error {
		found(helper.Wire.Addr())
		return nil
	})
	if _, err := b.request(3, 10, 1); err != nil {
		t.Error(err)
	}
}

// Providers of another version are told of: a request that finds nobody else says why.
func TestOtherVersions(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	speaks := func(name string, versions ...uint) *matchtest.Provider {
		return says(m, name, func(r *identity.Record) { r.Versions = versions }, nil)
	}
	older, newer, both := speaks("older", match.Version-1), speaks("newer", match.Version+1, match.Version+2), speaks("both", match.Version, match.Version+1)
	b := newBench(t, m, "asker")
	for _, c := range []struct {
		of             requester.Fixed
		found, foreign int
	}{
		{find(older), 0, 1},
		{find(older, newer), 0, 2},
		{find(older, newer, both), 1, 2},
		{find(both), 1, 0},
	} {
		b.client.Finder = c.of
		var few *requester.TooFewError
		_, err := b.request(3, 10, 2)
		if !errors.As(err, &few) || few.Found != c.found || few.Foreign != c.foreign {
			t.Errorf("of %d: %v", len(c.of), err)
		}
		want := fmt.Sprintf("%d found speak another version of the protocol", c.foreign)
		if strings.Contains(fmt.Sprint(err), want) != (c.foreign > 0) {
			t.Errorf("of %d: %v", len(c.of), err)
		}
	}
}

// Who has addresses of another family than most can connect to none of them.
func TestFamilies(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	at := func(name string, addrs ...string) *matchtest.Provider {
		return says(m, name, func(r *identity.Record) {
			r.Addrs = nil
			for _, a := range addrs {
				r.Addrs = append(r.Addrs, netip.MustParseAddrPort(a))
			}
		}, nil)
	}
	six, both, again := at("six", "[2001:db8::6]:7400"), at("both", "[2001:db8::7]:7400", "198.51.100.7:7400"), at("again", "[2001:db8::8]:7400")
	four := at("four", "198.51.100.4:7400")
	b := newBench(t, m, "asker")
	for _, c := range []struct {
		of           requester.Fixed
		found, apart int
	}{
		{find(four, both), 2, 0},
		{find(six, both), 2, 0},
		{find(four, six), 1, 1},
		{find(four, both, six), 2, 1}, // as many have either
		{find(four, both, six, again), 3, 1},
	} {
		b.client.Finder = c.of
		var few *requester.TooFewError
		if _, err := b.request(3, 10, 5); !errors.As(err, &few) || few.Found != c.found || few.Apart != c.apart {
			t.Errorf("of %d: %v", len(c.of), err)
		}
	}
}
