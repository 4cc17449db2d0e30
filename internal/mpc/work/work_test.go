package work

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// TestRanges: every index is visited once, whatever the number of workers, and
// no goroutine is left.
func TestRanges(t *testing.T) {
	for _, workers := range []int{1, 2, 7} {
		for _, n := range []int{0, 1, 8, 100} {
			synctest.Test(t, func(t *testing.T) {
				visits := make([]atomic.Int32, n)
				Ranges(workers, n, 8, func(lo, hi int) {
					for k := lo; k < hi; k++ {
						visits[k].Add(1)
					}
				})
				for k := range visits {
					if v := visits[k].Load(); v != 1 {
						t.Errorf("%d workers, %d indices: index %d visited %d times", workers, n, k, v)
					}
				}
			})
		}
	}
}
