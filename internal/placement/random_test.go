package placement

import (
	"math/rand/v2"
	"testing"
)

// Each function is its reference on 10,000 random scenarios of 1 to 32 offers.
func TestAgreesWithReferenceOnRandomScenarios(t *testing.T) {
	for _, policy := range samples() {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			scenarios := 10_000
			if testing.Short() {
				scenarios = 640
			}
			rng := rand.New(rand.NewPCG(11, 12))
			var matched, none int
			for done := 0; done < scenarios; {
				n := 1 + rng.IntN([]int{3, 8, 32}[rng.IntN(3)])
				order := rng.Perm(n)
				f := mustNew(t, policy, n)
				c := mustBuild(t, f, order)
				for range 2 { // making a circuit takes longer than evaluating it
					worlds, inputs := make([]world, lanes), make([][][]bool, lanes)
					for lane := range lanes {
						worlds[lane] = drawing{rng}.world(f.Policy(), n)
						inputs[lane] = worlds[lane].inputs(t, f)
					}
					for lane, outputs := range evalSliced(c, inputs) {
						if worlds[lane].check(t, f, order, inputs[lane], outputs).Matched {
							matched++
						} else {
							none++
						}
					}
					done += lanes
				}
			}
			if matched < scenarios/10 || none < scenarios/10 {
				t.Errorf("%d matched and %d did not: too one-sided to mean anything", matched, none)
			}
		})
	}
}
