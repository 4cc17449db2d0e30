package placement

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// noise replaces a party's inputs by bits of its own making: random ones, all ones, all zeros.
func noise(rng *rand.Rand, inputs []bool) {
	kind := rng.IntN(4)
	for k := range inputs {
		switch kind {
		case 0:
			inputs[k] = true
		case 1:
			inputs[k] = false
		default:
			inputs[k] = rng.IntN(2) == 1
		}
	}
}

// hostileRounds is how many circuits of each policy get 64 sets of bad inputs.
func hostileRounds() int {
	if testing.Short() {
		return 6
	}
	return 30
}

// Whatever bits a requester enters, its cap, its handicaps and its quantity among them: who wins delivers at least one unit and
// not more than it entered, is not paid less than it asks for that many, and has what is wanted beside; an offer of 0 never
// wins; and the requester's own view is the same.
func TestNoRequestHarmsAProvider(t *testing.T) {
	for _, policy := range samples() {
		rng := rand.New(rand.NewPCG(31, 32))
		rounds, won := hostileRounds(), 0
		for range rounds {
			n := 1 + rng.IntN(6)
			f := mustNew(t, policy, n)
			c := mustBuild(t, f, rng.Perm(n))
			worlds, inputs := make([]world, lanes), make([][][]bool, lanes)
			for lane := range lanes {
				w := drawing{rng}.world(f.Policy(), n)
				worlds[lane], inputs[lane] = w, w.inputs(t, f)
				noise(rng, inputs[lane][0])
			}
			for lane, outputs := range evalSliced(c, inputs) {
				claims := f.Claims(inputs[lane][0], outputs[0])
				for k, o := range worlds[lane].offers {
					a, ok := f.Award(k+1, inputs[lane][k+1], outputs[k+1])
					terms, owed := f.Terms(k+1, inputs[lane][k+1], outputs[k+1])
					if claim, claimed := claims[k+1]; ok != owed || ok != claimed || !slices.Equal(terms, claim) {
						t.Fatalf("%s: provider %d has %v, is promised %x and wants %x", policy, k+1, a, claim, terms)
					}
					if !ok {
						continue
					}
					won++
					asks := o.Price
					if f.Policy().Tiers {
						asks = o.PriceOf(a.Quantity)
					}
					if a.Quantity == 0 || a.Quantity > o.Quantity || a.Price != asks || a.Pays < asks {
						t.Fatalf("%s: %+v wins %+v", policy, o, a)
					}
					for i := range a.Further {
						if a.Further[i] > o.Further[i] {
							t.Fatalf("%s: %+v wins %+v", policy, o, a)
						}
					}
				}
			}
		}
		if won < rounds {
			t.Errorf("%s: %d wins: too few to mean anything", policy, won)
		}
	}
}

// Whatever bits a provider enters: the others lose no invariant, the requester gets what it asked for, not more than the cap from
// one, and pays no more than its maximum for any unit.
func TestNoOfferHarmsARequester(t *testing.T) {
	for _, policy := range samples() {
		rng := rand.New(rand.NewPCG(33, 34))
		rounds, matched := hostileRounds(), 0
		for range rounds {
			n := 1 + rng.IntN(6)
			f := mustNew(t, policy, n)
			c := mustBuild(t, f, rng.Perm(n))
			worlds, inputs := make([]world, lanes), make([][][]bool, lanes)
			for lane := range lanes {
				w := drawing{rng}.world(f.Policy(), n)
				worlds[lane], inputs[lane] = w, w.inputs(t, f)
				noise(rng, inputs[lane][1+rng.IntN(n)])
			}
			for lane, outputs := range evalSliced(c, inputs) {
				req, res := worlds[lane].request, f.Result(inputs[lane][0], outputs[0])
				if !res.Matched {
					continue
				}
				matched++
				units, before := 0, 0
				for _, w := range res.Wins {
					units += int(w.Quantity)
					if w.Quantity == 0 || w.Pays > req.MaxPrice || w.Party <= before || req.Cap > 0 && w.Quantity > req.Cap {
						t.Fatalf("%s: %+v gives %+v", policy, worlds[lane], res)
					}
					before = w.Party
				}
				if limit := f.Policy().Winners; units != int(req.Quantity) || limit > 0 && len(res.Wins) > limit {
					t.Fatalf("%s: %+v gives %+v", policy, worlds[lane], res)
				}
			}
		}
		if matched < rounds {
			t.Errorf("%s: %d matches: too few to mean anything", policy, matched)
		}
	}
}

// A request for nothing has no encoding, and the code next to it, for 65,536 units, fits no single offer.
func TestRequestForNothing(t *testing.T) {
	for _, policy := range samples() {
		f := mustNew(t, policy, 2)
		if _, err := f.RequestInputs(Request{Further: make([]uint16, len(f.Policy().Further))}); err == nil {
			t.Errorf("%s: a request for 0 units", policy)
		}
		w := drawing{rand.New(rand.NewPCG(5, 6))}.world(f.Policy(), 2)
		for k := range w.offers {
			w.offers[k] = Offer{Quantity: 65535, Further: w.offers[k].Further}
		}
		inputs := w.inputs(t, f)
		for k := range inputs[0] {
			inputs[0][k] = k < QuantityBits+PriceBits || f.Policy().Cap && k < 2*QuantityBits+PriceBits
		}
		outputs := run(mustBuild(t, f, identity(2)), inputs)
		for party := 1; party <= 2; party++ {
			if a, won := f.Award(party, inputs[party], outputs[party]); won && (a.Quantity == 0 || !f.Policy().splits()) {
				t.Errorf("%s: a request for 65,536 wins %+v", policy, a)
			}
		}
	}
}
