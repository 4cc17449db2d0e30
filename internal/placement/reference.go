package placement

// Reference computes a policy in plain Go: the circuit's twin for tests. order is that of the leaves, nil the identity; the
// awards are by offer, with a quantity of 0 for those that won nothing. It panics on a policy, an order or an input that is
// none.
func Reference(policy string, req Request, offers []Offer, order []int) (Result, []Award) {
	if order == nil {
		order = make([]int, len(offers))
		for k := range order {
			order[k] = k
		}
	}
	if _, err := New(policy, len(offers)); err != nil {
		panic("placement: " + err.Error())
	}
	if err := checkOrder(order, len(offers)); err != nil {
		panic("placement: " + err.Error())
	}
	awards := make([]Award, len(offers))
	best := -1
	for _, k := range order {
		o := offers[k]
		fits := req.Quantity > 0 && o.Quantity >= req.Quantity && o.Price <= req.MaxPrice
		if fits && (best < 0 || o.Price < offers[best].Price) {
			best = k
		}
	}
	if best < 0 {
		return Result{}, awards
	}
	price := offers[best].Price
	awards[best] = Award{Quantity: req.Quantity, Price: price, Pays: price}
	return Result{Matched: true, Wins: []Win{{Party: best + 1, Award: awards[best]}}}, awards
}
