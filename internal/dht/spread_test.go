package dht

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"
)

// ids are nodes sorted by their distance to the key of zeros.
func ids(rng *rand.Rand, count int, within uint64) (out []Key) {
	for range count {
		k := randomKey(rng)
		binary.BigEndian.PutUint64(k[:8], rng.Uint64N(within))
		out = append(out, k)
	}
	slices.SortFunc(out, func(a, b Key) int { return nearer(Key{}, a, b) })
	return out
}

func self(k Key) Key { return k }

// Sixty nodes next to a key leave the even ones their places; where there is no
// crowd, nearly nothing changes.
func TestSpread(t *testing.T) {
	const unit = 1 << 56 // 256 nodes
	rng := rand.New(seeded(1))
	moved, kept := 0, 0
	for range 200 {
		even := ids(rng, 255, 1<<64-1)
		if got := spread(even, Key{}, self, unit); !slices.Equal(got[:16], even[:16]) {
			moved++
		}
		crowd := ids(rng, 60, unit/1000)
		got := spread(append(slices.Clone(crowd), even...), Key{}, self, unit)
		if len(got) != 315 {
			t.Fatalf("%d of 315 nodes", len(got))
		}
		for _, k := range even[:8] {
			if slices.Contains(got[:16], k) {
				kept++
			}
		}
	}
	if kept < 200*7 {
		t.Errorf("%d of the %d nearest even nodes are among the first 16 when there is a crowd", kept, 200*8)
	}
	if moved > 10 {
		t.Errorf("the nearest 16 differ for %d of 200 keys without a crowd", moved)
	}
}

// Before the density is known, the order is left alone.
func TestSpreadWithoutADensity(t *testing.T) {
	nodes := ids(rand.New(seeded(2)), 40, 1)
	if got := spread(nodes, Key{}, self, 0); !slices.Equal(got, nodes) {
		t.Error("changed")
	}
}
