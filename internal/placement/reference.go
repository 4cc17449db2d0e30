package placement

// Result is what all parties learn from a match: Providers[k] is for party k+1.
type Result struct {
	Requester RequesterResult
	Providers []ProviderResult
}

// Reference computes lowest-price in plain Go: the circuit's twin for tests. order is that of the leaves, nil the identity.
// It panics unless order is a permutation of the offers.
func Reference(req Request, offers []Offer, order []int) Result {
	if order == nil {
		order = make([]int, len(offers))
		for k := range order {
			order[k] = k
		}
	}
	if err := checkOrder(order, len(offers)); err != nil {
		panic("placement: " + err.Error())
	}
	res := Result{Providers: make([]ProviderResult, len(offers))}
	best := -1
	for _, k := range order {
		o := offers[k]
		fits := req.Quantity > 0 && o.Quantity >= req.Quantity && o.Price <= req.MaxPrice
		if fits && (best < 0 || o.Price < offers[best].Price) {
			best = k
		}
	}
	if best >= 0 {
		res.Requester = RequesterResult{Matched: true, Winner: best + 1, Price: offers[best].Price}
		res.Providers[best] = ProviderResult{Won: true, Quantity: req.Quantity}
	}
	return res
}
