package match_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match"
	"github.com/angler-dex/angler/internal/match/matchtest"
	"github.com/angler-dex/angler/internal/mpc"
	"github.com/angler-dex/angler/internal/requester"
)

// mischief is what a cheat does in every match in which it takes part.
type mischief struct {
	flight    int
	claims    bool // it says that a check has failed, and not on what; else it changes what it sends
	requester bool // to the requester, else to all other providers
}

func (w mischief) String() string {
	switch {
	case w.claims:
		return fmt.Sprintf("claims that flight %d is wrong", w.flight)
	case w.requester:
		return fmt.Sprintf("spoils flight %d to the requester", w.flight)
	}
	return fmt.Sprintf("spoils flight %d to providers", w.flight)
}

// cheat is a provider whose mischief can be changed between matches.
type cheat struct {
	*matchtest.Provider
	mu   sync.Mutex
	does mischief
}

func (c *cheat) will(w mischief) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.does = w
}

var errClaimed = errors.New("a check has failed")

func (c *cheat) drive(ctx context.Context, party *mpc.Party, net mpc.Network) error {
	c.mu.Lock()
	does := c.does
	c.mu.Unlock()
	if !does.claims {
		return mpc.Run(ctx, party, &changing{Network: net, mischief: does})
	}
	err := mpc.Run(ctx, party, &faulty{Network: net, before: func(_ context.Context, at int) error {
		if at == does.flight {
			return errClaimed
		}
		return nil
	}})
	if errors.Is(err, errClaimed) {
		return &mpc.AbortError{Peer: -1, Flight: does.flight, Err: errClaimed}
	}
	return err
}

// changing changes a byte of one flight, and of the seventh many: one wrong row may hide
// behind a zero.
type changing struct {
	mpc.Network
	mischief
	mu  sync.Mutex
	sid []byte // of the first frame
}

func (n *changing) Send(ctx context.Context, to int, chunk []byte) error {
	n.mu.Lock()
	if n.sid == nil {
		n.sid = chunk[:flightAt]
	}
	begins := bytes.HasPrefix(chunk, n.sid) // else it is the rest of a frame
	n.mu.Unlock()
	if begins && int(chunk[flightAt]) == n.flight && (to == 0) == n.requester {
		chunk = bytes.Clone(chunk)
		for at := len(chunk) - 1; at == len(chunk)-1 || n.flight == 7 && at > headerSize; at -= 16 {
			chunk[at] ^= 1
		}
	}
	return n.Network.Send(ctx, to, chunk)
}

// TestCheatThatNamesNobody: a provider ends every match in which it takes part, in any
// of the flights, most of the time so that nobody can tell who it was. The request ends in
// a lease at an honest one all the same, and the cheat is left with nothing.
func TestCheatThatNamesNobody(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	bad := &cheat{Provider: m.NewProvider("cheat")}
	bad.Prepare = func(prov *match.Provider) { prov.Drive(bad.drive) }
	bad.Start()
	providers := []*matchtest.Provider{m.Provider("a", 1000, 5), m.Provider("b", 1000, 6), m.Provider("c", 1000, 7), bad.Provider}

	var all []mischief
	for f := 1; f <= 8; f++ {
		all = append(all, mischief{flight: f, claims: true}, mischief{flight: f, requester: f%2 == 0})
	}
	all = append(all, mischief{flight: 9}) // to a winner, when the requester has its result
	if testing.Short() {
		all = []mischief{all[8]}
	}
	parts := 0
	for _, does := range all {
		bad.will(does)
		bad.Offer(1000, 1)
		if does.flight == 9 {
			bad.Offer(1000, 9) // it loses, and spoils what the winner gets
		}
		a := newAsker(t, m, providers...)
		l, err := a.client.Request(m.Context(), m.Request(3, 10), requester.Bounds{MinProviders: 2, MaxProviders: 8})
		t.Logf("%v: %d matches, %d of them among a part", does, a.phases[requester.Chosen], a.phases[requester.Drawn])
		if err != nil {
			t.Errorf("%v: %v", does, err)
			continue
		}
		if l.Parts[0].Provider == bad.Key.ID() {
			t.Errorf("%v: the cheat has the lease", does)
		}
		if does.claims && a.phases[requester.Drawn] == 0 || a.phases[requester.Drawn] > 2 {
			t.Errorf("%v: %d matches among a part", does, a.phases[requester.Drawn])
		}
		if !does.claims {
			parts += a.phases[requester.Drawn]
		}
	}
	if parts == 0 && !testing.Short() {
		t.Error("whatever it spoils, it is named")
	}
	if reserved, held := bad.Used(); held != 0 || reserved != 0 {
		t.Errorf("the cheat has %d units reserved, %d held", reserved, held)
	}
}

// TestRerunAmongOthers: who declines the rerun for which it was drawn is replaced by
// others, and what fits among all honest ones is never said not to fit among a part.
func TestRerunAmongOthers(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	bad := &cheat{Provider: m.NewProvider("cheat"), does: mischief{flight: 4, claims: true}}
	bad.Prepare = func(prov *match.Provider) { prov.Drive(bad.drive) }
	bad.Start()
	bad.Offer(5, 1)
	var honest []*matchtest.Provider
	for _, name := range []string{"a", "b", "c", "d"} {
		honest = append(honest, m.Provider(name, 5, 5))
	}
	req, bounds := m.Request(13, 10), requester.Bounds{MinProviders: 2, MaxProviders: 8}
	req.Policy = "split"
	a := newAsker(t, m, append(honest, bad.Provider)...)
	l, err := a.client.Request(m.Context(), req, bounds)
	if err == nil && len(l.Parts) != 3 || err != nil && !errors.Is(err, requester.ErrAborted) {
		t.Errorf("%d parts: %v", len(l.Parts), err)
	}
	if a.phases[requester.Drawn] < 2 {
		t.Errorf("no second part was drawn: %v", a.phases)
	}

	for _, p := range honest {
		p.Offer(100, 5)
	}
	a = newAsker(t, m, append(honest, bad.Provider)...)
	count := a.client.Progress
	a.client.Progress = func(e requester.Event) {
		if count(e); e.Phase == requester.Drawn {
			_ = honest[0].Ledger.SetDrain(market.Draining)
			_ = honest[1].Ledger.SetDrain(market.Draining)
		}
	}
	if l, err = a.client.Request(m.Context(), m.Request(1, 10), bounds); err != nil {
		t.Fatalf("%v after %v", err, a.phases)
	}
	if who := l.Parts[0].Provider; who != honest[2].Key.ID() && who != honest[3].Key.ID() {
		t.Errorf("the lease is at %s", who.Short())
	}
}

// asker is a client that counts its phases.
type asker struct {
	client *requester.Client
	phases map[requester.Phase]int
}

func newAsker(t *testing.T, m *matchtest.Market, providers ...*matchtest.Provider) *asker {
	t.Helper()
	r := m.Requester("asker")
	store, err := requester.OpenStore(filepath.Join(t.TempDir(), "leases"))
	if err != nil {
		t.Fatal(err)
	}
	var at requester.Fixed
	for _, p := range providers {
		at = append(at, p.Wire.Addr())
	}
	a := &asker{phases: map[requester.Phase]int{}}
	a.client = &requester.Client{
		Key: r.Key, Mesh: r.Node, Finder: at, Pool: m.Pool, Membership: &r.Membership, Store: store, Rand: rand.Reader, Now: m.Clock.Now,
		Log: m.Log.For("asker"), Patience: m.Patience, Progress: func(e requester.Event) { a.phases[e.Phase]++ },
	}
	return a
}
