package requester

import (
	"crypto/rand"
	"fmt"
	"math"
	mathrand "math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/match"
)

// crowd are candidates by rank.
func crowd(n int) (list []match.Candidate) {
	for k := range n {
		list = append(list, match.Candidate{Record: identity.Record{ID: identity.PeerID{byte(k + 1)}}})
	}
	return list
}

func ids(list []match.Candidate) (ids []identity.PeerID) {
	for _, m := range list {
		ids = append(ids, m.Record.ID)
	}
	return ids
}

// spoils says whether one of the cheats, who are the first of the crowd, is among
// those drawn.
func spoils(drawn []match.Candidate, cheats int) bool {
	return slices.ContainsFunc(drawn, func(m match.Candidate) bool { return int(m.Record.ID[0]) <= cheats })
}

// anonymous and accusing are the two ways to spoil a match: with the first all are
// suspects, with the second the cheat and another one.
func anonymous(drawn []match.Candidate, _ int) []identity.PeerID { return ids(drawn) }

func accusing(drawn []match.Candidate, at int) []identity.PeerID {
	return []identity.PeerID{drawn[0].Record.ID, drawn[1+at%(len(drawn)-1)].Record.ID}
}

// tries runs matches that cheats spoil whenever they take part, and counts those up
// to the first that nobody spoils; 0: all were spoilt.
func tries(t *testing.T, seed [32]byte, n, least, cheats int, suspects ...func([]match.Candidate, int) []identity.PeerID) int {
	t.Helper()
	s, random := suspicion{}, mathrand.NewChaCha8(seed)
	for k := range 1 + Reruns {
		drawn, err := s.draw(crowd(n), least, random)
		if err != nil {
			t.Fatal(err)
		}
		if len(drawn) < least {
			t.Fatalf("%d are drawn of %d, %d are wanted", len(drawn), n, least)
		}
		if !slices.IsSortedFunc(drawn, func(a, b match.Candidate) int { return int(a.Record.ID[0]) - int(b.Record.ID[0]) }) {
			t.Fatalf("they are not in the order of their ranks: %v", ids(drawn))
		}
		if !spoils(drawn, cheats) {
			return k + 1
		}
		s.spoilt = append(s.spoilt, suspects[k%len(suspects)](drawn, int(seed[0])>>k))
	}
	return 0
}

// TestCheatsThatNameNobody: how often a request ends well though there are cheats
// that spoil each match in which they are and leave no name: the table in
// docs/threat-model.md. What it has of one cheat is exact.
func TestCheatsThatNameNobody(t *testing.T) {
	const runs = 2000
	for _, tc := range []struct {
		n, least, cheats int
		want             [1 + Reruns]float64 // by then a match was not spoilt
	}{
		{3, 3, 1, [4]float64{}},
		{4, 3, 1, [4]float64{0, 1. / 4, 2. / 4, 3. / 4}},
		{5, 3, 1, [4]float64{0, 2. / 5, 4. / 5, 1}},
		{6, 3, 1, [4]float64{0, 1. / 2, 1, 1}},
		{8, 3, 1, [4]float64{0, 1. / 2, 1, 1}},
		{16, 3, 1, [4]float64{0, 1. / 2, 1, 1}},
		{8, 3, 2, [4]float64{0, 15. / 70, 30. / 70, 30./70 + 40./70*20/56}},
		{6, 3, 2, [4]float64{0, 4. / 20, 8. / 20, 8./20 + 12./20*4/20}},
		{16, 3, 2, [4]float64{0, 28. / 120, 56. / 120, 56./120 + 64./120*1001/1820}},
		{8, 3, 8, [4]float64{}},
	} {
		t.Run(fmt.Sprintf("%d of %d, %d at least", tc.cheats, tc.n, tc.least), func(t *testing.T) {
			var ended [2 + Reruns]int
			for seed := range runs {
				ended[tries(t, [32]byte{byte(seed), byte(seed >> 8)}, tc.n, tc.least, tc.cheats, anonymous)]++
			}
			sum, got := 0, [1 + Reruns]float64{}
			for k := range got {
				sum += ended[k+1]
				got[k] = float64(sum) / runs
			}
			t.Logf("after one match, two …: %.3f", got)
			for k, p := range tc.want {
				if sure := p == 0 || p == 1; sure && got[k] != p || math.Abs(got[k]-p) > 5*math.Sqrt(p*(1-p)/runs) {
					t.Errorf("after %d matches %.3f of them, want %.3f", k+1, got[k], p)
				}
			}
		})
	}
}

