package placement

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// world is one scenario: a request and offers of a policy.
type world struct {
	request Request
	offers  []Offer
}

// samples are the policies that tests run: each function, each parameter with it, and all together.
func samples() []string {
	return []string{
		"lowest-price", "lowest-price;handicap", "lowest-price;tiers", "lowest-price;with=storage", "lowest-price;handicap;tiers;with=gpu,storage",
		"second-price", "second-price;handicap", "second-price;handicap;tiers;with=storage",
		"split", "split;cap", "split;handicap", "split;tiers", "split;winners=4", "split;cap;handicap;tiers;winners=3;with=gpu", "split;cap;handicap;tiers;with=storage",
		"fit", "fit;cap", "fit;handicap", "fit;tiers", "fit;winners=4", "fit;cap;handicap;tiers;winners=2;with=gpu", "fit;cap;handicap;tiers;with=gpu,storage",
	}
}

// inputs encodes what all parties enter.
func (w world) inputs(t testing.TB, f Function) [][]bool {
	t.Helper()
	request, err := f.RequestInputs(w.request)
	if err != nil {
		t.Fatal(err)
	}
	inputs := [][]bool{request}
	for _, o := range w.offers {
		offer, err := f.OfferInputs(o)
		if err != nil {
			t.Fatal(err)
		}
		inputs = append(inputs, offer)
	}
	return inputs
}

// drawing makes numbers of which ties, zeros, extremes, exact fits and prices equal to the maximum are common.
type drawing struct{ rng *rand.Rand }

func (d drawing) quantity() uint16 {
	return []uint16{0, 1, math.MaxUint16, uint16(d.rng.Uint32()), uint16(d.rng.IntN(100)), uint16(d.rng.IntN(9))}[d.rng.IntN(6)]
}

func (d drawing) price() uint32 {
	return []uint32{0, 1, math.MaxUint32, d.rng.Uint32(), uint32(d.rng.IntN(4)), uint32(d.rng.IntN(50))}[d.rng.IntN(6)]
}

// world draws one among n providers.
func (d drawing) world(p Policy, n int) world {
	w := world{request: Request{Quantity: max(1, d.quantity()), MaxPrice: d.price()}}
	for range p.Further {
		w.request.Further = append(w.request.Further, []uint16{0, d.quantity(), 5}[d.rng.IntN(3)])
	}
	generous := d.rng.IntN(2) == 0 // otherwise the more offers there are the rarer is a match at a low maximum
	if generous {
		w.request.MaxPrice = max(w.request.MaxPrice, 60)
	}
	if p.Cap {
		w.request.Cap = []uint16{0, 1, d.quantity(), w.request.Quantity/2 + 1, w.request.Quantity}[d.rng.IntN(5)]
	}
	if p.Handicap && d.rng.IntN(8) > 0 {
		for range n {
			w.request.Handicaps = append(w.request.Handicaps, []uint32{0, 0, d.price()}[d.rng.IntN(3)])
		}
	}
	for k := range n {
		w.offers = append(w.offers, d.offer(p, w, k))
	}
	return w
}

func (d drawing) offer(p Policy, w world, k int) Offer {
	o := Offer{Quantity: d.quantity(), Price: d.price()}
	near := w.request.MaxPrice // a price that others are compared with
	if k > 0 && d.rng.IntN(2) == 0 {
		near = w.offers[d.rng.IntN(k)].Price
	}
	switch d.rng.IntN(12) {
	case 6, 7: // numbers that differ in one bit, at whichever place
		o.Price = near ^ 1<<d.rng.IntN(PriceBits)
	case 8, 9:
		o.Quantity = w.request.Quantity ^ 1<<d.rng.IntN(QuantityBits)
	case 10:
		o.Price = near ^ 1<<d.rng.IntN(PriceBits)
		o.Quantity = w.request.Quantity ^ 1<<d.rng.IntN(QuantityBits)
	case 11:
		o.Quantity, o.Price = w.request.Quantity, near
	case 0:
		o.Quantity = w.request.Quantity
	case 1:
		o.Quantity = w.request.Quantity - 1
	case 2:
		o.Price = w.request.MaxPrice
	case 3:
		if k > 0 {
			return w.offers[d.rng.IntN(k)]
		}
	case 4, 5:
		o.Quantity = w.request.Quantity/uint16(1+d.rng.IntN(5)) + 1
	}
	if p.Tiers && d.rng.IntN(5) > 0 {
		o.Steps = []Step{{From: 1, Price: d.price()}}
		for from := 1; len(o.Steps) < 1+d.rng.IntN(MaxSteps); {
			from += 1 + int(d.quantity())/(1+d.rng.IntN(1000))
			if at := int(min(w.request.Quantity, o.Quantity) ^ 1<<d.rng.IntN(QuantityBits)); at > from && d.rng.IntN(2) == 0 {
				from = at
			}
			if from > math.MaxUint16 {
				break
			}
			o.Steps = append(o.Steps, Step{From: uint16(from), Price: d.price()})
		}
	}
	for _, want := range w.request.Further {
		o.Further = append(o.Further, []uint16{want, math.MaxUint16, d.quantity(), want ^ 1<<d.rng.IntN(QuantityBits)}[d.rng.IntN(4)])
	}
	return o
}

// check compares what every party learns, and what it signs or wants signed, with the reference.
func (w world) check(t testing.TB, f Function, order []int, inputs, outputs [][]bool) Result {
	t.Helper()
	got := f.Result(inputs[0], outputs[0])
	want, awards := Reference(f.Policy().String(), w.request, w.offers, order)
	if !sameResult(f, got, want) {
		t.Fatalf("%s: %+v in order %v:\n got %+v\nwant %+v", f.Policy(), w, order, got, want)
	}
	claims := f.Claims(inputs[0], outputs[0])
	for party := 1; party < f.Parties(); party++ {
		award, won := f.Award(party, inputs[party], outputs[party])
		if !sameAward(award, awards[party-1]) || won != (award.Quantity > 0) {
			t.Fatalf("%s: %+v in order %v: party %d\n got %v %+v\nwant %+v", f.Policy(), w, order, party, won, award, awards[party-1])
		}
		terms, signed := f.Terms(party, inputs[party], outputs[party])
		claim, claimed := claims[party]
		if won != signed || claimed != won || !slices.Equal(terms, claim) {
			t.Fatalf("%s: party %d is promised %x and wants %x", f.Policy(), party, claim, terms)
		}
	}
	return want
}

func sameAward(a, b Award) bool {
	return a.Quantity == b.Quantity && a.Price == b.Price && a.Pays == b.Pays && slices.Equal(a.Further, b.Further)
}

// sameResult compares wins; own prices only where the requester learns them.
func sameResult(f Function, got, want Result) bool {
	return got.Matched == want.Matched && slices.EqualFunc(got.Wins, want.Wins, func(a, b Win) bool {
		return a.Party == b.Party && sameAward(a.Award, b.Award)
	})
}
