package mpc

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/angler-dex/angler/internal/mpc/mpctest"
)

// runAll runs all parties of a trial at once over the network in memory.
func runAll(t testing.TB, m *trial) []*Party {
	t.Helper()
	parties := m.start(t)
	nets := NewLocal(len(parties))
	errs := make([]error, len(parties))
	var wg sync.WaitGroup
	for i, p := range parties {
		wg.Go(func() { errs[i] = Run(context.Background(), p, nets[i]) })
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			t.Fatalf("party %d: %v", i, err)
		}
	}
	return parties
}

// BenchmarkMatch runs whole matches, all parties in one process.
func BenchmarkMatch(b *testing.B) {
	for _, n := range []int{2, 5, 9, 33} {
		ands := 500
		if n == 33 {
			ands = 3000
		}
		fn := mpctest.RandomFunction(1, n, 48*n, ands, 17)
		for _, setup := range []string{"cold", "warm"} {
			b.Run(fmt.Sprintf("n=%d/%s", n, setup), func(b *testing.B) {
				for range b.N {
					m := &trial{name: "bench", fn: fn, k: 8 - 4*(n/17)}
					if setup == "warm" {
						m.sets = dealt("bench", 0, n)
					}
					runAll(b, m)
				}
			})
		}
	}
}
