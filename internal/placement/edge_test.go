package placement

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/angler-dex/angler/internal/mpc/circuit"
)

const (
	most    = math.MaxUint16
	dearest = math.MaxUint32
)

// Cases at the edges, and above all at the maxima of all inputs: no function overflows.
func TestEdges(t *testing.T) {
	ask := func(quantity uint16, maxPrice uint32) Request { return Request{Quantity: quantity, MaxPrice: maxPrice} }
	offer := func(quantity uint16, price uint32) Offer { return Offer{Quantity: quantity, Price: price} }
	for _, tc := range []struct {
		name, policy string
		req          Request
		offers       []Offer
		want         string // party:quantity at what is paid
	}{
		{"exact fit", "lowest-price", ask(10, 5), []Offer{offer(9, 1), offer(10, 5)}, "2:10@5"},
		{"one too few", "lowest-price", ask(10, 5), []Offer{offer(9, 5)}, ""},
		{"price equals the maximum", "lowest-price", ask(10, 5), []Offer{offer(10, 5)}, "1:10@5"},
		{"one too dear", "lowest-price", ask(10, 5), []Offer{offer(10, 6)}, ""},
		{"the cheapest does not fit", "lowest-price", ask(10, 9), []Offer{offer(9, 0), offer(50, 8), offer(50, 7), offer(1, 1)}, "3:10@7"},
		{"the cheapest that fits is too dear", "lowest-price", ask(10, 9), []Offer{offer(9, 0), offer(50, 10), offer(50, 11)}, ""},
		{"all full", "lowest-price", ask(1, dearest), []Offer{{}, {}, {}}, ""},
		{"everything at its maximum", "lowest-price", ask(most, dearest), []Offer{offer(most-1, 0), offer(most, dearest)}, "2:65535@4294967295"},
		{"for nothing", "lowest-price", ask(1, 0), []Offer{offer(1, 1), offer(1, 0)}, "2:1@0"},
		{"the highest price against one that does not fit", "lowest-price", ask(2, dearest), []Offer{offer(1, 0), offer(2, dearest), offer(1, dearest)}, "2:2@4294967295"},
		{"first of equals", "lowest-price", ask(1, 9), []Offer{offer(1, 7), offer(1, 7), offer(1, 7)}, "1:1@7"},
		{"an odd one at the end", "lowest-price", ask(1, 9), []Offer{offer(1, 7), offer(1, 6), offer(1, 8), offer(1, 9), offer(1, 5)}, "5:1@5"},

		{"handicaps at their maximum", "lowest-price;handicap", Request{Quantity: most, MaxPrice: dearest, Handicaps: []uint32{dearest, dearest}},
			[]Offer{offer(most, dearest), offer(most, dearest-1)}, "2:65535@4294967294"},
		{"a handicap that would wrap around", "lowest-price;handicap", Request{Quantity: 1, MaxPrice: dearest, Handicaps: []uint32{dearest, 0}},
			[]Offer{offer(1, 1), offer(1, 5)}, "2:1@5"},
		{"a handicap for ranking, not for the maximum", "lowest-price;handicap", Request{Quantity: 1, MaxPrice: 10, Handicaps: []uint32{1000}}, []Offer{offer(1, 10)}, "1:1@10"},
		{"the best in rank is too dear", "lowest-price;handicap", Request{Quantity: 1, MaxPrice: 10, Handicaps: []uint32{0, 1000}}, []Offer{offer(1, 11), offer(1, 10)}, "2:1@10"},
		{"all that is wanted beside", "lowest-price;with=gpu,storage", Request{Quantity: 1, MaxPrice: 9, Further: []uint16{most, 1}},
			[]Offer{{1, 1, nil, []uint16{most - 1, 1}}, {1, 2, nil, []uint16{most, 0}}, {1, 3, nil, []uint16{most, 1}}}, "3:1@3+[65535 1]"},
		{"the step of the quantity", "lowest-price;tiers", ask(9, 100), []Offer{offer(99, 30), {99, 0, []Step{{1, 40}, {9, 25}, {10, 1}}, nil}}, "2:9@25"},
		{"a step at the last unit", "lowest-price;tiers", ask(most, dearest), []Offer{{most, 0, []Step{{1, 0}, {most, dearest}}, nil}}, "1:65535@4294967295"},

		{"alone it is paid the maximum", "second-price", ask(5, 100), []Offer{offer(5, 10)}, "1:5@100"},
		{"the other does not fit", "second-price", ask(5, 100), []Offer{offer(5, 10), offer(4, 20)}, "1:5@100"},
		{"the other is dearer than the maximum", "second-price", ask(5, 100), []Offer{offer(5, 10), offer(5, 101)}, "1:5@100"},
		{"the other's price", "second-price", ask(5, 100), []Offer{offer(5, 40), offer(5, 10), offer(9, 30)}, "2:5@30"},
		{"tied it is paid its price", "second-price", ask(5, 100), []Offer{offer(5, 10), offer(5, 10)}, "1:5@10"},
		{"second at the maxima", "second-price", ask(most, dearest), []Offer{offer(most, dearest), offer(most, dearest)}, "1:65535@4294967295"},
		{"the handicap at which it would still win", "second-price;handicap", Request{Quantity: 1, MaxPrice: 100, Handicaps: []uint32{5, 0}}, []Offer{offer(1, 10), offer(1, 40)}, "1:1@35"},
		{"second handicaps at their maximum", "second-price;handicap", Request{Quantity: 1, MaxPrice: dearest, Handicaps: []uint32{dearest, dearest}},
			[]Offer{offer(1, dearest-1), offer(1, dearest)}, "1:1@4294967295"},
		{"a rank above the maximum of prices", "second-price;handicap", Request{Quantity: 1, MaxPrice: dearest, Handicaps: []uint32{0, dearest}},
			[]Offer{offer(1, 7), offer(1, dearest)}, "1:1@4294967295"},

		{"half at one and half at another", "split", ask(32, 50), []Offer{offer(16, 30), offer(10, 60), offer(16, 20)}, "1:16@30 3:16@20"},
		{"the last delivers the rest", "split", ask(20, 50), []Offer{offer(16, 30), offer(16, 20), offer(1, 10)}, "1:3@30 2:16@20 3:1@10"},
		{"one unit too few", "split", ask(33, 50), []Offer{offer(16, 30), offer(16, 20), offer(9, 51)}, ""},
		{"all units of all", "split", ask(most, dearest), []Offer{offer(1, dearest), offer(most-1, dearest)}, "1:1@4294967295 2:65534@4294967295"},
		{"more than there are units", "split", ask(most, dearest), []Offer{offer(most, dearest), offer(most, 0)}, "2:65535@0"},
		{"zeros are passed over", "split", ask(3, 9), []Offer{offer(0, 0), offer(2, 5), offer(0, 1), offer(1, 9), offer(0, 9)}, "2:2@5 4:1@9"},
		{"the bound on winners", "split;winners=2", ask(3, 9), []Offer{offer(1, 1), offer(1, 2), offer(50, 3)}, ""},
		{"within the bound on winners", "split;winners=2", ask(3, 9), []Offer{offer(1, 4), offer(1, 2), offer(50, 3)}, "2:1@2 3:2@3"},
		{"the cap", "split;cap", Request{Quantity: 10, MaxPrice: 9, Cap: 5}, []Offer{offer(50, 1), offer(4, 2), offer(50, 3)}, "1:5@1 2:4@2 3:1@3"},
		{"the cap leaves too little", "split;cap", Request{Quantity: 10, MaxPrice: 9, Cap: 5}, []Offer{offer(50, 1), offer(4, 2)}, ""},
		{"no cap", "split;cap", ask(most, 9), []Offer{offer(most, 1), offer(4, 2)}, "1:65535@1"},
		{"split handicaps at their maximum", "split;handicap", Request{Quantity: most, MaxPrice: dearest, Handicaps: []uint32{dearest, dearest, 0}},
			[]Offer{offer(most, dearest), offer(100, dearest-1), offer(5, dearest)}, "1:65430@4294967295 2:100@4294967294 3:5@4294967295"},
		{"the last is paid the step of what it delivers", "split;tiers", ask(20, 50), []Offer{{100, 0, []Step{{1, 30}, {9, 25}}, nil}, offer(15, 20)}, "1:5@30 2:15@20"},
		{"the step of what it delivers is too dear", "split;tiers", ask(20, 29), []Offer{{100, 0, []Step{{1, 30}, {9, 25}}, nil}, offer(15, 20)}, ""},
		{"all of a rising curve", "split;tiers", ask(20, 50), []Offer{{9, 0, []Step{{1, 10}, {9, 25}}, nil}, offer(15, 20)}, "1:5@10 2:15@20"},

		{"one that fits goes before a cheaper split", "fit", ask(20, 50), []Offer{offer(10, 1), offer(10, 2), offer(20, 40)}, "3:20@40"},
		{"none fits", "fit", ask(21, 50), []Offer{offer(10, 1), offer(10, 2), offer(20, 40)}, "1:10@1 2:10@2 3:1@40"},
		{"the one that fits is too dear", "fit", ask(20, 50), []Offer{offer(10, 1), offer(10, 2), offer(20, 51)}, "1:10@1 2:10@2"},
		{"nothing fits", "fit", ask(20, 50), []Offer{offer(10, 1), offer(9, 2), offer(20, 51)}, ""},
		{"with few winners one of all", "fit;winners=2", ask(20, 50), []Offer{offer(10, 1), offer(10, 2), offer(10, 3), offer(20, 40)}, "4:20@40"},
		{"with few winners a split", "fit;winners=2", ask(20, 50), []Offer{offer(10, 1), offer(11, 2), offer(10, 3), offer(19, 40)}, "1:10@1 2:10@2"},
		{"the cap forbids one", "fit;cap", Request{Quantity: 20, MaxPrice: 50, Cap: 19}, []Offer{offer(20, 1), offer(20, 2)}, "1:19@1 2:1@2"},
		{"everything at its maximum, twice", "fit", ask(most, dearest), []Offer{offer(most-1, dearest), offer(most, dearest)}, "2:65535@4294967295"},
	} {
		n := len(tc.offers)
		f := mustNew(t, tc.policy, n)
		w := world{tc.req, tc.offers}
		inputs := w.inputs(t, f)
		if got := text(w.check(t, f, identity(n), inputs, run(mustBuild(t, f, identity(n)), inputs))); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
		order := identity(n)
		slices.Reverse(order)
		w.check(t, f, order, inputs, run(mustBuild(t, f, order), inputs))
	}
}

