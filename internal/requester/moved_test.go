package requester_test

import (
	"testing"

	"github.com/angler-dex/angler/internal/match/matchtest"
	"github.com/angler-dex/angler/internal/requester"
)

// A provider that has moved is found again, by its identity: whoever else is
// found learns nothing and is not taken for it.
func TestProviderMoves(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	m.Patience.Connect = soon
	p, other := m.Provider("p", 10, 5), m.Provider("other", 10, 50)
	b := newBench(t, m, "asker", p, other)
	l, err := b.request(3, 10, 1)
	if err != nil {
		t.Fatal(err)
	}
	p.Stop()
	p.Move()
	p.Start()
	b.restart()

	b.client.Finder = find(other)
	if _, err = b.client.Release(b.Context(), l); err == nil {
		t.Fatal("released at somebody else's")
	}
	b.client.Finder = nil
	if _, err = b.client.Release(b.Context(), l); err == nil {
		t.Fatal("released at nobody's")
	}
	b.client.Finder = append(find(other), find(p)...)
	l, err = b.client.Release(b.Context(), l)
	if err != nil || l.State != requester.Released {
		t.Fatalf("%s, %v", l.State, err)
	}
	if left := p.Cluster.Leases(); len(left) != 0 {
		t.Errorf("%d namespaces are left", len(left))
	}
}
