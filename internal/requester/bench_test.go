package requester_test

import (
	"context"
	"crypto/rand"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match/matchtest"
	"github.com/angler-dex/angler/internal/requester"
)

// bench is a client in a market on loopback.
type bench struct {
	*matchtest.Market
	r      *matchtest.Requester
	client *requester.Client

	mu     sync.Mutex
	events []requester.Event
	hook   func(requester.Event)
}

// soon is after how long a test gives up on somebody who is not there: longer
// than it takes to reach who is.
const soon = 2 * time.Second

// atOnce is for tests in which nobody is there to be reached.
const atOnce = 300 * time.Millisecond

// newBench returns a client that finds the providers.
func newBench(t testing.TB, m *matchtest.Market, name string, providers ...*matchtest.Provider) *bench {
	t.Helper()
	b := &bench{Market: m, r: m.Requester(name)}
	store, err := requester.OpenStore(filepath.Join(t.TempDir(), name))
	if err != nil {
		t.Fatal(err)
	}
	b.client = &requester.Client{
		Key: b.r.Key, Mesh: b.r.Node, Finder: find(providers...), Pool: m.Pool, Membership: &b.r.Membership, Store: store,
		Rand: rand.Reader, Now: m.Clock.Now, Log: m.Log.For(name), Progress: b.progress, Patience: m.Patience,
	}
	return b
}

func find(providers ...*matchtest.Provider) requester.Fixed {
	var at requester.Fixed
	for _, p := range providers {
		at = append(at, p.Wire.Addr())
	}
	return at
}

func (b *bench) progress(e requester.Event) {
	b.mu.Lock()
	b.events = append(b.events, e)
	hook := b.hook
	b.mu.Unlock()
	if hook != nil {
		hook(e)
	}
}

// on calls f when a phase is reached.
func (b *bench) on(phase requester.Phase, f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.hook = func(e requester.Event) {
		if e.Phase == phase {
			f()
		}
	}
}

// phases lists what happened, repetitions left out.
func (b *bench) phases() []requester.Phase {
	b.mu.Lock()
	defer b.mu.Unlock()
	var list []requester.Phase
	for _, e := range b.events {
		list = append(list, e.Phase)
	}
	return slices.Compact(list)
}

// restart has the client begin anew on its store, as another process.
func (b *bench) restart() {
	b.TB.Helper()
	b.r.Stop()
	b.r.Start()
	store, err := requester.OpenStore(b.client.Store.Dir())
	if err != nil {
		b.TB.Fatal(err)
	}
	b.client.Mesh, b.client.Store = b.r.Node, store
}

func (b *bench) request(units market.Quantity, most market.Price, least int) (requester.Lease, error) {
	return b.client.Request(b.Context(), b.Request(units, most), requester.Bounds{MinProviders: least, MaxProviders: 8})
}

// stored reads the one lease that there is.
func (b *bench) stored() requester.Lease {
	b.TB.Helper()
	all, err := b.client.Store.List()
	if err != nil || len(all) != 1 {
		b.TB.Fatalf("%d leases are stored, error %v", len(all), err)
	}
	return all[0]
}

// check asserts a lease's state as returned and as stored.
func (b *bench) check(l requester.Lease, want requester.State) {
	b.TB.Helper()
	kept, err := b.client.Store.Get(l.ID.String())
	if err != nil || l.State != want || kept.State != want {
		b.TB.Errorf("lease is %q and stored as %q, error %v; want %q", l.State, kept.State, err, want)
	}
}

// won puts a reservation into the provider's ledger and the file of a won match
// into the client's store, as a match would have.
func (b *bench) won(p *matchtest.Provider, units market.Quantity) requester.Lease {
	b.TB.Helper()
	row := p.Reserve(b.r.Key.ID(), units)
	record, err := p.Record()
	if err != nil {
		b.TB.Fatal(err)
	}
	l := requester.Lease{
		ID: row.ID, SID: row.SID[:], State: requester.Claiming, Class: row.Class, Duration: row.Duration, Policy: row.Policy,
		Roster: []byte{1}, Created: b.Clock.Now(),
		Parts: []requester.Part{{
			ID: row.ID, State: requester.Claiming, Quantity: row.Quantity, Price: row.Price, Provider: p.Key.ID(), Record: record,
		}},
	}
	if err := b.client.Store.Put(l); err != nil {
		b.TB.Fatal(err)
	}
	return l
}

func waitFor(t testing.TB, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// finder is a Finder that does what a test wants.
type finder func(ctx context.Context, found func(netip.AddrPort) bool) error

func (f finder) Find(ctx context.Context, _ market.Class, found func(netip.AddrPort) bool) error {
	return f(ctx, found)
}

// breakStore makes it impossible to store anything.
func breakStore(t testing.TB, s *requester.Store) {
	t.Helper()
	if err := os.RemoveAll(s.Dir()); err != nil {
		t.Fatal(err)
	}
}

// checkSecrets asserts that the log has none of these in it, nor any token.
func checkSecrets(t *testing.T, m *matchtest.Market, secrets []string, providers ...*matchtest.Provider) {
	t.Helper()
	for _, p := range providers {
		secrets = append(secrets, p.Cluster.Tokens()...)
	}
	for _, secret := range secrets {
		if strings.Contains(m.Log.String(), secret) {
			t.Errorf("%s is logged", secret)
		}
	}
}