// TestCheatThatAccuses: one cheat that accuses another provider each time is sitting out
// in the third match at the latest, being in both pairs, and so is one that mixes its ways,
// in the fourth at the latest; unless too few would be left.
func TestCheatThatAccuses(t *testing.T) {
	const runs = 500
	for _, tc := range []struct {
		n, least int
		ways     []func([]match.Candidate, int) []identity.PeerID
		within   int
	}{
		{4, 3, []func([]match.Candidate, int) []identity.PeerID{accusing}, 3},
		{8, 3, []func([]match.Candidate, int) []identity.PeerID{accusing}, 3},
		{8, 3, []func([]match.Candidate, int) []identity.PeerID{accusing, anonymous}, 4},
		{8, 3, []func([]match.Candidate, int) []identity.PeerID{anonymous, accusing}, 4},
	} {
		ended := map[int]int{}
		for seed := range runs {
			ended[tries(t, [32]byte{byte(seed), byte(seed >> 8)}, tc.n, tc.least, 1, tc.ways...)]++
		}
		t.Logf("%d providers: %v", tc.n, ended)
		if ended[0] > 0 || tc.within < 4 && ended[4] > 0 {
			t.Errorf("%d providers, %d ways: of %d requests %d fail, %d take four matches", tc.n, len(tc.ways), runs, ended[0], ended[4])
		}
	}
}

// TestPairsAreParted: one of two that stand against each other sits out, and neither if
// the other is gone.
func TestPairsAreParted(t *testing.T) {
	random, all := mathrand.NewChaCha8([32]byte{4}), crowd(5)
	s := suspicion{spoilt: [][]identity.PeerID{ids(all[:2])}}
	for range 20 {
		list, err := s.draw(all, 2, random)
		if err != nil || len(list) != 4 || list[1].Record.ID == all[1].Record.ID {
			t.Fatalf("of a pair and three others %v are drawn: %v", ids(list), err)
		}
	}
	if list, err := s.draw(all[1:], 2, random); err != nil || len(list) != 4 {
		t.Errorf("%v are drawn, one of the pair being gone: %v", ids(list), err)
	}
}

// TestLotIsFair: before anything is known of anybody each is drawn as often as any
// other, and nobody can foresee who: it is the randomness that decides.
func TestLotIsFair(t *testing.T) {
	const n, runs = 6, 3000
	s := suspicion{spoilt: [][]identity.PeerID{ids(crowd(n))}}
	random, drawn := mathrand.NewChaCha8([32]byte{1}), map[identity.PeerID]int{}
	for range runs {
		list, err := s.draw(crowd(n), 2, random)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range ids(list) {
			drawn[id]++
		}
	}
	for id, k := range drawn {
		if math.Abs(float64(k)-runs/2) > 5*math.Sqrt(runs)/2 {
			t.Errorf("%d is drawn %d times of %d", id[0], k, runs)
		}
	}
	if len(drawn) != n {
		t.Errorf("%d of %d are ever drawn", len(drawn), n)
	}
}

// TestDoubtsOfEarlierRequests: who is doubted is drawn less often, whatever it is
// doubted for, and who is not suspected now goes before who is.
func TestDoubtsOfEarlierRequests(t *testing.T) {
	const runs = 3000
	all := crowd(2)
	first := func(s suspicion) (times int) {
		t.Helper()
		random := mathrand.NewChaCha8([32]byte{2})
		for range runs {
			list, err := s.draw(all, 1, random)
			if err != nil || len(list) != 1 {
				t.Fatalf("%d drawn: %v", len(list), err)
			}
			if list[0].Record.ID == all[0].Record.ID {
				times++
			}
		}
		return times
	}
	doubts := map[identity.PeerID]float64{all[0].Record.ID: 1}
	s := suspicion{spoilt: [][]identity.PeerID{ids(all)}, doubts: doubts}
	if got, want := first(s), runs/5.0; math.Abs(float64(got)-want) > 5*math.Sqrt(want*4/5) {
		t.Errorf("who is doubted at 1 goes first %d times of %d, want %.0f", got, runs, want)
	}
	s.spoilt = append(s.spoilt, ids(all)[1:])
	if got := first(s); got != runs {
		t.Errorf("who is suspected goes first %d times of %d", runs-got, runs)
	}
}

