package cli

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	mathrand "math/rand/v2"
	"slices"
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
		{`{"policy": "cheapest", ` + request + `}`, `placement policy "cheapest": this version has fit, lowest-price, second-price, split`},
		{`{"policy": "lowest-price;winners=3", ` + request + `}`, "winners belongs to split and fit"},
		{`{"policy": "second-price", "request": {"quantity": 3, "minWinners": 2}}`, "cap belongs to split and fit"},
		{`{"policy": "split", "request": {"quantity": 3, "maxWinners": 9}}`, "request.maxWinners must be a number from 2 to 8"},
		{`{"policy": "split", "request": {"quantity": 3, "maxShare": 50}, "offers": [{"name": "a", "quantity": 1, "price": "1"}]}`, "request.maxShare must be a share, more than 0%"},
		{`{"policy": "split", "request": {"quantity": 3, "maxShare": "101%"}, "offers": [{"name": "a", "quantity": 1, "price": "1"}]}`, "at most 100%"},
		{`{"policy": "split", "request": {"quantity": 3, "maxShare": "30%"}, "offers": [{"name": "a", "quantity": 1, "price": "1"}]}`, "shares cannot add up: the largest share is less than one unit"},
		{`{"policy": "split", "request": {"quantity": 3, "minWinners": 4}, "offers": [{"name": "a", "quantity": 1, "price": "1"}]}`, "shares cannot add up: there are fewer units than winners"},
		{`{"policy": "split", "request": {"quantity": 9, "minWinners": 0}, "offers": [{"name": "a", "quantity": 1, "price": "1"}]}`, "request.minWinners must be a number from 1 to 64"},
		{`{"policy": "split", "request": {"quantity": 9, "maxShare": "50%"}, "offers": [{"name": "a", "quantity": 9, "price": "1"}]}`, "shares cannot add up: so many units need more providers"},
		{`{"request": {"quantity": 3, "further": {"storage": -1}}, "offers": []}`, "request.further.storage: must not be negative"},
		{`{"request": {"quantity": 3, "further": {"a": 1, "b": 1, "c": 1, "d": 1, "e": 1}}, "offers": []}`, "with must be 1 to 4 different names"},
		{`{` + request + `, "offers": [{"name": "a", "quantity": 1, "price": "1", "further": {"no name": 1}}]}`, "with must be 1 to 4 different names"},
		{`{` + request + `, "offers": [{"name": "a", "quantity": 1, "price": "1", "further": {"gpu": "x"}}]}`, "offers[0].further.gpu is not a number"},
		{`{` + request + `, "offers": [{"name": "a", "quantity": 1, "price": "1", "steps": [{"from": 1, "price": "1"}]}]}`, "offers[0].price is given beside offers[0].steps"},
		{`{` + request + `, "offers": [{"name": "a", "quantity": 1, "steps": []}]}`, "offers[0].steps has 0 steps"},
		{`{` + request + `, "offers": [{"name": "a", "quantity": 1, "steps": [{"from": 2, "price": "1"}]}]}`, "offers[0].steps[0].from must be 1"},
		{`{` + request + `, "offers": [{"name": "a", "quantity": 1, "steps": [{"from": 1, "price": "1"}, {"from": 1, "price": "1"}]}]}`, "offers[0].steps[1].from must be more"},
		{`{` + request + `, "offers": [{"name": "a", "quantity": 1, "steps": [{"from": 1, "price": 1}]}]}`, "offers[0].steps[0].price must be a decimal in quotes"},
		{`{` + request + `, "offers": [{"quantity": 1, "price": "1"}]}`, "offers[0].name must be 1 to 64 characters"},
		{`{` + request + `, "offers": [{"name": "a b", "quantity": 1, "price": "1"}]}`, "offers[0].name must be"},
		{`{` + request + `, "offers": [{"name": "a", "quantity": 1, "price": "1"}, {"name": "a", "quantity": 1, "price": "1"}]}`, `offers[1].name "a" is given twice`},
		{`{` + request + `, "offers": [{"name": "a", "price": "1"}]}`, "offers[0].quantity is missing"},
		{`{` + request + `, "offers": [{"name": "a", "quantity": 65536, "price": "1"}]}`, "offers[0].quantity: is more than 65535"},
		{`{` + request + `, "offers": [{"name": "a", "quantity": 1}]}`, "offers[0].price is missing"},
		{`{` + request + `, "offers": [{"name": "a", "quantity": 1, "price": "0.0000001"}]}`, "offers[0].price: has more than six decimals"},
		{`{` + request + `, "offers": [{"name": "a", "quantity": 1, "price": "5000"}]}`, "offers[0].price: is more than 4294.967295"},
		{`{` + request + `, "offers": [{"name": "a", "quantity": 1, "price": "1", "handicap": 0.1}]}`, "offers[0].handicap must be a decimal in quotes"},
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
	if got.class.String() != "arch=amd64,cpu=1,currency=USD,memory=1Gi" || got.policy.String() != "lowest-price" || got.request.Quantity != 65535 || got.request.MaxPrice != 50000 {
		t.Errorf("%+v", got)
	}
	if o := got.offers[0]; len(got.offers) != 1 || o.name != "1" || o.Quantity != 0 || o.Price != 1<<32-1 {
		t.Errorf("%+v", got.offers)
	}
	// JSON is YAML; without a maximum any price will do.
	got, err = parseScenario([]byte(`{"request": {"quantity": 1}, "offers": [{"name": "a", "quantity": 1, "price": "1"}]}`))
	if err != nil || got.request.MaxPrice != uint32(market.NoMaximum) {
		t.Errorf("%+v, %v", got, err)
	}
}

