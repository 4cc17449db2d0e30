package matchtest

import (
	"context"
	"crypto/rand"
	"path/filepath"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match"
)

// Market is a pool with its signer, and what its peers share in a test.
type Market struct {
	TB        testing.TB
	Pool      *identity.Pool
	Signer    *identity.Key
	Clock     *Clock
	Log       *Log
	Patience  match.Patience
	MinRoster int
}

// patience is generous: a machine that is busy with other tests is no fault.
var patience = match.Patience{
	Connect: 20 * time.Second, Slot: 20 * time.Second, Answer: 30 * time.Second, Roster: 30 * time.Second, Meet: 30 * time.Second,
	Ready: 60 * time.Second, Silence: 60 * time.Second, Report: 30 * time.Second,
}

// New returns a market without peers. When the test ends with failure, it shows
// what its peers have logged.
func New(tb testing.TB) *Market {
	tb.Helper()
	m := &Market{TB: tb, Signer: Key(tb), Clock: NewClock(), Log: &Log{}, Patience: patience, MinRoster: 1}
	m.Pool = &identity.Pool{Name: "test", Signers: []identity.PeerID{m.Signer.ID()}}
	tb.Cleanup(func() {
		if tb.Failed() {
			tb.Logf("what the parties logged:\n%s", m.Log)
		}
	})
	return m
}

// Key makes an identity.
func Key(tb testing.TB) *identity.Key {
	tb.Helper()
	k, err := identity.Generate(rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

// Certify makes a peer a member of the pool.
func (m *Market) Certify(id identity.PeerID, role identity.Role, operator string) identity.Membership {
	m.TB.Helper()
	member, err := identity.SignMembership(m.Signer, identity.Membership{
		Pool: m.Pool.Name, Member: id, Role: role, Operator: operator,
		NotBefore: m.Clock.Now().Add(-time.Minute), NotAfter: m.Clock.Now().Add(24 * time.Hour),
	})
	if err != nil {
		m.TB.Fatal(err)
	}
	return member
}

// Context lasts as long as the test may take, so that one that hangs says where.
func (m *Market) Context() context.Context {
	ctx, cancel := context.WithTimeout(m.TB.Context(), 5*time.Minute)
	m.TB.Cleanup(cancel)
	return ctx
}

// Class is the class that is traded in tests.
func (m *Market) Class() market.Class {
	m.TB.Helper()
	c, err := market.ParseClass("cpu=1,memory=1Gi")
	if err != nil {
		m.TB.Fatal(err)
	}
	return c
}

// Request asks for units at a price, for an hour.
func (m *Market) Request(units market.Quantity, most market.Price) market.Request {
	return market.Request{Class: m.Class(), Quantity: units, MaxPrice: most, Duration: time.Hour, Policy: market.DefaultPolicy}
}

// dir makes a folder of the test.
func (m *Market) dir(name string) string { return filepath.Join(m.TB.TempDir(), name) }
