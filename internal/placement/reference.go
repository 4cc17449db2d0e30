package placement

import (
	"math"
	"slices"
)

// Reference computes a policy in plain Go: the circuit's twin for tests. order is that of the leaves, nil the identity; the
// awards are by offer, with a quantity of 0 for those that won nothing. It panics on a policy, an order or an input that is
// none.
func Reference(policy string, req Request, offers []Offer, order []int) (Result, []Award) {
	fn, err := New(policy, len(offers))
	if err != nil {
		panic("placement: " + err.Error())
	}
	if order == nil {
		order = make([]int, len(offers))
		for k := range order {
			order[k] = k
		}
	}
	if err := checkOrder(order, len(offers)); err != nil {
		panic("placement: " + err.Error())
	}
	r := reference{policy: fn.Policy(), request: req, offers: offers}
	var awards []Award
	switch r.policy.Name {
	case LowestPricePolicy:
		awards = r.lowestPrice(order)
	case SecondPricePolicy:
		awards = r.secondPrice(order)
	case SplitPolicy:
		awards = r.split(r.sorted(order))
	case FitPolicy:
		awards = r.fit(order)
	}
	var res Result
	for k, a := range awards {
		if a.Quantity == 0 {
			continue
		}
		if r.policy.Name == SecondPricePolicy {
			a.Price = 0
		}
		res.Matched = true
		res.Wins = append(res.Wins, Win{Party: k + 1, Award: a})
	}
	return res, awards
}

// reference is a policy applied to a request and offers in clear.
type reference struct {
	policy  Policy
	request Request
	offers  []Offer
}

// price is what an offer asks for a unit if so many are taken.
func (r reference) price(k int, quantity uint16) uint32 {
	if r.policy.Tiers {
		return r.offers[k].PriceOf(quantity)
	}
	return r.offers[k].Price
}

func (r reference) handicap(k int) uint64 {
	if len(r.request.Handicaps) == 0 {
		return 0
	}
	return uint64(r.request.Handicaps[k])
}

// has is what an offer can deliver at most: not more than the cap, nothing without enough of the further dimensions.
func (r reference) has(k int) uint16 {
	for i, want := range r.request.Further {
		if r.offers[k].Further[i] < want {
			return 0
		}
	}
	if r.request.Cap > 0 {
		return min(r.offers[k].Quantity, r.request.Cap)
	}
	return r.offers[k].Quantity
}

// rank orders the offers that can win; those that cannot have the highest of all ranks.
func (r reference) rank(k int) uint64 {
	reach := min(r.has(k), r.request.Quantity)
	if reach == 0 || r.price(k, reach) > r.request.MaxPrice {
		return math.MaxUint64
	}
	return uint64(r.price(k, reach)) + r.handicap(k)
}

// best gives the first of the lowest rank among those that have everything; −1 if there is none.
func (r reference) best(order []int) int {
	best := -1
	for _, k := range order {
		if r.rank(k) < math.MaxUint64 && r.has(k) >= r.request.Quantity && (best < 0 || r.rank(k) < r.rank(best)) {
			best = k
		}
	}
	return best
}

func (r reference) award(k int, quantity uint16) Award {
	price := r.price(k, quantity)
	return Award{Quantity: quantity, Price: price, Pays: price, Further: r.request.Further}
}

func (r reference) lowestPrice(order []int) []Award {
	awards := make([]Award, len(r.offers))
	if k := r.best(order); k >= 0 {
		awards[k] = r.award(k, r.request.Quantity)
	}
	return awards
}

func (r reference) secondPrice(order []int) []Award {
	awards := r.lowestPrice(order)
	winner := r.best(order)
	if winner < 0 {
		return awards
	}
	pays := uint64(r.request.MaxPrice)
	others := slices.DeleteFunc(slices.Clone(order), func(k int) bool { return k == winner })
	if next := r.best(others); next >= 0 {
		pays = min(pays, r.rank(next)-r.handicap(winner))
	}
	awards[winner].Pays = uint32(pays)
	return awards
}

// sorted puts the offers in the order of their ranks, or with a bound on the winners the first of them. Of equals it has the order that the sorting network gives to the leaves:
// every one of them comes first under as many orders of the leaves as any other.
func (r reference) sorted(order []int) []int {
	list := slices.Clone(order)
	for _, c := range r.policy.network(len(list)) {
		if r.rank(list[c.High]) < r.rank(list[c.Low]) {
			list[c.Low], list[c.High] = list[c.High], list[c.Low]
		}
	}
	return list
}

func (r reference) split(sorted []int) []Award {
	awards := make([]Award, len(r.offers))
	if r.policy.Winners > 0 {
		sorted = sorted[:min(len(sorted), r.policy.Winners)]
	}
	rest := r.request.Quantity
	for _, k := range sorted {
		if rest == 0 || r.rank(k) == math.MaxUint64 {
			break
		}
		awards[k] = r.award(k, min(rest, r.has(k)))
		rest -= awards[k].Quantity
	}
	dear := func(a Award) bool { return a.Price > r.request.MaxPrice } // at what it delivers, which is less than it could
	if rest > 0 || slices.ContainsFunc(awards, dear) {
		return make([]Award, len(r.offers))
	}
	return awards
}

func (r reference) fit(order []int) []Award {
	sorted := r.sorted(order)
	candidates := sorted
	if r.policy.Winners > 0 && r.policy.Winners < len(sorted) {
		candidates = order // the circuit sorts only as far as it fills; who has everything it looks for among the leaves
	}
	if k := r.best(candidates); k >= 0 {
		awards := make([]Award, len(r.offers))
		awards[k] = r.award(k, r.request.Quantity)
		return awards
	}
	return r.split(sorted)
}
