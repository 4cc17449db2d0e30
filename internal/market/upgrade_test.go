package market

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// A ledger that the first version wrote is read whole, once and again: two
// offers, one of them paused, an active lease, a reservation, a released lease
// and a match count.
func TestOpensSchema1(t *testing.T) {
	raw, err := os.ReadFile("testdata/ledger-schema1.db")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "ledger.db")
	if err = os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	clock := newTestClock()
	for range 2 {
		l, err := Open(Config{Path: path, Provider: provider, Clock: clock.read})
		if err != nil {
			t.Fatal(err)
		}
		offers, leases := l.Offers(), l.Leases()
		if len(offers) != 2 || len(leases) != 3 || l.MatchesSince(alice, clock.read().Wall.Add(-time.Hour)) != 1 {
			t.Fatalf("%d offers, %d leases", len(offers), len(leases))
		}
		picky, plain := offers[0], offers[1]
		if picky.Name != "picky" || !picky.Paused || picky.MaxLeases != 7 || !slices.Equal(picky.Deny, []string{peerText(bob)}) || picky.Price != 1_500_000 {
			t.Errorf("%+v", picky)
		}
		if plain.Name != "plain" || plain.Ceiling != 10 || plain.Price != 31_000 || len(plain.Policies) != 0 || plain.Notice != 0 {
			t.Errorf("%+v", plain)
		}
		states := map[Quantity]State{}
		for _, lease := range leases {
			states[lease.Quantity] = lease.State
		}
		if states[4] != Active || states[2] != Reserved || states[1] != Released {
			t.Errorf("%v", states)
		}
		if err = l.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err = Open(Config{Path: path, Provider: [32]byte{1}, Clock: clock.read}); !errors.Is(err, ErrProvider) {
			t.Errorf("somebody else opens it: %v", err)
		}
	}
}
