package dht

import (
	"encoding/binary"
	"math/bits"
)

// density is how far apart nodes lie: the distance, by its first 64 bits, within
// which one node is expected if ids are spread evenly. Zero: not known.
type density uint64

// tally counts nodes by how far from a target they are, in shells each of which
// is as thick as all within it. In the innermost a quarter of a node is expected.
type tally struct {
	density
	shells [65]int
}

// crowded reports whether there are too many nodes in a shell for one more:
// twice as many as are expected there, and two more. Chance has it once in some
// hundred shells; whoever chooses ids in order to stand around a key has it
// there. One that is not too many is counted.
func (t *tally) crowded(distance Key) bool {
	quarter := uint64(t.density) / 4
	if quarter == 0 {
		return false
	}
	shell := bits.Len64(binary.BigEndian.Uint64(distance[:8]) / quarter)
	if uint64(t.shells[shell]) >= 2+1<<min(shell, 62)/4 {
		return true
	}
	t.shells[shell]++
	return false
}

// spread puts nodes, which are sorted by their distance to the target, into the
// order in which they are told, asked or announced to: those who are too many
// for where they are behind all others, since the even ones are farther away.
func spread[T any](nodes []T, target Key, id func(T) Key, u density) []T {
	even, rest, seen := make([]T, 0, len(nodes)), []T(nil), tally{density: u}
	for _, n := range nodes {
		if seen.crowded(target.distance(id(n))) {
			rest = append(rest, n)
		} else {
			even = append(even, n)
		}
	}
	return append(even, rest...)
}
