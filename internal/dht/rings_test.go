package dht

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// Whoever announces in a cell is found by whoever looks from the same cell or
// from a neighbouring one in the first ring, and by everybody in the last.
func TestRingsMeetWhatIsAnnounced(t *testing.T) {
	rng := rand.New(seeded(1))
	for range 300 {
		lat, lon := rng.Float64()*180-90, rng.Float64()*360-180
		cell, err := CellOf(lat, lon, DefaultPrecision)
		if err != nil {
			t.Fatal(err)
		}
		announced := Announced("lab", cell, []string{"x"})
		if len(announced) != DefaultPrecision+1 {
			t.Fatalf("%d keys for %s", len(announced), cell)
		}
		for _, from := range append(Neighbours(cell), cell) {
			rings := Rings("lab", from, "x")
			if len(rings) != DefaultPrecision+1 || len(rings[0]) != 9 || len(rings[DefaultPrecision]) != 1 {
				t.Fatalf("rings of %s: %d", from, len(rings))
			}
			for i, ring := range rings {
				if !slices.ContainsFunc(ring, func(k Key) bool { return slices.Contains(announced, k) }) {
					t.Errorf("%s is not in ring %d of %s", cell, i, from)
				}
			}
		}
	}
	if rings := Rings("lab", "", "x"); len(rings) != 1 || len(rings[0]) != 1 || rings[0][0] != ClassKey("lab", "", "x") {
		t.Errorf("no cell: %v", rings)
	}
}

// A place a step away, in any direction, is in the first ring: at the
// antimeridian, and across a pole.
func TestRingsReachAcrossTheEdges(t *testing.T) {
	for _, c := range []struct{ lat, lon, toLat, toLon float64 }{
		{10, 179.99, 10, -179.99},
		{10, -179.99, 10, 179.99},
		{-45, 180, -45, 179.9},
		{89.99, 10, 89.99, -170},
		{-89.99, 60, -89.99, -120},
		{0.01, 0.01, -0.01, -0.01},
	} {
		here, err := CellOf(c.lat, c.lon, DefaultPrecision)
		if err != nil {
			t.Fatal(err)
		}
		there, err := CellOf(c.toLat, c.toLon, DefaultPrecision)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(Rings("lab", here, "x")[0], ClassKey("lab", there, "x")) {
			t.Errorf("%+v: %s does not see %s", c, here, there)
		}
	}
}

func TestAnnouncedKeysAreDistinct(t *testing.T) {
	keys := Announced("lab", "u09t", []string{"x", "y", "z"})
	seen := make(map[Key]bool)
	for _, k := range keys {
		seen[k] = true
	}
	if len(keys) != 15 || len(seen) != 15 {
		t.Errorf("%d keys, %d of them distinct", len(keys), len(seen))
	}
	if got := Announced("lab", "", []string{"x"}); !slices.Equal(got, []Key{ClassKey("lab", "", "x")}) {
		t.Errorf("without a cell: %v", got)
	}
}
