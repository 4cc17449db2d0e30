package placement

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/angler-dex/angler/internal/mpc/circuit"
)

func build(t *testing.T, order []int) *circuit.Circuit {
	t.Helper()
	c, err := LowestPrice{Providers: len(order)}.Build(order)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func identity(n int) []int {
	order := make([]int, n)
	for k := range order {
		order[k] = k
	}
	return order
}

// run evaluates a circuit on each party's inputs and gives each party's outputs.
func run(c *circuit.Circuit, inputs [][]bool) [][]bool {
	values := make([]bool, len(c.Inputs))
	for party := range inputs {
		for k, w := range c.InputsOf(party) {
			values[w] = inputs[party][k]
		}
	}
	all := c.Eval(values)
	outputs := make([][]bool, c.Parties)
	for party := range outputs {
		for _, k := range c.OutputsOf(party) {
			outputs[party] = append(outputs[party], all[k])
		}
	}
	return outputs
}

// decode gives all parties' outputs as a Result.
func decode(outputs [][]bool) Result {
	res := Result{Requester: DecodeRequester(outputs[0])}
	for _, out := range outputs[1:] {
		res.Providers = append(res.Providers, DecodeProvider(out))
	}
	return res
}

func inputsOf(req Request, offers []Offer) [][]bool {
	inputs := [][]bool{req.Inputs()}
	for _, o := range offers {
		inputs = append(inputs, o.Inputs())
	}
	return inputs
}

// check plays a scenario and compares what every party learns, and what it signs or wants signed, with the reference.
func check(t *testing.T, req Request, offers []Offer, order []int) Result {
	t.Helper()
	inputs, f := inputsOf(req, offers), LowestPrice{Providers: len(offers)}
	outputs := run(build(t, order), inputs)
	got, want := decode(outputs), Reference(req, offers, order)
	if got.Requester != want.Requester || !slices.Equal(got.Providers, want.Providers) {
		t.Fatalf("%+v of %+v in order %v:\n got %+v\nwant %+v", req, offers, order, got, want)
	}
	claims := f.Claims(inputs[0], outputs[0])
	for party := 1; party <= len(offers); party++ {
		terms, won := f.Terms(party, inputs[party], outputs[party])
		claim, claimed := claims[party]
		if won != got.Providers[party-1].Won || claimed != won || !slices.Equal(terms, claim) {
			t.Fatalf("party %d is promised %x and wants %x", party, claim, terms)
		}
		if won && !slices.Equal(terms, Terms{Price: offers[party-1].Price, Quantity: req.Quantity}.Encode()) {
			t.Fatalf("%+v of %+v: terms %x", req, offers, terms)
		}
	}
	if len(claims) > 1 {
		t.Fatalf("%d claims", len(claims))
	}
	return want
}

// randomScenario draws numbers so that ties, zeros, extremes, exact fits, prices equal to the maximum and no-matches are common.
func randomScenario(rng *rand.Rand) (Request, []Offer, []int) {
	quantity := func() uint16 {
		return []uint16{0, 1, math.MaxUint16, uint16(rng.Uint32()), uint16(rng.IntN(100))}[rng.IntN(5)]
	}
	price := func() uint32 {
		return []uint32{0, 1, math.MaxUint32, rng.Uint32(), uint32(rng.IntN(4))}[rng.IntN(5)]
	}
	req := Request{Quantity: max(1, quantity()), MaxPrice: price()}
	offers := make([]Offer, 1+rng.IntN([]int{3, 8, 32}[rng.IntN(3)]))
	for k := range offers {
		offers[k] = Offer{Quantity: quantity(), Price: price()}
		switch rng.IntN(6) {
		case 0:
			offers[k].Quantity = req.Quantity
		case 1:
			offers[k].Quantity = req.Quantity - 1
		case 2:
			offers[k].Price = req.MaxPrice
		case 3:
			offers[k] = offers[rng.IntN(k+1)]
		}
	}
	return req, offers, rng.Perm(len(offers))
}

func TestAgreesWithReferenceOnRandomScenarios(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	var matched, none, tied int
	for range 1000 {
		req, offers, order := randomScenario(rng)
		res := check(t, req, offers, order)
		if !res.Requester.Matched {
			none++
			continue
		}
		matched++
		equal := 0
		for _, o := range offers {
			if o.Price == res.Requester.Price && o.Quantity >= req.Quantity {
				equal++
			}
		}
		if equal > 1 {
			tied++
		}
	}
	if matched < 300 || none < 100 || tied < 100 {
		t.Errorf("%d matched, %d of them tied, %d without a match: too one-sided to mean anything", matched, tied, none)
	}
}

func TestEdges(t *testing.T) {
	const most, dearest = math.MaxUint16, math.MaxUint32
	for _, tc := range []struct {
		name   string
		req    Request
		offers []Offer
		winner int
	}{
		{"exact fit", Request{10, 5}, []Offer{{9, 1}, {10, 5}}, 2},
		{"one too few", Request{10, 5}, []Offer{{9, 5}}, 0},
		{"price equals the maximum", Request{10, 5}, []Offer{{10, 5}}, 1},
		{"one too dear", Request{10, 5}, []Offer{{10, 6}}, 0},
		{"the cheapest does not fit", Request{10, 9}, []Offer{{9, 0}, {50, 8}, {50, 7}, {1, 1}}, 3},
		{"the cheapest that fits is too dear", Request{10, 9}, []Offer{{9, 0}, {50, 10}, {50, 11}}, 0},
		{"all full", Request{1, dearest}, []Offer{{0, 0}, {0, 0}, {0, 0}}, 0},
		{"everything at its maximum", Request{most, dearest}, []Offer{{most - 1, 0}, {most, dearest}}, 2},
		{"for nothing", Request{1, 0}, []Offer{{1, 1}, {1, 0}}, 2},
		{"the highest price against one that does not fit", Request{2, dearest}, []Offer{{1, 0}, {2, dearest}, {1, dearest}}, 2},
		{"first of equals", Request{1, 9}, []Offer{{1, 7}, {1, 7}, {1, 7}}, 1},
		{"an odd one at the end", Request{1, 9}, []Offer{{1, 7}, {1, 6}, {1, 8}, {1, 9}, {1, 5}}, 5},
	} {
		if res := check(t, tc.req, tc.offers, identity(len(tc.offers))); res.Requester.Winner != tc.winner {
			t.Errorf("%s: winner %d, want %d", tc.name, res.Requester.Winner, tc.winner)
		}
	}
}

// A no-match tells everybody only that: all outputs are 0.
func TestNoMatchShowsNothing(t *testing.T) {
	outputs := run(build(t, identity(5)), inputsOf(Request{7, 99}, []Offer{{6, 1}, {7, 100}, {0, 3}, {6, 99}, {65535, 4_000_000_000}}))
	for party, out := range outputs {
		if slices.Contains(out, true) {
			t.Errorf("party %d learns %v", party, out)
		}
	}
}

// Whatever bits a requester enters: at most one winner, which has at least one unit to deliver and not more than it offered,
// and 0-offers never win. The code for a quantity of 0 is among them.
func TestNoRequestBreaksInvariants(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 14))
	for k := range 2000 {
		_, offers, _ := randomScenario(rng)
		offers, order := offers[:1], identity(1)
		if k%2 == 0 {
			offers = append(offers, Offer{0, 0}, Offer{0, 1}, Offer{uint16(rng.Uint32()), 2})
			order = rng.Perm(4)
		}
		inputs := inputsOf(Request{}, offers)
		if k%4 >= 2 { // otherwise the encoding of 0
			inputs[0] = appendBits(appendBits(nil, rng.Uint64()>>rng.IntN(64), QuantityBits), rng.Uint64(), PriceBits)
		}
		res := decode(run(build(t, order), inputs))
		winners := 0
		for d, p := range res.Providers {
			if p.Won {
				winners++
				if p.Quantity == 0 || p.Quantity > offers[d].Quantity || res.Requester.Winner != d+1 || res.Requester.Price != offers[d].Price {
					t.Fatalf("%+v of %+v", res, offers)
				}
			}
		}
		if winners > 1 || res.Requester.Matched != (winners == 1) {
			t.Fatalf("%+v of %+v", res, offers)
		}
		if k%4 < 2 && res.Requester.Matched {
			t.Fatalf("a request of 0 matched %+v", offers)
		}
	}
	if Reference(Request{0, 9}, []Offer{{0, 1}, {5, 1}}, nil).Requester.Matched {
		t.Error("the reference matches a request of 0")
	}
}

