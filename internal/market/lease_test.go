package market

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestLeaseID(t *testing.T) {
	sid, owner := [32]byte{1}, [32]byte{2}
	id := NewLeaseID(sid, owner)
	// "lease id = hash(sid, provider)"
	if want := sha256.Sum256(slices.Concat([]byte("angler/1 lease"), sid[:], owner[:])); id != want {
		t.Errorf("id %x, want %x", id, want)
	}
	if NewLeaseID(owner, sid) == id {
		t.Error("the order does not matter")
	}
	text := id.String()
	if len(text) != 52 || strings.ToLower(text) != text || !strings.HasPrefix(text, id.Short()) {
		t.Errorf("as text: %s, %s", text, id.Short())
	}
	if back, err := ParseLeaseID(text); err != nil || back != id {
		t.Errorf("%v, %v", back, err)
	}
	raw, err := json.Marshal(map[string]LeaseID{"id": id})
	var back map[string]LeaseID
	if err != nil || json.Unmarshal(raw, &back) != nil || back["id"] != id {
		t.Errorf("JSON: %s, %v", raw, err)
	}
	for _, bad := range []string{"", text[1:], text + "a", strings.ToUpper(text), text[:51] + "b", "\n" + text, text[:51] + "1", strings.Repeat("=", 52)} {
		if _, err := ParseLeaseID(bad); !errors.As(err, new(*FieldError)) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzParseLeaseID(f *testing.F) {
	f.Add(LeaseID{}.String())
	f.Add(NewLeaseID([32]byte{1}, [32]byte{2}).String())
	f.Add("aaaa\naaaa")
	f.Fuzz(func(t *testing.T, text string) {
		if id, err := ParseLeaseID(text); err == nil && id.String() != text {
			t.Fatalf("%q reads as %s", text, id)
		}
	})
}

// The table, written down a second time as a picture: rows from, columns to.
func TestTransitions(t *testing.T) {
	const picture = `
              held reserved provisioning provisional active expiring released failed
held           .      x          .            .         .       .        x       .
reserved       .      .          x            .         .       .        x       x
provisioning   .      .          .            x         .       x        .       .
provisional    .      .          .            .         x       x        .       .
active         .      .          .            .         .       x        .       .
expiring       .      .          .            .         .       .        x       x
released       .      .          .            .         .       .        .       .
failed         .      .          .            .         .       .        .       .`
	lines := strings.Split(strings.TrimLeft(picture, "\n"), "\n")
	head := strings.Fields(lines[0])
	for _, line := range lines[1:] {
		cells := strings.Fields(line)
		var from State
		if err := from.UnmarshalText([]byte(cells[0])); err != nil {
			t.Fatal(err)
		}
		for i, cell := range cells[1:] {
			var to State
			if err := to.UnmarshalText([]byte(head[i])); err != nil {
				t.Fatal(err)
			}
			err := from.Check(to)
			if (cell == "x") != (err == nil) || (cell == "x") != slices.Contains(from.Next(), to) {
				t.Errorf("%s → %s: %v", from, to, err)
			}
			var refused *TransitionError
			if err != nil && (!errors.As(err, &refused) || refused.From != from || refused.To != to) {
				t.Errorf("%s → %s: %v", from, to, err)
			}
		}
	}
}

// From everywhere there is an end, and none that skips the clean-up once the
// cluster may have been touched.
func TestEveryLeaseEnds(t *testing.T) {
	var walk func(s State, touched, cleaned bool)
	steps := 0
	walk = func(s State, touched, cleaned bool) {
		if steps++; steps > 1000 {
			t.Fatal("the states go in a circle")
		}
		touched = touched || s == Provisioning
		cleaned = cleaned || s == Expiring
		if s.Terminal() && touched && !cleaned {
			t.Errorf("%s is reached from provisioning without expiring", s)
		}
		if len(s.Next()) == 0 && !s.Terminal() {
			t.Errorf("%s is a dead end", s)
		}
		for _, next := range s.Next() {
			walk(next, touched, cleaned)
		}
	}
	walk(Held, false, false)
}

func TestStateText(t *testing.T) {
	for s := Held; s <= Failed; s++ {
		text, err := s.MarshalText()
		var back State
		if err != nil || back.UnmarshalText(text) != nil || back != s || !s.Valid() {
			t.Errorf("%d: %s, %v", s, text, err)
		}
	}
	for _, s := range []State{0, Failed + 1, 255} {
		if _, err := s.MarshalText(); err == nil || s.Valid() || s.Check(Reserved) == nil || s.Next() != nil {
			t.Errorf("%s is valid", s)
		}
	}
	var s State
	if s.UnmarshalText([]byte("")) == nil || s.UnmarshalText([]byte("Held")) == nil {
		t.Error("a name that is none was read")
	}
}

func TestElapsed(t *testing.T) {
	noon := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	from := Moment{Wall: noon, Boot: "a", Since: time.Hour}
	for name, tc := range map[string]struct {
		now  Moment
		want time.Duration
	}{
		"a minute on":              {Moment{noon.Add(time.Minute), "a", time.Hour + time.Minute}, time.Minute},
		"wall clock jumps ahead":   {Moment{noon.Add(1000 * time.Hour), "a", time.Hour + time.Second}, time.Second},
		"wall clock jumps back":    {Moment{noon.Add(-1000 * time.Hour), "a", time.Hour + time.Second}, time.Second},
		"another boot":             {Moment{noon.Add(time.Hour), "b", time.Second}, 55 * time.Minute}, // "five minutes of grace"
		"another boot, in grace":   {Moment{noon.Add(4 * time.Minute), "b", 100 * time.Hour}, 0},
		"another boot, clock back": {Moment{noon.Add(-time.Hour), "b", time.Second}, 0},
		"a restored snapshot":      {Moment{noon, "a", 0}, 0},
	} {
		if got := from.Elapsed(tc.now); got != tc.want {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}

func TestSystemClock(t *testing.T) {
	clock, err := SystemClock()
	if err != nil {
		t.Fatal(err)
	}
	a, b := clock(), clock()
	if a.Boot == "" || a.Boot != b.Boot || b.Since < a.Since || a.Since <= 0 || a.Wall.IsZero() || a.IsZero() {
		t.Errorf("%+v then %+v", a, b)
	}
}