func text(r Result) string {
	var wins []string
	for _, w := range r.Wins {
		s := fmt.Sprintf("%d:%d@%d", w.Party, w.Quantity, w.Pays)
		if len(w.Further) > 0 {
			s += fmt.Sprintf("+%v", w.Further)
		}
		wins = append(wins, s)
	}
	return strings.Join(wins, " ")
}

// A no-match tells everybody only that: all outputs are 0.
func TestNoMatchShowsNothing(t *testing.T) {
	for _, policy := range samples() {
		rng := rand.New(rand.NewPCG(41, 42))
		none := 0
		for none < 20 {
			n := 1 + rng.IntN(5)
			f := mustNew(t, policy, n)
			c := mustBuild(t, f, rng.Perm(n))
			for range 10 {
				w := drawing{rng}.world(f.Policy(), n)
				if res, _ := Reference(policy, w.request, w.offers, nil); res.Matched {
					continue
				}
				none++
				for party, out := range run(c, w.inputs(t, f)) {
					if slices.Contains(out, true) {
						t.Fatalf("%s: party %d learns %v of %+v", policy, party, out, w)
					}
				}
			}
		}
	}
}

// Inputs, recipients of outputs and the number of ANDs are the same for each order, and only the order of the template gives the
// template.
func TestOrdersDifferInGatesOnly(t *testing.T) {
	rng := rand.New(rand.NewPCG(15, 16))
	for _, policy := range samples() {
		sizes := []int{1, 2, 3, 4, 7}
		if slices.Contains(Policies(), policy) && !testing.Short() {
			sizes = append(sizes, MaxProviders)
		}
		for _, n := range sizes {
			f := mustNew(t, policy, n)
			template := mustBuild(t, f, identity(n))
			orders := [][]int{rng.Perm(n)}
			if n <= 4 {
				orders = permutations(n)
			}
			for _, order := range orders {
				c := mustBuild(t, f, order)
				if !slices.Equal(c.Inputs, template.Inputs) || c.ANDs() != template.ANDs() || !slices.EqualFunc(c.Outputs, template.Outputs,
					func(a, b circuit.Output) bool { return a.Party == b.Party && a.Class == b.Class }) {
					t.Fatalf("%s: %d providers in order %v: %v, template %v", policy, n, order, c, template)
				}
				if (c.Hash() == template.Hash()) != slices.Equal(order, identity(n)) {
					t.Fatalf("%s: %d providers in order %v: hash and order disagree", policy, n, order)
				}
			}
		}
	}
}

func TestBuildRefusesBadOrders(t *testing.T) {
	for _, policy := range Policies() {
		for _, order := range [][]int{nil, {0, 1}, {0, 1, 1}, {0, 1, 3}, {0, -1, 2}, {0, 1, 2, 3}} {
			if _, err := mustNew(t, policy, 3).Build(order); !errors.Is(err, ErrOrder) {
				t.Errorf("%s: order %v: %v", policy, order, err)
			}
		}
	}
}
