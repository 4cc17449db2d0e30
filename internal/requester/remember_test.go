package requester_test

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/angler-dex/angler/internal/match/matchtest"
	"github.com/angler-dex/angler/internal/requester"
)

// knows says whether the book at path has a provider's address.
func knows(t *testing.T, path string, p *matchtest.Provider) bool {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(raw), `"`+p.Wire.Addr().String()+`"`)
}

// Who was met is asked again though the finder does not find it, but not by
// somebody who says whom to ask; and who is not there any more is forgotten, so
// that it costs one time-out and not one a request.
func TestWhoWasMetBefore(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	p, q := m.Provider("p", 9, 5), m.Provider("q", 9, 7)
	b := newBench(t, m, "asker")
	b.client.Patience.Connect = soon
	path := filepath.Join(t.TempDir(), "providers.json")
	var err error
	if b.client.Book, err = requester.OpenBook(path); err != nil {
		t.Fatal(err)
	}
	finds := func(at ...*matchtest.Provider) requester.Finder {
		return finder(func(_ context.Context, found func(netip.AddrPort) bool) error {
			for _, addr := range find(at...) {
				found(addr)
			}
			return nil
		})
	}
	b.client.Finder = finds(p, q)
	if _, err = b.request(1, 10, 2); err != nil {
		t.Fatal(err)
	}
	b.client.Finder = finds()
	if _, err = b.request(1, 10, 2); err != nil {
		t.Errorf("those who were met are not asked: %v", err)
	}
	var few *requester.TooFewError
	b.client.Finder = find(p)
	if _, err = b.request(1, 10, 2); !errors.As(err, &few) || few.Found != 1 {
		t.Errorf("somebody else was asked, too: %v", err)
	}
	if !knows(t, path, q) {
		t.Error("q was forgotten, for another was asked")
	}
	q.Stop()
	b.client.Finder = finds(p)
	if _, err = b.request(1, 10, 1); err != nil {
		t.Error(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(raw), `"struck"`) {
		t.Errorf("that nobody is there any more is not remembered: %v", err)
	}
}

// Where nobody answered a moment ago nobody is dialled again while others are
// enough; and if they are not, those addresses are not forgotten either.
func TestOldAnnouncements(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	p, late := m.Provider("p", 9, 5), m.Provider("late", 9, 7)
	b := newBench(t, m, "asker")
	b.client.Patience.Connect = soon
	var err error
	if b.client.Book, err = requester.OpenBook(filepath.Join(t.TempDir(), "providers.json")); err != nil {
		t.Fatal(err)
	}
	var gone []netip.AddrPort
	for port := range uint16(5) {
		gone = append(gone, netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), 1+port))
	}
	b.client.Finder = finder(func(_ context.Context, found func(netip.AddrPort) bool) error {
		for _, addr := range append(gone, p.Wire.Addr(), late.Wire.Addr()) {
			found(addr)
		}
		return nil
	})
	silent := func() int { return strings.Count(m.Log.String(), "no answer") }
	late.Stop()
	if _, err := b.request(1, 10, 1); err != nil || silent() != 6 {
		t.Fatalf("%d addresses did not answer: %v", silent(), err)
	}
	if _, err := b.request(1, 10, 1); err != nil || silent() != 6 {
		t.Errorf("dialled again: %d in all, %v", silent(), err)
	}
	late.Start()
	if _, err := b.request(1, 10, 2); err != nil {
		t.Errorf("who has come back is not found: %v", err)
	}
}
