package coord

import (
	"math"
	"time"

	"github.com/mmcloughlin/geohash"
)

// Mark is a node that says in which geohash cell it is, and the round-trip time
// to it.
type Mark struct {
	Cell string
	RTT  time.Duration
}

// Cell is [Locate] in geohash cells: the one in which a node is that has timed
// round trips to others, of at most so many characters, and of no more than the
// round trips tell: the cell is no smaller than the uncertainty. "", the whole
// world, says that nothing can be told.
func Cell(marks []Mark, precision int) string {
	var landmarks []Landmark
	for _, m := range marks {
		if m.Cell == "" || m.RTT <= 0 || geohash.Validate(m.Cell) != nil {
			continue
		}
		box := geohash.BoundingBox(m.Cell)
		lat, lon := box.Center()
		corner := apart(Landmark{Lat: lat, Lon: lon}, Landmark{Lat: box.MaxLat, Lon: box.MaxLng})
		landmarks = append(landmarks, Landmark{Lat: lat, Lon: lon, Radius: corner, RTT: m.RTT})
	}
	lat, lon, radius, ok := Locate(landmarks)
	if !ok {
		return ""
	}
	for p := precision; p > 0; p-- {
		cell := geohash.EncodeWithPrecision(lat, lon, uint(p))
		box := geohash.BoundingBox(cell)
		high := apart(Landmark{Lat: box.MinLat}, Landmark{Lat: box.MaxLat})
		wide := math.Cos(lat*math.Pi/180) * apart(Landmark{Lon: box.MinLng}, Landmark{Lon: box.MaxLng})
		if min(high, wide) >= radius {
			return cell
		}
	}
	return ""
}
