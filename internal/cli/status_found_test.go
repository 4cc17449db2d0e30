package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/control"
)

// What the line says whether a node is found, from what the daemon knows.
func TestFoundLine(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	ago := now.Add(-9 * time.Second)
	found := control.Status{
		Mode: control.ModeProvider, Place: &control.Place{Reach: control.Reachable, Neighbours: 3}, Offers: []control.Offer{{Name: "x"}},
		DHT: control.DHT{Keys: 5, Takers: 4, LastAnnounce: &ago},
	}
	for _, c := range []struct {
		change func(*control.Status)
		want   string
	}{
		{func(*control.Status) {}, "yes: others have dialled it back; 3 providers met; 5 keys announced 9s ago to 4 nodes"},
		{func(s *control.Status) { s.Place.Reach, s.Place.Neighbours = control.ReachUntold, 0 }, "yes, on trust: nobody was there to dial it back; 0 providers met; "},
		{func(s *control.Status) { s.DHT.LastAnnounce = nil }, "not yet: it is being announced"},
		{func(s *control.Status) { s.DHT.Keys = 0 }, "not yet: it is being announced"},
		{func(s *control.Status) { s.Place.Reach = "" }, "not yet: others are asked to dial it back"},
		{func(s *control.Status) { s.Place.Reach = control.Unreachable }, "no: others cannot dial it at what it advertises"},
		{func(s *control.Status) { s.Place.Reach, s.DHT.Keys = control.Astray, 0 }, "yes, by those who have dialled it back: it is not announced, for announcements lead elsewhere; 3 providers met"},
		{func(s *control.Status) { s.Offers[0].Paused = true }, "no: nothing is offered"},
		{func(s *control.Status) { s.Offers = nil }, "no: nothing is offered"},
		{func(s *control.Status) { s.Drain = control.Draining }, "no: it is draining"},
		{func(s *control.Status) { s.DHT.Error = "no bootstrap node answers" }, "no: no bootstrap node answers"},
		{func(s *control.Status) { s.Mode, s.Place = control.ModeDHT, nil }, ""},
	} {
		s, place := found, *found.Place
		s.Place, s.Offers = &place, []control.Offer{{Name: "x"}}
		c.change(&s)
		if got := foundLine(s, now); !strings.HasPrefix(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%q, not %q", got, c.want)
		}
	}
}
