package coord

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/hashicorp/serf/coordinate"
)

// dimensions of the Euclidean part. Five already fit the Internet well; eight
// are what the library's tuning was made for.
const dimensions = 8

// Size of an encoded coordinate in bytes: version, vector, height and
// adjustment in microseconds, error in 1/1000. Big-endian:
//
//	1 ‖ 8 × int32 ‖ uint32 height ‖ int32 adjustment ‖ uint16 error
const Size = 1 + 4*dimensions + 4 + 4 + 2

const version = 1

// farthest bounds each component: no two hosts on Earth are 5 s apart.
const farthest = 5 * time.Second

// ErrCoordinate is wrapped by the errors of Parse.
var ErrCoordinate = errors.New("not a network coordinate")

// Coordinate is where a node is. The zero Coordinate is the origin, with no
// confidence at all. Values; nothing changes one.
type Coordinate struct {
	vec                [dimensions]int32 // microseconds
	height, adjustment int32             // microseconds; height is not negative
	permille           uint16            // error: 1000 is "may be wrong by as much as it is"
}

// Distance estimates the round-trip time between two nodes: never negative.
func (c Coordinate) Distance(o Coordinate) time.Duration {
	return max(0, c.inSeconds().DistanceTo(o.inSeconds()))
}

// Settled says whether the coordinate has seen enough samples to be of use.
func (c Coordinate) Settled() bool { return c.permille > 0 && c.permille < 500 }

// Error is how far off its distances tend to be, as a share of them.
func (c Coordinate) Error() float64 { return float64(c.permille) / 1000 }

// String shows the coordinate in milliseconds, for people.
func (c Coordinate) String() string {
	text := "("
	for i, v := range c.vec {
		if i > 0 {
			text += " "
		}
		text += fmt.Sprintf("%.1f", float64(v)/1e3)
	}
	return fmt.Sprintf("%s) +%.1f ms, ±%.0f %%", text, float64(c.height+c.adjustment)/1e3, 100*c.Error())
}

// Append writes the Size bytes of the coordinate.
func (c Coordinate) Append(dst []byte) []byte {
	dst = append(dst, version)
	for _, v := range c.vec {
		dst = binary.BigEndian.AppendUint32(dst, uint32(v))
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(c.height))
	dst = binary.BigEndian.AppendUint32(dst, uint32(c.adjustment))
	return binary.BigEndian.AppendUint16(dst, c.permille)
}

// Parse reads what Append wrote. The error wraps ErrCoordinate: another size or
// version, a component beyond 5 s, a negative height, an error above 1.5.
func Parse(raw []byte) (Coordinate, error) {
	if len(raw) != Size || raw[0] != version {
		return Coordinate{}, fmt.Errorf("%w: %d bytes", ErrCoordinate, len(raw))
	}
	var c Coordinate
	at := raw[1:]
	next := func() int32 {
		v := int32(binary.BigEndian.Uint32(at))
		at = at[4:]
		return v
	}
	for i := range c.vec {
		c.vec[i] = next()
	}
	c.height, c.adjustment = next(), next()
	c.permille = binary.BigEndian.Uint16(at)
	if err := c.plausible(); err != nil {
		return Coordinate{}, err
	}
	return c, nil
}

func (c Coordinate) plausible() error {
	most := int32(farthest / time.Microsecond)
	for _, v := range append(c.vec[:], c.height, c.adjustment) {
		if v < -most || v > most {
			return fmt.Errorf("%w: farther than %v", ErrCoordinate, farthest)
		}
	}
	switch {
	case c.height < 0:
		return fmt.Errorf("%w: negative height", ErrCoordinate)
	case c.permille > 1500:
		return fmt.Errorf("%w: error of %d per mille", ErrCoordinate, c.permille)
	}
	return nil
}

// inSeconds is the coordinate in seconds, as the library counts.
func (c Coordinate) inSeconds() *coordinate.Coordinate {
	l := &coordinate.Coordinate{
		Vec: make([]float64, dimensions), Error: c.Error(), Adjustment: float64(c.adjustment) / 1e6, Height: float64(c.height) / 1e6,
	}
	for i, v := range c.vec {
		l.Vec[i] = float64(v) / 1e6
	}
	return l
}

// rounded is the inverse of inSeconds; false: out of bounds.
func rounded(l *coordinate.Coordinate) (Coordinate, bool) {
	micros := func(s float64) int32 {
		return int32(min(max(math.Round(s*1e6), math.MinInt32), math.MaxInt32))
	}
	c := Coordinate{height: micros(l.Height), adjustment: micros(l.Adjustment), permille: uint16(min(max(math.Round(l.Error*1000), 1), 1500))}
	for i := range c.vec {
		c.vec[i] = micros(l.Vec[i])
	}
	return c, l.IsValid() && c.plausible() == nil
}
