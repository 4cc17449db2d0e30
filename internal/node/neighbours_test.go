package node

import (
	"log/slog"
	"net/netip"
	"strings"
	"testing"

	"github.com/angler-dex/angler/internal/control"
	"github.com/angler-dex/angler/internal/coord"
)

// What rounds among the neighbours make of a provider: nobody to ask is trust,
// somebody who could not reach it is none, somebody who could is right whatever
// others say; and it stays unannounced only as long as there is somebody to
// ask.
func TestReach(t *testing.T) {
	d := &daemon{place: &place{space: coord.New()}, cfg: Config{Log: slog.New(slog.DiscardHandler)}, record: &selfRecord{}}
	if d.place.announces() {
		t.Error("announced before anybody was asked")
	}
	for _, c := range []struct {
		what  string
		round *round
		reach string
	}{
		{"nobody there", &round{}, control.ReachUntold},
		{"somebody could not", &round{measured: 2, missed: true}, control.Unreachable},
		{"others do not answer the question", &round{measured: 2}, control.Unreachable},
		{"nobody is there any more", &round{}, control.ReachUntold},
		{"liars", &round{measured: 3, missed: true}, control.Unreachable},
		{"reached, but not where announcements lead", &round{measured: 3, astray: netip.MustParseAddrPort("198.51.100.7:7400"), missed: true}, control.Astray},
		{"others do not answer the question any more", &round{measured: 2}, control.Astray},
		{"liars, and one who could", &round{measured: 4, missed: true, reached: true}, control.Reachable},
		{"nobody to ask again", &round{}, control.Reachable},
	} {
		c.round.d = d
		c.round.conclude()
		if got := d.place.show().Reach; got != c.reach || d.place.announces() == (c.reach == control.Unreachable || c.reach == control.Astray) {
			t.Errorf("%s: %s, announced: %v", c.what, got, d.place.announces())
		}
	}
}

// What keeps a provider from being announced is said when it begins, not in each
// of the rounds, four a minute, for as long as it lasts.
func TestReachIsSaidOnce(t *testing.T) {
	var log strings.Builder
	d := &daemon{place: &place{space: coord.New()}, cfg: Config{Log: slog.New(slog.NewTextHandler(&log, nil))}, record: &selfRecord{}}
	astray := netip.MustParseAddrPort("198.51.100.7:7400")
	for range 2 {
		for range 3 {
			(&round{d: d, measured: 1, missed: true}).conclude()
		}
		for range 3 {
			(&round{d: d, measured: 1, astray: astray}).conclude()
		}
		for range 3 {
			(&round{d: d, measured: 1, reached: true}).conclude()
		}
	}
	for _, text := range []string{"others cannot reach this node", "lead where nobody answers", "msg=announcing"} {
		if n := strings.Count(log.String(), text); n != 2 {
			t.Errorf("%q is said %d times, of 2 that it began:\n%s", text, n, log.String())
		}
	}
}

// The cell that is found out grows finer, and moves when rounds say so; one that
// tells less is no reason to announce under other keys.
func TestCellIsFoundOut(t *testing.T) {
	p := &place{space: coord.New(), auto: true}
	for _, c := range []struct{ told, cell string }{
		{"", ""}, {"u", "u"}, {"u33", "u33"}, {"u3", "u33"}, {"", "u33"}, {"u33d", "u33d"}, {"u28", "u28"}, {"x", "x"},
	} {
		if p.learn(3, c.told, ""); p.where() != c.cell {
			t.Errorf("told %q: in %q, not %q", c.told, p.where(), c.cell)
		}
	}
	p.fix("u33d")
	if p.learn(3, "u28", ""); p.where() != "u33d" {
		t.Errorf("what the operator said became %q", p.where())
	}
}
