package coord

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// plane is nodes on a plane, 1 ms of round trip a unit, with access links of
// their own.
type plane struct {
	x, y, link []float64
	spaces     []*Space
}

func newPlane(rng *rand.Rand, n int) *plane {
	p := &plane{}
	for range n {
		p.x, p.y = append(p.x, 100*rng.Float64()), append(p.y, 100*rng.Float64())
		p.link = append(p.link, 1+4*rng.Float64())
		p.spaces = append(p.spaces, New())
	}
	return p
}

func (p *plane) rtt(i, j int) time.Duration {
	return time.Duration((math.Hypot(p.x[i]-p.x[j], p.y[i]-p.y[j]) + p.link[i] + p.link[j]) * float64(time.Millisecond))
}

// settle lets everybody measure others at random; liars claim what they like.
func (p *plane) settle(t *testing.T, rng *rand.Rand, rounds int, claim func(node int) (Coordinate, bool)) {
	t.Helper()
	for range rounds {
		for i, s := range p.spaces {
			j := rng.IntN(len(p.spaces))
			if i == j {
				continue
			}
			at, lies := claim(j)
			if !lies {
				at = p.spaces[j].Here()
			}
			if err := s.Observe(fmt.Sprint(j), at, p.rtt(i, j)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// wrong is the median relative error of the estimates among the first n.
func (p *plane) wrong(n int) float64 {
	var all []float64
	for i := range n {
		for j := range i {
			est, real := p.spaces[i].Estimate(p.spaces[j].Here()), p.rtt(i, j)
			all = append(all, math.Abs(float64(est-real))/float64(real))
		}
	}
	slices.Sort(all)
	return all[len(all)/2]
}

func honest(int) (Coordinate, bool) { return Coordinate{}, false }

func TestEstimatesComeNearTheTruth(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2004))
	p := newPlane(rng, 60)
	before := p.wrong(60)
	p.settle(t, rng, 400, honest)
	if after := p.wrong(60); after > 0.1 || before < 0.5 {
		t.Errorf("median error %.2f before, %.2f after", before, after)
	}
	for i, s := range p.spaces {
		if !s.Here().Settled() {
			t.Errorf("node %d: %v", i, s.Here())
		}
	}
}

// A tenth of liars who claim one far coordinate at random disturb, and no more.
func TestLiarsDisturbALittle(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2004))
	p := newPlane(rng, 60)
	far := Coordinate{permille: 1}
	far.vec[0] = 4_000_000
	p.settle(t, rng, 400, func(node int) (Coordinate, bool) { return far, node >= 54 })
	if after := p.wrong(54); after > 0.5 {
		t.Errorf("median error among the honest %.2f", after)
	}
}

func TestSavedAndLoaded(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	p := newPlane(rng, 5)
	p.settle(t, rng, 50, honest)
	path := filepath.Join(t.TempDir(), "coordinate")
	s := p.spaces[0]
	if err := s.Save(path); err != nil {
		t.Fatal(err)
	}
	again, err := Load(path)
	if err != nil || again.Here() != s.Here() {
		t.Errorf("%v: %v became %v", err, s.Here(), again.Here())
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if fresh, err := Load(filepath.Join(t.TempDir(), "none")); err != nil || fresh.Here().Settled() {
		t.Errorf("%v, %v", fresh.Here(), err)
	}
	if err := os.WriteFile(path, []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	if fresh, err := Load(path); !errors.Is(err, ErrCoordinate) || fresh == nil {
		t.Errorf("a damaged file: %v", err)
	}
}

func TestObserveRefusesWhatCannotBe(t *testing.T) {
	s := New()
	for _, rtt := range []time.Duration{-1, 0, 6 * time.Second} {
		if err := s.Observe("peer", Coordinate{}, rtt); !errors.Is(err, ErrCoordinate) {
			t.Errorf("%v: %v", rtt, err)
		}
	}
	for k := range 3 * maxPeers { // many peers cost no more than some
		if err := s.Observe(fmt.Sprint(k), Coordinate{}, time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.peers) != maxPeers || len(s.known) != maxPeers {
		t.Errorf("%d peers, %d known", len(s.peers), len(s.known))
	}
}

func TestLocate(t *testing.T) {
	ms := func(v float64) time.Duration { return time.Duration(v * float64(time.Millisecond)) }
	berlin, hamburg := Landmark{52.52, 13.40, 10, ms(0.4)}, Landmark{53.55, 9.99, 10, ms(5)}
	munich, tokyo := Landmark{48.14, 11.58, 10, ms(9)}, Landmark{35.68, 139.69, 10, ms(240)}
	lat, lon, radius, ok := Locate([]Landmark{tokyo, munich, hamburg, berlin})
	if !ok || lat != berlin.Lat || lon != berlin.Lon || radius != 50 {
		t.Errorf("%v %v %v %v", lat, lon, radius, ok)
	}
	// Who claims to be in Tokyo and answers in 0.1 ms is not believed.
	liar := Landmark{35.68, 139.69, 10, ms(0.1)}
	if lat, _, _, ok := Locate([]Landmark{liar, munich, hamburg, berlin}); !ok || lat != berlin.Lat {
		t.Errorf("%v %v", lat, ok)
	}
	if _, _, _, ok := Locate([]Landmark{berlin, hamburg}); ok {
		t.Error("two landmarks were enough")
	}
	if d := apart(berlin, tokyo); d < 8900 || d > 8940 {
		t.Errorf("Berlin and Tokyo are %.0f km apart", d)
	}
}

func TestCell(t *testing.T) {
	near := []Mark{{"u33d", 200 * time.Microsecond}, {"u33d", 300 * time.Microsecond}, {"u33e", 400 * time.Microsecond}}
	if cell := Cell(near, 4); cell != "u33" { // 20 km of fibre and a cell of 39 km are more than a cell of 39 km
		t.Errorf("near: %q", cell)
	}
	far := []Mark{{"u33d", 9 * time.Millisecond}, {"u281", 12 * time.Millisecond}, {"u0yj", 14 * time.Millisecond}}
	if cell := Cell(far, 4); cell != "u" {
		t.Errorf("far: %q", cell)
	}
	for _, marks := range [][]Mark{nil, near[:2], {{"", 1}, {"ai", 1}, {"u33d", 0}, {"u33d", 1}}} {
		if cell := Cell(marks, 4); cell != "" {
			t.Errorf("%v: %q", marks, cell)
		}
	}
	if cell := Cell(near, 0); cell != "" {
		t.Errorf("at precision 0: %q", cell)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(New().Here().Append(nil))
	f.Add(bytes.Repeat([]byte{1}, Size))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := Parse(raw)
		if err != nil {
			if !errors.Is(err, ErrCoordinate) {
				t.Fatal(err)
			}
			return
		}
		if again := c.Append(nil); !bytes.Equal(again, raw) {
			t.Fatalf("%x became %x", raw, again)
		}
		if d := c.Distance(Coordinate{}); d < 0 {
			t.Fatalf("distance %v", d)
		}
	})
}
