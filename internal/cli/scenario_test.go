package cli

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	mathrand "math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/placement"
)

// TestScenarioRefused: what is wrong is named with its place.
func TestScenarioRefused(t *testing.T) {
	const request = `"request": {"quantity": 3}`
	for _, tc := range []struct{ file, want string }{
		{``, "request is missing"},
		{`[]`, "is not a scenario"},
		{`{"request": {"quantity": 3}, "offers": []}`, "has 0 offers, there must be 1 to 64"},
		{`{` + request + `, "offers": [` + strings.TrimSuffix(strings.Repeat(`{"name":"a","quantity":1,"price":"1"},`, 65), ",") + `]}`, "has 65 offers"},
		{`{` + request + `, "ofers": []}`, `unknown field "ofers"`},
		{`{"request": {"quantity": 3, "max": 1}}`, `unknown field "max"`},
		{"request: {quantity: 3}\nrequest: {quantity: 3}\n", "already set"},
		{"request: {quantity: 3}\n---\nrequest: {quantity: 3}\n", "more than one YAML document"},
		{`{"request": {}}`, "request.quantity is missing"},
		{`{"request": {"quantity": 0}}`, "request.quantity is 0, it must be 1 to 65535"},
		{`{"request": {"quantity": -1}}`, "request.quantity: must not be negative"},
		{`{"request": {"quantity": 65536}}`, "request.quantity: is more than 65535 units"},
		{`{"request": {"quantity": 1.5}}`, "request.quantity: is not a whole decimal number"},
		{`{"request": {"quantity": "3"}}`, "request.quantity is not a number"},
		{`{"request": {"quantity": 3, "maxPrice": 0.05}}`, "request.maxPrice must be a decimal in quotes"},
		{`{"request": {"quantity": 3, "maxPrice": "-1"}}`, "request.maxPrice: must not be negative"},
		{`{"class": [], ` + request + `}`, "class is not a text"},
		{`{"class": 5, ` + request + `}`, "class: "},
		{"request: {quantity: 3}\noffers: [{name: n, quantity: 1, price: '1'}]", "offers[0].name is a word that YAML takes for true or false: put it in quotes"},
		{`{"class": "cpu=1", ` + request + `}`, "class: has no memory"},
		{`{"policy": "split", ` + request + `}`, `policy "split" is not supported by this version, it has lowest-price`},
		{`{` + request + `, "offers": [{"quantity": 1, "price": "1"}]}`, "offers[0].name must be 1 to 64 characters"},
		{`{` + request + `, "offers": [{"name": "a b", "quantity": 1, "price": "1"}]}`, "offers[0].name must be"},
		{`{` + request + `, "offers": [{"name": "a", "quantity": 1, "price": "1"}, {"name": "a", "quantity": 1, "price": "1"}]}`, `offers[1].name "a" is given twice`},
		{`{` + request + `, "offers": [{"name": "a", "price": "1"}]}`, "offers[0].quantity is missing"},
		{`{` + request + `, "offers": [{"name": "a", "quantity": 65536, "price": "1"}]}`, "offers[0].quantity: is more than 65535"},
		{`{` + request + `, "offers": [{"name": "a", "quantity": 1}]}`, "offers[0].price is missing"},
		{`{` + request + `, "offers": [{"name": "a", "quantity": 1, "price": "0.0000001"}]}`, "offers[0].price: has more than six decimals"},
		{`{` + request + `, "offers": [{"name": "a", "quantity": 1, "price": "5000"}]}`, "offers[0].price: is more than 4294.967295"},
		{`{` + request + `, "offers": [{"name": "a", "quantity": 1, "price": "1", "handicap": "0.1"}]}`, "offers[0].handicap is not supported by this version"},
		{strings.Repeat(" ", maxScenario+1), "is larger than"},
	} {
		if s, err := parseScenario([]byte(tc.file)); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%.80s\n got %+v, %v\nwant %s", tc.file, s, err, tc.want)
		}
	}
}

