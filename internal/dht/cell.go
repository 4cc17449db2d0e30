package dht

import (
	"errors"
	"fmt"
	"math"

	"github.com/mmcloughlin/geohash"
)

// MaxPrecision is the longest cell, in geohash characters (about 4 × 2 cm).
const MaxPrecision = 12

// ErrLocation is wrapped by the errors of CellOf.
var ErrLocation = errors.New("no such location")

// CellOf is the geohash cell of a latitude and longitude in degrees, with
// precision characters; precision 0 is the whole world, "". The poles belong
// to the outermost rows; longitude 180 is longitude −180.
func CellOf(lat, lon float64, precision int) (string, error) {
	if !(lat >= -90 && lat <= 90) { // not (lat < -90 || …): NaN must fail
		return "", fmt.Errorf("%w: latitude %v is not in -90 … 90", ErrLocation, lat)
	}
	if !(lon >= -180 && lon <= 180) {
		return "", fmt.Errorf("%w: longitude %v is not in -180 … 180", ErrLocation, lon)
	}
	if precision < 0 || precision > MaxPrecision {
		return "", fmt.Errorf("%w: precision %d is not in 0 … %d", ErrLocation, precision, MaxPrecision)
	}
	// The encoder scales to 32 bits and wraps: it puts latitude 90 at the
	// south pole. Stay half a step below the edges.
	lat = min(lat, 90-180/math.Exp2(33))
	if lon == 180 {
		lon = -180
	}
	lon = min(lon, 180-360/math.Exp2(33))
	return geohash.EncodeWithPrecision(lat, lon, uint(precision)), nil
}

// ValidCell reports whether the string is a geohash cell in canonical (lower)
// case; "", the whole world, is one.
func ValidCell(cell string) bool {
	return len(cell) <= MaxPrecision && geohash.Validate(cell) == nil
}

// Neighbours are the eight cells around a cell, of the same precision, in the
// order N, NE, E, SE, S, SW, W, NW. Rows wrap around the antimeridian. Beyond a
// pole lie the cells of the same row half a turn away: of the many cells that
// meet at the pole, those straight across. The whole world has no neighbours,
// nor has something that is not a cell: nil.
//
// geohash.Neighbors is not used: it goes through floating-point coordinates
// and lands at the opposite pole from the outermost rows.
func Neighbours(cell string) []string {
	if cell == "" || !ValidCell(cell) {
		return nil
	}
	row, col, rowBits, colBits := gridOf(cell)
	rows, cols := int64(1)<<rowBits, int64(1)<<colBits
	steps := [8][2]int64{{1, 0}, {1, 1}, {0, 1}, {-1, 1}, {-1, 0}, {-1, -1}, {0, -1}, {1, -1}}
	out := make([]string, 0, len(steps))
	for _, s := range steps {
		r, c := row+s[0], col+s[1]
		if r < 0 || r >= rows {
			r, c = row, c+cols/2
		}
		out = append(out, cellAt(r, (c+cols)%cols, len(cell)))
	}
	return out
}

// gridOf takes a cell apart into its row (from the south) and column (from
// longitude −180). A geohash's bits alternate, starting with longitude.
func gridOf(cell string) (row, col int64, rowBits, colBits uint) {
	hash, bits := geohash.ConvertStringToInt(cell)
	for i := range bits {
		bit := int64(hash >> (bits - 1 - i) & 1)
		if i%2 == 0 {
			col = col<<1 | bit
		} else {
			row = row<<1 | bit
		}
	}
	return row, col, bits / 2, bits - bits/2
}

// cellAt is the inverse of gridOf.
func cellAt(row, col int64, precision int) string {
	bits := uint(5 * precision)
	rowBits, colBits := bits/2, bits-bits/2
	var hash uint64
	for i := range bits {
		hash <<= 1
		if i%2 == 0 {
			colBits--
			hash |= uint64(col>>colBits) & 1
		} else {
			rowBits--
			hash |= uint64(row>>rowBits) & 1
		}
	}
	return geohash.ConvertIntToString(hash, uint(precision))
}
