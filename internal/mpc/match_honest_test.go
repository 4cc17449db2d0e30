package mpc

import (
	"fmt"
	"testing"

	"github.com/angler-dex/angler/internal/mpc/mpctest"
)

// TestIdeal: what the parties output is what the ideal functionality gives,
// cold, warm from the sets that the match before minted, and mixed.
func TestIdeal(t *testing.T) {
	seeds := uint64(4)
	if underRace {
		seeds = 2
	}
	for _, n := range []int{2, 3, 5, 9} {
		for seed := range seeds {
			t.Run(fmt.Sprintf("n=%d/%d", n, seed), func(t *testing.T) {
				t.Parallel()
				fn := mpctest.RandomFunction(seed, n, 6*n, 100, 5)
				if seed > 0 {
					fn = mpctest.RandomConditional(seed, n, 6*n, 100, 5)
				}
				cold := &trial{name: "cold", seed: seed, fn: fn}
				if n > 3 || seed > 0 || underRace { // base OTs are what takes long
					cold.sets = dealt("ideal", seed, n)
				}
				parties, res := cold.run(t)
				requireRight(t, parties, res, cold.inputs)

				warm := &trial{name: "warm", seed: seed, fn: fn, sets: mintedSets(parties), k: 4}
				parties, res = warm.run(t)
				requireRight(t, parties, res, warm.inputs)

				if n > 3 && (seed > 0 || underRace) {
					return
				}
				sets := mintedSets(parties)
				sets[0] = nil // party 0 has met nobody
				for i := 1; i < n; i++ {
					delete(sets[i], 0)
				}
				if n > 2 { // and of one pair a direction is missing
					sets[1][2] = WarmPair{Sender: sets[1][2].Sender}
					sets[2][1] = WarmPair{Receiver: sets[2][1].Receiver}
				}
				mixed := &trial{name: "mixed", seed: seed, fn: fn, sets: sets, k: 8}
				parties, res = mixed.run(t)
				requireRight(t, parties, res, mixed.inputs)
			})
		}
	}
}
