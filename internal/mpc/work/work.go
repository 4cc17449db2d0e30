// Package work spreads one step's arithmetic over a few goroutines, all of
// which have ended when the call returns.
package work

import (
	"sync"
	"sync/atomic"
)

// Each calls f(0) … f(n−1), on at most workers goroutines at once (the caller's
// own if that is 1), in no particular order, and returns when all have
// returned.
func Each(workers, n int, f func(k int)) {
	workers = min(workers, n)
	if workers <= 1 {
		for k := range n {
			f(k)
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for k := int(next.Add(1)) - 1; k < n; k = int(next.Add(1)) - 1 {
				f(k)
			}
		})
	}
	wg.Wait()
}

// Ranges cuts [0, n) into pieces of size (the last may be shorter) and calls f
// on each as Each does.
func Ranges(workers, n, size int, f func(lo, hi int)) {
	Each(workers, (n+size-1)/size, func(k int) {
		f(k*size, min(n, (k+1)*size))
	})
}
