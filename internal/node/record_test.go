package node

import (
	"bytes"
	"crypto/rand"
	"net/netip"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/coord"
	"github.com/angler-dex/angler/internal/identity"
)

// The record is signed anew when what it says has changed, a coordinate that moves
// now and then among it, and not for each who asks.
func TestRecordFollowsWhatItSays(t *testing.T) {
	key, err := identity.Generate(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now, classes := time.Unix(1_800_000_000, 0), []string{"cpu=1,memory=1Gi"}
	r := &selfRecord{
		key: key, addrs: []netip.AddrPort{netip.MustParseAddrPort("198.51.100.7:7400")}, place: &place{space: coord.New(), cell: "u33d"},
		classes: func() []string { return classes }, policies: func() []string { return nil }, now: func() time.Time { return now },
	}
	move := func() {
		t.Helper()
		if err := r.place.space.Observe("peer", coord.Coordinate{}, 20*time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
	var before []byte
	for _, c := range []struct {
		what   string
		change func()
		anew   bool
	}{
		{"the first", func() {}, true},
		{"asked again", func() {}, false},
		{"a minute later", func() { now = now.Add(time.Minute) }, false},
		{"the coordinate has moved", move, true},
		{"it moves all the time", move, false},
		{"and after a while", func() { now = now.Add(tellMoves) }, true},
		{"another class", func() { classes = []string{"cpu=2,memory=1Gi"} }, true},
		{"another cell", func() { r.place.fix("u281") }, true},
		{"half its life is over", func() { now = now.Add(recordLife / 2) }, true},
		{"the clock was set back", func() { now = now.Add(-time.Minute) }, true},
	} {
		c.change()
		raw, err := r.get()
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(raw, before) == c.anew {
			t.Errorf("%s: signed anew is %v", c.what, !c.anew)
		}
		rec, err := identity.OpenRecord(raw, now)
		if err != nil {
			t.Fatalf("%s: %v", c.what, err)
		}
		if at, err := coord.Parse(rec.Coordinate); err != nil || c.anew && at != r.place.space.Here() {
			t.Errorf("%s: it says %v, %v", c.what, at, err)
		}
		before = raw
	}
}