// "Inputs, outputs and the number of ANDs are the same for each order": for all orders of up to 5 leaves and for many of more.
func TestOrdersDifferInGatesOnly(t *testing.T) {
	rng := rand.New(rand.NewPCG(15, 16))
	for _, n := range []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 31, 33, MaxProviders} {
		template := build(t, identity(n))
		if got := template.ANDs(); got != 99*n-2 {
			t.Errorf("%d providers: %d ANDs, the formula says %d", n, got, 99*n-2)
		}
		if len(template.InputsOf(0)) != 48 || len(template.InputsOf(n)) != 48 || len(template.OutputsOf(n)) != 17 {
			t.Errorf("%d providers: %v", n, template)
		}
		for _, order := range orders(rng, n) {
			c := build(t, order)
			if !slices.Equal(c.Inputs, template.Inputs) || c.ANDs() != template.ANDs() || !slices.EqualFunc(c.Outputs, template.Outputs,
				func(a, b circuit.Output) bool { return a.Party == b.Party }) {
				t.Fatalf("%d providers in order %v: %v, template %v", n, order, c, template)
			}
			if (c.Hash() == template.Hash()) != slices.Equal(order, identity(n)) {
				t.Fatalf("%d providers in order %v: hash and order disagree", n, order)
			}
		}
	}
}

