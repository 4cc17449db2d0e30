package requester

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/match"
)

// Who refers us to a provider by an old record does not hide it from one who knows a
// later one, and nobody has us dial without end.
func TestFollows(t *testing.T) {
	key := func(n byte) identity.PeerID { return identity.PeerID{1: n, 31: 1} }
	own, err := identity.Generate(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	d := &discovery{client: &Client{Key: own}, met: map[string]match.Candidate{}, named: map[string]referred{}}
	d.met[key(9).String()] = match.Candidate{}
	then := time.Unix(1_800_000_000, 0)
	for _, c := range []struct {
		what  string
		id    identity.PeerID
		after time.Duration
		want  bool
	}{
		{"an old record", key(1), 0, true},
		{"the same", key(1), 0, false},
		{"one still older", key(1), -time.Hour, false},
		{"a later one", key(1), time.Hour, true},
		{"one later still", key(1), 2 * time.Hour, false},
		{"one whom we have met", key(9), 0, false},
		{"ourselves", own.ID(), 0, false},
		{"another", key(2), 0, true},
	} {
		if got := d.follows(identity.Record{ID: c.id, Issued: then.Add(c.after)}); got != c.want {
			t.Errorf("%s: %v", c.what, got)
		}
	}
	n := 3
	for k := range byte(100) {
		for again := range 3 {
			if d.follows(identity.Record{ID: key(100 + k), Issued: then.Add(time.Duration(again))}) {
				n++
			}
		}
	}
	if n != maxReferred {
		t.Errorf("%d dials", n)
	}
}