// FuzzScenario: a file that is accepted is within every bound.
func FuzzScenario(f *testing.F) {
	f.Add([]byte("class: cpu=1,memory=1Gi\npolicy: lowest-price\nrequest: {quantity: 32, maxPrice: \"0.05\"}\noffers:\n  - {name: a, quantity: 40, price: \"0.031\"}\n"))
	f.Add([]byte(`{"request":{"quantity":1},"offers":[{"name":"a","quantity":0,"price":"0"}]}`))
	f.Add([]byte(`{"policy":"fit;winners=2","request":{"quantity":9,"maxShare":"50%","minWinners":2,"further":{"gpu":1}},"offers":[` +
		`{"name":"a","quantity":9,"steps":[{"from":1,"price":"1"},{"from":5,"price":"0.5"}],"handicap":"0.1","further":{"gpu":2}},{"name":"b","quantity":9,"price":"1"}]}`))
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte("---\n---\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		s, err := parseScenario(file)
		if err != nil {
			return
		}
		if s.request.Quantity == 0 || len(s.offers) == 0 || len(s.offers) > placement.MaxProviders || s.class.Validate() != nil {
			t.Fatalf("accepted %+v", s)
		}
		f, err := placement.New(s.policy.String(), len(s.offers))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.inputs(f); err != nil {
			t.Fatal(err)
		}
	})
}

// What a scenario makes use of becomes parameters of its policy.
func TestScenarioParameters(t *testing.T) {
	got, err := parseScenario([]byte(`
policy: fit
request: {quantity: 21, maxShare: 0.5, minWinners: 3, maxWinners: 4, further: {storage: 5}}
offers:
  - {name: a, quantity: 40, steps: [{from: 1, price: "0.03"}, {from: 9, price: "0.025"}], further: {storage: 7, gpu: 1}}
  - {name: b, quantity: 16, price: "0.020", handicap: "0.001"}
  - {name: c, quantity: 16, price: "0.020"}
`))
	if err != nil {
		t.Fatal(err)
	}
	if p := got.policy.String(); p != "fit;cap;handicap;tiers;winners=4;with=gpu,storage" {
		t.Errorf("policy %s", p)
	}
	if r := got.request; r.Cap != 10 || !slices.Equal(r.Handicaps, []uint32{0, 1000, 0}) || !slices.Equal(r.Further, []uint16{0, 5}) {
		t.Errorf("%+v", r)
	}
	if o := got.offers[0]; len(o.Steps) != 2 || o.Steps[1] != (placement.Step{From: 9, Price: 25_000}) || !slices.Equal(o.Further, []uint16{1, 7}) {
		t.Errorf("%+v", o)
	}
}

// TestSimulateAgreesWithTheReference runs small scenarios of each function through the whole protocol. Prices are all different,
// so that the coin has nothing to choose.
func TestSimulateAgreesWithTheReference(t *testing.T) {
	policies := []string{"lowest-price", "split", "fit", "second-price", "lowest-price;handicap;tiers;with=gpu", "split;cap;winners=2"}
	if testing.Short() { // under the race detector each takes ten times as long
		policies = policies[:2]
	}
	rng := mathrand.New(mathrand.NewPCG(1, 2))
	for run, policy := range policies {
		p, err := placement.ParsePolicy(policy)
		if err != nil {
			t.Fatal(err)
		}
		s := &scenario{policy: p, request: placement.Request{Quantity: uint16(1 + rng.IntN(9)), MaxPrice: 9, Further: make([]uint16, len(p.Further))}}
		if run == 0 { // the largest numbers that there are
			s.request.Quantity, s.request.MaxPrice = uint16(market.MaxQuantity), uint32(market.NoMaximum)
		}
		var offers []placement.Offer
		for i, price := range rng.Perm(3) {
			o := placement.Offer{Quantity: uint16(rng.IntN(9)), Price: uint32(price), Further: make([]uint16, len(p.Further))}
			if run == 0 && i == 0 {
				o.Quantity, o.Price = uint16(market.MaxQuantity), uint32(market.NoMaximum)
			}
			s.offers = append(s.offers, scenarioOffer{fmt.Sprint(i), o})
			offers = append(offers, o)
		}
		m, err := simulate(t.Context(), s, rand.Reader, time.Now, nil)
		if err != nil {
			t.Fatal(err)
		}
		want, awards := placement.Reference(policy, s.request, offers, nil)
		if got, want := fmt.Sprintf("%+v %+v", m.requester, m.providers), fmt.Sprintf("%+v %+v", want, awards); got != want {
			t.Errorf("%s of %+v:\n got %s\nwant %s", policy, s, got, want)
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
