package requester

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/market"
)

func TestHandicap(t *testing.T) {
	for _, c := range []struct {
		r    Deeds
		want market.Price
	}{
		{Deeds{}, 0},
		{Deeds{Kept: 100}, 0},
		{Deeds{Broken: 1}, 4000},
		{Deeds{Late: 1}, 2000},
		{Deeds{Kept: 9, Broken: 1}, 1000},
		{Deeds{Broken: 100}, 11764},
	} {
		if got := c.r.Handicap(12000); got != c.want {
			t.Errorf("%+v: %d, want %d", c.r, got, c.want)
		}
	}
	if h := (Deeds{Broken: 100}).Handicap(math.MaxUint32); h < math.MaxUint32/2 {
		t.Errorf("the highest is %d", h)
	}
}

func TestReputation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "reputation.json")
	r := OpenReputation(path)
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	if known, err := r.Of(); err != nil || len(known) != 0 {
		t.Fatalf("before anything: %v, %v", known, err)
	}
	a, b := identity.PeerID{1}, identity.PeerID{2}
	for _, deed := range []Deed{Kept, Kept, Broken, Late} {
		if err := r.Count(deed, now, a, b); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Count(Broken, now.Add(time.Hour), b); err != nil {
		t.Fatal(err)
	}
	known, err := OpenReputation(path).Of()
	if err != nil || known[a] != (Deeds{Kept: 2, Broken: 1, Late: 1, Last: now}) || known[b] != (Deeds{Kept: 2, Broken: 2, Late: 1, Last: now.Add(time.Hour)}) {
		t.Errorf("%+v, %v", known, err)
	}
	if info, unread := os.Stat(path); unread != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, unread)
	}
	for range 120 {
		if err = r.Count(Kept, now, a); err != nil {
			t.Fatal(err)
		}
	}
	if known, err = r.Of(); err != nil || known[a].Kept > maxDeeds || known[a].Kept < maxDeeds/2 || known[a].Broken != 0 {
		t.Errorf("after many: %+v, %v", known[a], err)
	}
}

// The file is bounded: those that were met longest ago are forgotten.
func TestReputationForgets(t *testing.T) {
	path := filepath.Join(t.TempDir(), "reputation.json")
	r := OpenReputation(path)
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	many := make([]identity.PeerID, maxKnown+10)
	for k := range many {
		many[k] = identity.PeerID{byte(k), byte(k >> 8)}
	}
	if err := r.Count(Kept, now, many[:10]...); err != nil {
		t.Fatal(err)
	}
	if err := r.Count(Broken, now.Add(time.Minute), many[10:]...); err != nil {
		t.Fatal(err)
	}
	known, err := r.Of()
	if err != nil || len(known) != maxKnown {
		t.Fatalf("%d are known, %v", len(known), err)
	}
	if _, there := known[many[3]]; there {
		t.Error("one that was met long ago is known")
	}
	if info, err := os.Stat(path); err != nil || info.Size() > maxReputed/2 {
		t.Errorf("%v, %v", info, err)
	}
}

func TestReputationDamaged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "reputation.json")
	for _, text := range []string{"", "{}", "sesame", `{"providers":{"a":{}}}`, `{"providers":{"aeaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa":{"kept":101}}}`} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenReputation(path).Of(); !errors.Is(err, ErrDamaged) {
			t.Errorf("%q: %v", text, err)
		}
		if err := OpenReputation(path).Count(Kept, time.Now(), identity.PeerID{}); !errors.Is(err, ErrDamaged) {
			t.Errorf("%q is counted over: %v", text, err)
		}
	}
}

// Processes that count at once leave a file that is whole.
func TestReputationAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "reputation.json")
	var all sync.WaitGroup
	for w := range 4 {
		all.Go(func() {
			for range 20 {
				if err := OpenReputation(path).Count(Kept, time.Now(), identity.PeerID{byte(w)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if known, err := OpenReputation(path).Of(); err != nil || len(known) == 0 {
		t.Errorf("%d are known, %v", len(known), err)
	}
}

func FuzzParseReputation(f *testing.F) {
	text, err := encodeReputation(map[identity.PeerID]Deeds{{1}: {Kept: 3, Broken: 1, Late: 4}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"providers":null}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		known, err := parseReputation(text)
		if err != nil {
			return
		}
		for _, r := range known {
			if r.Handicap(1000) >= 1000 {
				t.Fatalf("%+v is put back by everything", r)
			}
		}
	})
}