// TestPartsGrowWhileNothingFits: those who have finished a match in which nothing
// fitted are kept, and others join them until there is nobody left.
func TestPartsGrowWhileNothingFits(t *testing.T) {
	random, all := mathrand.NewChaCha8([32]byte{3}), crowd(8)
	s := suspicion{spoilt: [][]identity.PeerID{ids(all)}}
	for _, want := range []int{4, 6, 7, 8} {
		list, err := s.draw(all, 3, random)
		if err != nil || len(list) != want {
			t.Fatalf("%d are drawn, want %d: %v", len(list), want, err)
		}
		for id := range s.passed {
			if !slices.Contains(ids(list), id) {
				t.Errorf("%d has passed, and is not drawn", id[0])
			}
		}
		s.pass(ids(list))
	}
	if share := s.share(all[0].Record.ID); share != 0 {
		t.Errorf("who has passed is suspected: %v", share)
	}
}

// TestFarthest: a part is drawn among those who are near enough for the time left.
func TestFarthest(t *testing.T) {
	c := &Client{Pace: &Pace{state: paceState{Factor: 2}}}
	for _, s := range []Shape{{Parties: 4, ANDs: 300}, {Parties: 9, ANDs: 2500, Strange: 3, RTT: time.Hour}} {
		for _, left := range []time.Duration{300 * time.Millisecond, time.Second, time.Minute} {
			most := c.farthest(s, left)
			s.RTT = most - time.Microsecond
			within := c.fits(s, left)
			if s.RTT = most + time.Microsecond; most > 0 && !within || c.fits(s, left) {
				t.Errorf("%+v in %v: round trips up to %v", s, left, most)
			}
		}
	}
	if r := c.farthest(Shape{Parties: 64, ANDs: 1 << 16}, time.Second); r >= 0 {
		t.Errorf("a match that takes too long by itself waits for %v", r)
	}
}

// TestDoubt: doubts are kept, fade, cost nothing, and do not push deeds out of the file.
func TestDoubt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "reputation.json")
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	cheat, innocent := identity.PeerID{1}, identity.PeerID{2}
	r := OpenReputation(path)
	if err := r.Count(Kept, now, innocent); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := r.Doubt(now, map[identity.PeerID]float64{cheat: 0.25, innocent: 0.125}); err != nil {
			t.Fatal(err)
		}
	}
	c := &Client{Reputation: OpenReputation(path), Now: func() time.Time { return now }, Rand: rand.Reader}
	if d := c.doubts(); d[cheat] != 0.5 || d[innocent] != 0.25 {
		t.Errorf("doubts %v", d)
	}
	now = now.Add(48 * time.Hour)
	if d := c.doubts(); d[cheat] != 0.125 || d[innocent] != 0.0625 {
		t.Errorf("two days later: %v", d)
	}
	now = now.Add(-72 * time.Hour)
	if d := c.doubts(); d[cheat] != 0.5 {
		t.Errorf("with a clock that was set back: %v", d)
	}
	known, err := r.Of()
	if err != nil || known[cheat].Handicap(1000) != 0 || known[innocent].Kept != 1 {
		t.Errorf("%+v: %v", known, err)
	}
	many := map[identity.PeerID]float64{}
	for k := range maxKnown {
		many[identity.PeerID{9, byte(k), byte(k >> 8)}] = 100
	}
	if err = r.Doubt(now, many); err != nil {
		t.Fatal(err)
	}
	known, err = r.Of()
	if err != nil || len(known) != maxKnown || known[innocent].Kept != 1 || known[identity.PeerID{9, 5}].Doubt > maxDoubt {
		t.Errorf("%d are known: %v", len(known), err)
	}
}
