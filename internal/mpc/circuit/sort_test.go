package circuit_test

import (
	"testing"

	"github.com/angler-dex/angler/internal/mpc/circuit"
)

// "If a network with n input lines sorts all 2^n sequences of 0s and 1s into nondecreasing order, it will sort any arbitrary
// sequence of n numbers into nondecreasing order" (Knuth, TAOCP 3, 5.3.4, Theorem Z).
func TestSortingNetworkByZeroOnePrinciple(t *testing.T) {
	for n := range 19 {
		network := circuit.SortingNetwork(n)
		for v := range 1 << n {
			sorted := v
			for _, c := range network {
				if low, high := sorted>>c.Low&1, sorted>>c.High&1; low > high {
					sorted ^= 1<<c.Low | 1<<c.High
				}
			}
			for i := 1; i < n; i++ {
				if sorted>>(i-1)&1 > sorted>>i&1 {
					t.Fatalf("%d values: %b becomes %b", n, v, sorted)
				}
			}
		}
	}
}

func TestSortingNetworkSizes(t *testing.T) {
	for n, want := range map[int]int{0: 0, 1: 0, 2: 1, 3: 3, 4: 5, 8: 19, 16: 63, 32: 191, 64: 543} {
		network := circuit.SortingNetwork(n)
		if len(network) != want {
			t.Errorf("%d values: %d comparators, want %d", n, len(network), want)
		}
		for _, c := range network {
			if c.Low < 0 || c.Low >= c.High || c.High >= n {
				t.Errorf("%d values: comparator %+v", n, c)
			}
		}
	}
}
