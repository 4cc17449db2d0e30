package match

import (
	"slices"
	"testing"
)

// Who is at fault, by what everybody says. Parties are 1 to 4.
func TestJudge(t *testing.T) {
	own := func(of, flight int) finding { return finding{of: of, flight: flight} }
	waiting := func(of, flight int) finding { return finding{of: of, flight: flight, wait: true} }
	stopped := func(of, flight uint) Report { return Report{State: Stopped, Peer: of, Flight: flight} }
	for _, c := range []struct {
		name  string
		own   finding
		quiet bool
		says  [4]Report // of parties 1 to 4
		want  []int     // are left out
		pair  []int     // are suspects
	}{
		{
			name: "one says nothing",
			says: [4]Report{stopped(2, 3), {}, {State: Broken, Peer: 2, Flight: 3}, stopped(2, 3)}, want: []int{2},
		},
		{
			name: "two take no part any more, and one is accused",
			says: [4]Report{{State: Withdrawn}, {State: State(77)}, {State: Broken, Peer: 4, Flight: 1}, stopped(0, 0)}, want: []int{1, 2},
		},
		{
			name: "the requester saw it", own: own(3, 5),
			says: [4]Report{{State: Broken, Peer: 2, Flight: 4}, stopped(3, 5), stopped(1, 5), stopped(3, 5)}, want: []int{3},
		},
		{
			name: "two against each other",
			says: [4]Report{{State: Unreachable, Peer: 4}, stopped(4, 0), stopped(4, 0), {State: Unreachable, Peer: 1}}, pair: []int{1, 4},
		},
		{
			name: "what came first counts",
			says: [4]Report{{State: Broken, Peer: 2, Flight: 4}, {State: Broken, Peer: 3, Flight: 3}, stopped(1, 2), stopped(1, 1)}, pair: []int{2, 3},
		},
		{
			name: "a check on what another sent",
			says: [4]Report{stopped(2, 5), {State: Aborted, Peer: 3, Flight: 4}, stopped(2, 5), stopped(2, 5)}, pair: []int{2, 3},
		},
		{
			name: "a check that names nobody",
			says: [4]Report{stopped(2, 5), {State: Aborted, Flight: 4}, stopped(2, 5), stopped(2, 5)}, want: nil,
		},
		{
			name: "complaints of the requester, who sees nothing",
			says: [4]Report{stopped(2, 5), {State: Broken, Flight: 4}, stopped(2, 5), stopped(2, 5)}, want: []int{2},
		},
		{
			name: "complaints of oneself",
			says: [4]Report{stopped(2, 5), {State: Broken, Peer: 2, Flight: 4}, stopped(2, 5), stopped(2, 5)}, want: []int{2},
		},
		{
			name: "complaints of nobody at the table",
			says: [4]Report{stopped(2, 5), {State: Broken, Peer: 1 << 40, Flight: 1 << 40}, stopped(2, 5), stopped(2, 5)}, want: []int{2},
		},
		{
			name: "silence, and all wait for one", quiet: true, own: waiting(3, 4),
			says: [4]Report{{State: Stalled, Peer: 3, Flight: 4}, stopped(3, 4), stopped(1, 5), stopped(3, 4)}, want: []int{3},
		},
		{
			name: "silence, and it began between two", quiet: true, own: waiting(4, 5),
			says: [4]Report{stopped(2, 4), {State: Stalled, Peer: 1, Flight: 4}, stopped(2, 5), stopped(2, 5)}, pair: []int{1, 2},
		},
		{
			name: "silence, and all wait for the requester, who waits for one", quiet: true, own: waiting(2, 8),
			says: [4]Report{stopped(0, 8), stopped(0, 8), {State: Stalled, Flight: 8}, stopped(0, 8)}, want: []int{2},
		},
		{
			name: "one calls it silent, and it is not",
			says: [4]Report{stopped(2, 1), {State: Stalled, Peer: 3, Flight: 1}, stopped(1, 2), stopped(1, 2)}, pair: []int{2, 3},
		},
		{
			name: "stopped for no fault that anybody saw", own: finding{},
			says: [4]Report{stopped(2, 1), stopped(3, 1), stopped(1, 2), {State: Finished}}, want: nil,
		},
	} {
		for fall := range 4 { // every way that the coins can fall
			e := evidence{parties: 5, own: c.own, quiet: c.quiet}
			for k, r := range c.says {
				e.add(k+1, r)
			}
			drop, pair := e.judge(func(n int) int { return fall % n })
			slices.Sort(pair)
			if !slices.Equal(drop, c.want) || !slices.Equal(pair, c.pair) {
				t.Errorf("%s: %v are left out and %v suspected, want %v and %v", c.name, drop, pair, c.want, c.pair)
			}
		}
	}
}
