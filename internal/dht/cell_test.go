package dht

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/mmcloughlin/geohash"
)

func TestCellOfVectors(t *testing.T) {
	for _, c := range []struct {
		lat, lon  float64
		precision int
		want      string
	}{
		{57.64911, 10.40744, 11, "u4pruydqqvj"}, // the example of Wikipedia's article "Geohash"
		{48.858, 2.294, 4, "u09t"},
		{48.858, 2.294, 0, ""},
		{42.6, -5.6, 5, "ezs42"}, // Wikipedia, worked by hand there
		{90, 0, 4, "upbp"},
		{-90, 0, 4, "h000"},
		{90, 180, 4, "bpbp"},
		{0, 180, 1, "8"},
		{0, -180, 1, "8"},
		{0, math.Nextafter(180, 0), 1, "x"},
		{math.Nextafter(90, 0), 179.9999999999999, 12, "zzzzzzzzzzzz"},
	} {
		got, err := CellOf(c.lat, c.lon, c.precision)
		if err != nil || got != c.want {
			t.Errorf("CellOf(%v, %v, %d) = %q, %v, want %q", c.lat, c.lon, c.precision, got, err, c.want)
		}
	}
}

func TestCellOfRefusesWhatIsNotOnTheGlobe(t *testing.T) {
	for _, c := range []struct {
		lat, lon  float64
		precision int
	}{
		{90.0001, 0, 4}, {-91, 0, 4}, {0, 180.5, 4}, {0, -181, 4},
		{math.NaN(), 0, 4}, {0, math.NaN(), 4}, {math.Inf(1), 0, 4}, {0, math.Inf(-1), 4},
		{0, 0, -1}, {0, 0, 13},
	} {
		if got, err := CellOf(c.lat, c.lon, c.precision); !errors.Is(err, ErrLocation) {
			t.Errorf("CellOf(%v, %v, %d) = %q, %v", c.lat, c.lon, c.precision, got, err)
		}
	}
}

func TestValidCell(t *testing.T) {
	for cell, want := range map[string]bool{
		"": true, "u": true, "u09t": true, "zzzzzzzzzzzz": true,
		"U09T": false, "u09a": false, "zzzzzzzzzzzzz": false, "u 9": false, "ü": false,
	} {
		if got := ValidCell(cell); got != want {
			t.Errorf("ValidCell(%q) = %v", cell, got)
		}
	}
}

func TestNeighboursVectors(t *testing.T) {
	for cell, want := range map[string][]string{ // N, NE, E, SE, S, SW, W, NW
		"u09t": {"u09w", "u09y", "u09v", "u09u", "u09s", "u09k", "u09m", "u09q"},
		// On the antimeridian: east of z… is b….
		"xb": {"xc", "81", "80", "2p", "rz", "rx", "x8", "x9"},
		// The north-eastern corner of the map: beyond the pole lies longitude 0.
		"z": {"g", "u", "b", "8", "x", "w", "y", "f"},
		// The southern row: k lies north of h, 0 beyond the pole.
		"h": {"k", "m", "j", "1", "0", "p", "5", "7"},
		"":  nil, "A": nil,
	} {
		if got := Neighbours(cell); !slices.Equal(got, want) {
			t.Errorf("Neighbours(%q) = %q, want %q", cell, got, want)
		}
	}
}

// Everywhere but in the outermost rows and columns the library computes
// neighbours right; there, geometry says what must hold.
func TestNeighboursEverywhere(t *testing.T) {
	const digits = "0123456789bcdefghjkmnpqrstuvwxyz"
	var cells []string
	for _, a := range digits {
		cells = append(cells, string(a))
		for _, b := range digits {
			cells = append(cells, string(a)+string(b), string(a)+string(b)+"0", string(a)+string(b)+"z")
		}
	}
	inner := 0
	for _, cell := range cells {
		got := Neighbours(cell)
		row, col, rowBits, colBits := gridOf(cell)
		if cellAt(row, col, len(cell)) != cell {
			t.Fatalf("%q is taken apart and not put together again", cell)
		}
		all := append(slices.Clone(got), cell)
		slices.Sort(all)
		if len(got) != 8 || len(slices.Compact(all)) != 9 {
			t.Fatalf("Neighbours(%q) = %q: not eight others", cell, got)
		}
		for _, other := range got {
			if !slices.Contains(Neighbours(other), cell) {
				t.Errorf("%q is a neighbour of %q, but not the other way round", other, cell)
			}
		}
		if row > 0 && row < 1<<rowBits-1 && col > 0 && col < 1<<colBits-1 {
			inner++
			if want := geohash.Neighbors(cell); !slices.Equal(got, want) {
				t.Errorf("Neighbours(%q) = %q, the library says %q", cell, got, want)
			}
		}
	}
	if inner == 0 {
		t.Fatal("nothing compared")
	}
}

func FuzzCell(f *testing.F) {
	f.Add(48.858, 2.294, 4)
	f.Add(90.0, 180.0, 12)
	f.Add(-90.0, -180.0, 1)
	f.Add(0.0, 0.0, 0)
	f.Fuzz(func(t *testing.T, lat, lon float64, precision int) {
		cell, err := CellOf(lat, lon, precision)
		if err != nil {
			return
		}
		if len(cell) != precision || !ValidCell(cell) {
			t.Fatalf("CellOf(%v, %v, %d) = %q", lat, lon, precision, cell)
		}
		if precision == 0 {
			return
		}
		if lon == 180 {
			lon = -180
		}
		if box := geohash.BoundingBox(cell); !box.Contains(lat, lon) {
			t.Fatalf("%v, %v is not in %q: %+v", lat, lon, cell, box)
		}
	})
}
