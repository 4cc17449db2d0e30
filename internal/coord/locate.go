package coord

import (
	"math"
	"slices"
	"time"
)

// Landmark is a node that says where on Earth it is, to within a radius, and the
// round-trip time to it.
type Landmark struct {
	Lat, Lon float64 // degrees
	Radius   float64 // km
	RTT      time.Duration
}

// Signals in fibre take 5 µs a kilometre, so a round trip of 1 ms is at most
// 100 km.
const kmPerMillisecond = 100

// Locate says where a node is that has timed round trips to landmarks: at the
// landmark whose round trip bounds the distance most tightly, within the radius
// that follows from the speed of light in fibre. At least three landmarks must
// agree with that place, so that no two liars can move a node: a liar can delay
// its answers but cannot speed them up, so its own round trip may make it seem
// near only if it is.
//
// It is coarse by design: 1 ms, as across a city, leaves 100 km. ok is false if
// there are not three that agree.
func Locate(landmarks []Landmark) (lat, lon, radius float64, ok bool) {
	bound := func(l Landmark) float64 { return l.Radius + kmPerMillisecond*float64(l.RTT)/float64(time.Millisecond) }
	sorted := slices.SortedFunc(slices.Values(landmarks), func(a, b Landmark) int {
		switch d := bound(a) - bound(b); {
		case d < 0:
			return -1
		case d > 0:
			return 1
		}
		return 0
	})
	for _, best := range sorted {
		agree := 0
		for _, l := range sorted {
			if apart(best, l) <= bound(best)+bound(l) {
				agree++
			}
		}
		if agree >= 3 && 2*agree > len(sorted) {
			return best.Lat, best.Lon, bound(best), true
		}
	}
	return 0, 0, 0, false
}

// earthRadius is the mean one, in km.
const earthRadius = 6371.0

// apart is the distance of two landmarks in km.
func apart(a, b Landmark) float64 { return Kilometres(a.Lat, a.Lon, b.Lat, b.Lon) }

// Kilometres is the great-circle distance of two places in degrees (haversine).
func Kilometres(lat1, lon1, lat2, lon2 float64) float64 {
	rad := func(deg float64) float64 { return deg * math.Pi / 180 }
	h := math.Pow(math.Sin(rad(lat2-lat1)/2), 2) + math.Cos(rad(lat1))*math.Cos(rad(lat2))*math.Pow(math.Sin(rad(lon2-lon1)/2), 2)
	return 2 * earthRadius * math.Asin(math.Sqrt(min(1, h)))
}
