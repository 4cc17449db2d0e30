package requester_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/match/matchtest"
	"github.com/angler-dex/angler/internal/requester"
)

// The time that is left decides how many of those found are invited, never
// fewer than the request wants; and the lease says what was predicted.
func TestEnvelope(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	b := newBench(t, m, "asker", m.Provider("a", 9, 5), m.Provider("b", 9, 6), m.Provider("c", 9, 7), m.Provider("d", 9, 8))
	path := filepath.Join(t.TempDir(), "pace.json")
	chosen := func(bounds requester.Bounds) (e requester.Event) {
		t.Helper()
		b.client.Pace, b.events = slow(t, path), nil
		bounds.MaxProviders = 4
		l, err := b.client.Request(b.Context(), b.Request(1, 100), bounds)
		if err != nil && !errors.Is(err, requester.ErrDeadline) { // a slow machine
			t.Error(err)
		}
		for _, event := range b.events {
			if event.Phase == requester.Chosen {
				e = event
			}
		}
		if err == nil && (l.Timing == nil || l.Timing.Providers != e.Done || l.Timing.Predicted != e.Predicted || l.Timing.Took <= 0) {
			t.Errorf("the lease says %+v of %+v", l.Timing, e)
		}
		return e
	}
	all := chosen(requester.Bounds{MinProviders: 1, Deadline: time.Hour})
	if all.Done != 4 || all.Of != 4 {
		t.Errorf("with an hour: %+v", all)
	}
	// A machine a hundred times as slow as the model's needs seconds for four.
	some := chosen(requester.Bounds{MinProviders: 1, Deadline: all.Predicted})
	if some.Done >= 4 || some.Done < 1 || some.Of != 4 || some.Predicted >= all.Predicted {
		t.Errorf("with %v: %+v", all.Predicted, some)
	}
	if few := chosen(requester.Bounds{MinProviders: 2, Deadline: all.Predicted / 4}); few.Done != 2 {
		t.Errorf("with %v, two at least: %+v", all.Predicted/4, few)
	}
}

// slow is a pace a hundred times that of the model.
func slow(t *testing.T, path string) *requester.Pace {
	t.Helper()
	if err := os.WriteFile(path, []byte(`{"factor":100,"matches":50}`), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := requester.OpenPace(path)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
