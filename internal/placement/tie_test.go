package placement

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// The reordering alone, over 20,000 random orders of a tie among 12 offers: each of those that are equal wins as often, by χ²
// at p = 0.001. Of a split it is who delivers the rest, and who delivers nothing.
func TestTiesAreFairOverRandomOrders(t *testing.T) {
	runs := 20_000
	if testing.Short() {
		runs = 3_000
	}
	dear := []int{3, 4, 8, 9, 11} // the others, 7, are tied
	for _, tc := range []struct {
		policy   string
		quantity uint16
		won      func(a Award) bool
		winners  int // in each run
	}{
		{"lowest-price", 2, func(a Award) bool { return a.Quantity == 2 }, 1},
		{"lowest-price;handicap", 2, func(a Award) bool { return a.Quantity == 2 }, 1},
		{"second-price", 3, func(a Award) bool { return a.Quantity == 3 }, 1},
		{"fit", 3, func(a Award) bool { return a.Quantity == 3 }, 1},
		{"fit;winners=4", 3, func(a Award) bool { return a.Quantity == 3 }, 1},
		{"split", 8, func(a Award) bool { return a.Quantity == 2 }, 1},
		{"split", 9, func(a Award) bool { return a.Quantity == 3 }, 3},
		{"split;winners=4", 8, func(a Award) bool { return a.Quantity == 2 }, 1},
		{"split;winners=4", 9, func(a Award) bool { return a.Quantity == 3 }, 3},
	} {
		rng := rand.New(rand.NewPCG(19, 20))
		f := mustNew(t, tc.policy, 12)
		w := world{request: Request{Quantity: tc.quantity, MaxPrice: 9}, offers: make([]Offer, 12)}
		for k := range w.offers {
			w.offers[k] = Offer{Quantity: 3, Price: 8}
			if slices.Contains(dear, k) {
				w.offers[k].Price = 9
			}
		}
		inputs := w.inputs(t, f)
		wins := make([]float64, len(w.offers))
		for k := range runs {
			order := rng.Perm(len(w.offers))
			_, awards := Reference(tc.policy, w.request, w.offers, order)
			for d, a := range awards {
				if tc.won(a) {
					wins[d]++
				}
			}
			if k%500 == 0 { // the circuit has the same order
				w.check(t, f, order, inputs, run(mustBuild(t, f, order), inputs))
			}
		}
		// Of c winners among 7 each count is hypergeometric; their χ² is scaled by 6/(7−c).
		expected := float64(runs*tc.winners) / 7
		chi, total := 0.0, 0.0
		for k, n := range wins {
			total += n
			if !slices.Contains(dear, k) {
				chi += (n - expected) * (n - expected) / expected * 6 / float64(7-tc.winners)
			} else if n > 0 {
				t.Errorf("%s: offer %d is dearer and won", tc.policy, k)
			}
		}
		if total != float64(runs*tc.winners) || chi > 22.46 { // 6 degrees of freedom
			t.Errorf("%s for %d: χ² = %.2f: %v", tc.policy, tc.quantity, chi, wins)
		}
	}
}

// Among equals each provider wins under exactly as many orders as any other, and the cheaper always.
func TestTiesAreFairOverAllOrders(t *testing.T) {
	for _, policy := range []string{"lowest-price", "second-price", "fit", "fit;winners=2", "split", "split;winners=2"} {
		for n := 2; n <= 5; n++ {
			for tied := 2; tied <= n; tied++ {
				w := world{request: Request{Quantity: 5, MaxPrice: 20}, offers: make([]Offer, n)}
				for k := range w.offers {
					w.offers[k] = Offer{Quantity: 5, Price: 10}
					if k >= tied {
						w.offers[k] = []Offer{{Quantity: 5, Price: 11}, {Quantity: 9, Price: 30}}[k%2]
					}
				}
				f, wins, all := mustNew(t, policy, n), map[int]int{}, permutations(n)
				inputs := w.inputs(t, f)
				for k, order := range all {
					res, _ := Reference(policy, w.request, w.offers, order)
					wins[res.Wins[0].Party]++
					if n < 4 || k%10 == 0 {
						w.check(t, f, order, inputs, run(mustBuild(t, f, order), inputs))
					}
				}
				for party := 1; party <= n; party++ {
					if want := len(all) / tied; party <= tied && wins[party] != want || party > tied && wins[party] != 0 {
						t.Errorf("%s: %d of %d tied, %d orders: party %d won %d times", policy, tied, n, len(all), party, wins[party])
					}
				}
			}
		}
	}
}

// permutations gives all orders of n leaves.
func permutations(n int) [][]int {
	var all [][]int
	var extend func(prefix []int)
	extend = func(prefix []int) {
		if len(prefix) == n {
			all = append(all, slices.Clone(prefix))
			return
		}
		for k := range n {
			if !slices.Contains(prefix, k) {
				extend(append(prefix, k))
			}
		}
	}
	extend(nil)
	return all
}