func TestScenarioRead(t *testing.T) {
	got, err := parseScenario([]byte("---\nclass: memory=1024Mi, cpu=1000m\nrequest: {quantity: 65535, maxPrice: \"0.050\"}\noffers:\n  - {name: 1, quantity: 0, price: \"4294.967295\"}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got.class.String() != "arch=amd64,cpu=1,currency=USD,memory=1Gi" || got.policy != "lowest-price" || got.quantity != 65535 || got.maxPrice != 50000 {
		t.Errorf("%+v", got)
	}
	if o := got.offers[0]; len(got.offers) != 1 || o.name != "1" || o.quantity != 0 || o.price != 1<<32-1 {
		t.Errorf("%+v", got.offers)
	}
	// JSON is YAML; without a maximum any price will do.
	got, err = parseScenario([]byte(`{"request": {"quantity": 1}, "offers": [{"name": "a", "quantity": 1, "price": "1"}]}`))
	if err != nil || got.maxPrice != market.NoMaximum {
		t.Errorf("%+v, %v", got, err)
	}
}

// FuzzScenario: a file that is accepted is within every bound.
func FuzzScenario(f *testing.F) {
	f.Add([]byte("class: cpu=1,memory=1Gi\npolicy: lowest-price\nrequest: {quantity: 32, maxPrice: \"0.05\"}\noffers:\n  - {name: a, quantity: 40, price: \"0.031\"}\n"))
	f.Add([]byte(`{"request":{"quantity":1},"offers":[{"name":"a","quantity":0,"price":"0"}]}`))
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte("---\n---\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		s, err := parseScenario(file)
		if err != nil {
			return
		}
		if s.quantity == 0 || len(s.offers) == 0 || len(s.offers) > placement.MaxProviders || s.class.Validate() != nil {
			t.Fatalf("accepted %+v", s)
		}
		if _, err := placement.New(s.policy, len(s.offers)); err != nil {
			t.Fatal(err)
		}
	})
}

// TestSimulateAgreesWithTheReference runs small random scenarios, many of them tied, through the whole protocol.
func TestSimulateAgreesWithTheReference(t *testing.T) {
	runs := 6
	if testing.Short() { // under the race detector each takes ten times as long
		runs = 2
	}
	rng := mathrand.New(mathrand.NewPCG(1, 2))
	for run := range runs {
		s := &scenario{policy: placement.LowestPricePolicy, quantity: market.Quantity(1 + rng.IntN(3)), maxPrice: market.Price(rng.IntN(4))}
		if run == 0 { // the largest numbers that there are
			s.quantity, s.maxPrice = market.MaxQuantity, market.NoMaximum
		}
		req := placement.Request{Quantity: uint16(s.quantity), MaxPrice: uint32(s.maxPrice)}
		var offers []placement.Offer
		for i := range 1 + run%3 {
			o := scenarioOffer{fmt.Sprint(i), market.Quantity(rng.IntN(5)), market.Price(rng.IntN(4))}
			if run == 0 {
				o.quantity, o.price = market.MaxQuantity, market.NoMaximum
			}
			s.offers = append(s.offers, o)
			offers = append(offers, placement.Offer{Quantity: uint16(o.quantity), Price: uint32(o.price)})
		}
		m, err := simulate(t.Context(), s, rand.Reader, time.Now, nil)
		if err != nil {
			t.Fatal(err)
		}
		want, _ := placement.Reference(s.policy, req, offers, nil)
		if m.requester.Matched != want.Matched {
			t.Errorf("%+v: %+v, reference %+v", s, m.requester, want)
		}
		for k, w := range m.requester.Wins { // of equals the coin chooses
			if o := offers[w.Party-1]; o.Price != want.Wins[k].Price || w.Award.Price != o.Price || o.Quantity < req.Quantity {
				t.Errorf("%+v: provider %d won", s, w.Party)
			}
		}
	}
}

// TestSimulateKeys pins the keys that scripts rely on.
func TestSimulateKeys(t *testing.T) {
	r := simulateResult{Matched: true, Allocations: []allocation{{"a", 32, 31000, 31000}}, ANDGates: 800, Seconds: 0.5}
	r.Flights.ToRequester, r.Flights.ToWinner = 8, 9
	r.BytesSent.Requester, r.BytesSent.ProviderMax = 1, 2
	const want = `{"matched":true,"allocations":[{"provider":"a","quantity":32,"price":"0.031","pays":"0.031"}],"andGates":800,` +
		`"flights":{"toRequester":8,"toWinner":9},"bytesSent":{"requester":1,"providerMax":2},"seconds":0.5}`
	if got, err := json.Marshal(r); err != nil || string(got) != want {
		t.Errorf("got %s, %v\nwant %s", got, err, want)
	}
}