// orders gives all permutations of up to 5 and 20 random ones of more.
func orders(rng *rand.Rand, n int) [][]int {
	var all [][]int
	if n > 5 {
		for range 20 {
			all = append(all, rng.Perm(n))
		}
		return all
	}
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

// Among equals each provider wins under exactly as many orders as any other, and the cheaper always.
func TestTiesAreFairOverAllOrders(t *testing.T) {
	rng := rand.New(rand.NewPCG(17, 18))
	for n := 2; n <= 5; n++ {
		for tied := 2; tied <= n; tied++ {
			offers := make([]Offer, n)
			for k := range offers {
				offers[k] = Offer{Quantity: 5, Price: 10}
				if k >= tied {
					offers[k] = []Offer{{5, 11}, {4, 3}}[k%2]
				}
			}
			wins, all := map[int]int{}, orders(rng, n)
			for _, order := range all {
				wins[decode(run(build(t, order), inputsOf(Request{5, 20}, offers))).Requester.Winner]++
			}
			for party := 1; party <= n; party++ {
				if want := len(all) / tied; party <= tied && wins[party] != want || party > tied && wins[party] != 0 {
					t.Errorf("%d of %d tied, %d orders: party %d won %d times", tied, n, len(all), party, wins[party])
				}
			}
		}
	}
}

// The reordering alone, over 20,000 random orders of a tie of 7 among 12: χ² with 6 degrees of freedom, 22.46 at p = 0.001.
func TestTiesAreFairOverRandomOrders(t *testing.T) {
	rng := rand.New(rand.NewPCG(19, 20))
	const runs, tied = 20000, 7
	offers := make([]Offer, 12)
	for k := range offers {
		offers[k] = Offer{Quantity: 3, Price: 8}
		if k%5 > 2 || k > 10 { // 3, 4, 8, 9, 11
			offers[k].Price = 9
		}
	}
	wins := make([]float64, len(offers))
	for k := range runs {
		order := rng.Perm(len(offers))
		winner := Reference(Request{2, 9}, offers, order).Requester.Winner
		wins[winner-1]++
		if k%200 == 0 {
			check(t, Request{2, 9}, offers, order)
		}
	}
	chi, winners := 0.0, 0
	for k, w := range wins {
		if offers[k].Price == 9 {
			if w > 0 {
				t.Errorf("party %d is dearer and won", k+1)
			}
			continue
		}
		winners++
		chi += (w - runs/float64(tied)) * (w - runs/float64(tied)) / (runs / float64(tied))
	}
	if winners != tied || chi > 22.46 {
		t.Errorf("%d tied, χ² = %.2f: %v", winners, chi, wins)
	}
}

func TestBuildRefusesBadOrders(t *testing.T) {
	for _, order := range [][]int{nil, {0, 1}, {0, 1, 1}, {0, 1, 3}, {0, -1, 2}, {0, 1, 2, 3}} {
		if _, err := (LowestPrice{Providers: 3}).Build(order); !errors.Is(err, ErrOrder) {
			t.Errorf("order %v: %v", order, err)
		}
	}
	for _, n := range []int{-1, 0, MaxProviders + 1} {
		if _, err := (LowestPrice{Providers: n}).Build(identity(max(n, 0))); !errors.Is(err, ErrProviders) {
			t.Errorf("%d providers: %v", n, err)
		}
	}
}

// The bounds that the function was designed to: less than two thirds of the 160 ANDs a provider that a chain of comparisons with
// public quantities takes.
func TestANDsWithinBounds(t *testing.T) {
	for n, most := range map[int]int{8: 800, 16: 1600, 32: 3200} {
		if got := build(t, identity(n)).ANDs(); got > most {
			t.Errorf("%d providers: %d ANDs, at most %d", n, got, most)
		}
	}
}

func ExampleReference() {
	offers := []Offer{{Quantity: 10, Price: 20_000}, {Quantity: 40, Price: 31_000}, {Quantity: 64, Price: 35_000}}
	fmt.Printf("%+v\n", Reference(Request{Quantity: 32, MaxPrice: 50_000}, offers, nil).Requester)
	// Output: {Matched:true Winner:2 Price:31000}
}
