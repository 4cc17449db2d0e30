package dht

import "slices"

// DefaultPrecision is that of the finest cell under which a provider announces
// itself unless its operator says otherwise: about 39 × 20 km. A finer cell
// publishes where one is.
const DefaultPrecision = 4

// Announced are the keys under which a provider in a cell announces classes:
// for each class the cell and all that contain it, up to the whole world. With
// a cell of precision p these are p+1 keys a class; each key costs one walk and
// 8 announcements every Config.Reannounce.
func Announced(pool, cell string, classes []string) []Key {
	keys := make([]Key, 0, len(classes)*(len(cell)+1))
	for _, class := range classes {
		for p := len(cell); p >= 0; p-- {
			keys = append(keys, ClassKey(pool, cell[:p], class))
		}
	}
	return keys
}

// Rings are the keys under which a requester in a cell looks for a class, to be
// searched in this order until enough are found: the cell and its eight
// neighbours, then the cell that contains it and the eight around that, and so
// on to the whole world. Each ring holds the ones before it, so it finds again
// who was found there.
//
// Who is nearest is nearly always in the first rings, but only nearly: a ring
// reaches at least the width of one cell in every direction, except that at a
// pole, where all cells of a row meet, only those straight across it are
// counted as neighbours, and a place in a corner of a large cell may be nearer
// to one outside the ring than to one inside. Distances are measured afterwards.
func Rings(pool, cell, class string) [][]Key {
	rings := make([][]Key, 0, len(cell)+1)
	for p := len(cell); p >= 0; p-- {
		var ring []Key
		for _, c := range append([]string{cell[:p]}, Neighbours(cell[:p])...) {
			if key := ClassKey(pool, c, class); !slices.Contains(ring, key) {
				ring = append(ring, key)
			}
		}
		rings = append(rings, ring)
	}
	return rings
}
