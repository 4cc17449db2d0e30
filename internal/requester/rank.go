package requester

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/mmcloughlin/geohash"

	"github.com/angler-dex/angler/internal/coord"
	"github.com/angler-dex/angler/internal/match"
)

// Near is a place that capacity should be near: that of the users whom it is to
// serve, say, rather than the requester's own.
type Near struct{ Lat, Lon float64 } // degrees

// admit says whether a candidate is within what the request allows.
func (b Bounds) admit(m match.Candidate) misfit {
	switch {
	case !strings.HasPrefix(m.Record.Cell, b.Region):
		return outside
	case b.MaxRTT > 0 && m.Link.RTT() > b.MaxRTT:
		return far
	}
	return suits
}

// rank sorts candidates: those near the wanted place first, or, without one,
// those with the shortest round trip.
func (b Bounds) rank(met []match.Candidate) {
	slices.SortStableFunc(met, func(x, y match.Candidate) int {
		return cmp.Or(b.Near.compare(x.Record.Cell, y.Record.Cell), cmp.Compare(roughly(x.Link.RTT()), roughly(y.Link.RTT())), cmp.Compare(x.Link.RTT(), y.Link.RTT()))
	})
}

// roughly leaves out what is noise among neighbours.
func roughly(rtt time.Duration) time.Duration { return rtt.Round(100 * time.Microsecond) }

// compare orders cells by their distance from a place; without one they are alike.
func (n *Near) compare(x, y string) int {
	if n == nil {
		return 0
	}
	return cmp.Compare(n.distance(x), n.distance(y))
}

// distance is that from a place to the middle of a cell, in km along the great
// circle; a provider that does not say where it is is as far as can be.
func (n Near) distance(cell string) float64 {
	const halfway = 20038.0 // round the globe
	if cell == "" || geohash.Validate(cell) != nil {
		return halfway
	}
	lat, lon := geohash.DecodeCenter(cell)
	return coord.Kilometres(n.Lat, n.Lon, lat, lon)
}
