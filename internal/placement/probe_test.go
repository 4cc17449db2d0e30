package placement

import "testing"

// probe runs a policy on offers of one unit each and gives what the requester learns.
func probe(t *testing.T, policy string, req Request, offers []Offer) Result {
	t.Helper()
	f := mustNew(t, policy, len(offers))
	w := world{req, offers}
	inputs := w.inputs(t, f)
	return f.Result(inputs[0], run(mustBuild(t, f, identity(len(offers))), inputs)[0])
}

// What a requester that only wants to know can choose to learn from one match, as docs/placement.md says: with handicaps whose
// price, also of one that does not win; by a split what nearly everybody has and asks.
func TestWhatAProbeTells(t *testing.T) {
	prices := []uint32{500, 321, 77, 250}
	var offers []Offer
	for k, p := range prices {
		offers = append(offers, Offer{Quantity: uint16(10 + k), Price: p})
	}
	const apart = 1 << 20 // more than any price
	for target := range prices {
		handicaps := []uint32{apart, apart, apart, apart}
		handicaps[target] = 0
		req := Request{Quantity: 1, MaxPrice: dearest, Handicaps: handicaps}
		if r := probe(t, "lowest-price;handicap", req, offers); r.Wins[0].Party != target+1 || r.Wins[0].Price != prices[target] {
			t.Errorf("price of provider %d: %+v", target+1, r)
		}
		for winner := range prices {
			if winner == target {
				continue
			}
			handicaps = []uint32{2 * apart, 2 * apart, 2 * apart, 2 * apart}
			handicaps[winner], handicaps[target] = 0, apart
			req.Handicaps = handicaps
			if r := probe(t, "second-price;handicap", req, offers); r.Wins[0].Party != winner+1 || r.Wins[0].Pays != prices[target]+apart {
				t.Errorf("price of provider %d, which loses to %d: %+v", target+1, winner+1, r)
			}
		}
	}
	r := probe(t, "split", Request{Quantity: 10 + 11 + 12 + 13, MaxPrice: dearest}, offers)
	for k, w := range r.Wins {
		if w.Quantity != offers[k].Quantity || w.Price != offers[k].Price {
			t.Errorf("a split tells %+v", r)
		}
	}
	if len(r.Wins) != len(offers) {
		t.Errorf("a split tells %+v", r)
	}
}

// The winner of second-price who is alone is told the requester's maximum.
func TestSecondPriceTellsTheMaximum(t *testing.T) {
	f := mustNew(t, "second-price", 2)
	w := world{Request{Quantity: 5, MaxPrice: 777}, []Offer{{Quantity: 5, Price: 10}, {Quantity: 4, Price: 1}}}
	inputs := w.inputs(t, f)
	if a, won := f.Award(1, inputs[1], run(mustBuild(t, f, identity(2)), inputs)[1]); !won || a.Pays != 777 {
		t.Errorf("%+v", a)
	}
}
