package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"

	"sigs.k8s.io/yaml"

	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/placement"
)

// Bounds of a scenario file.
const (
	maxScenario     = 256 << 10 // bytes
	maxScenarioName = 64
)

const scenarioExample = `for example:
  class: cpu=1,memory=1Gi
  policy: lowest-price
  request: {quantity: 32, maxPrice: "0.05"}
  offers:
    - {name: a, quantity: 40, price: "0.031"}`

// scenario is a match to be simulated.
type scenario struct {
	class   market.Class
	policy  placement.Policy
	request placement.Request
	offers  []scenarioOffer
}

type scenarioOffer struct {
	name string
	placement.Offer
}

// scenarioFile is the file as it is written; values stay untyped until they are checked, so that an error can say where.
type scenarioFile struct {
	Class   any `json:"class"`
	Policy  any `json:"policy"`
	Request *struct {
		Quantity   any            `json:"quantity"`
		MaxPrice   any            `json:"maxPrice"`
		MaxShare   any            `json:"maxShare"`
		MinWinners any            `json:"minWinners"`
		MaxWinners any            `json:"maxWinners"`
		Further    map[string]any `json:"further"`
	} `json:"request"`
	Offers []scenarioOfferFile `json:"offers"`
}

type scenarioOfferFile struct {
	Name     any            `json:"name"`
	Quantity any            `json:"quantity"`
	Price    any            `json:"price"`
	Steps    []scenarioStep `json:"steps"`
	Handicap any            `json:"handicap"`
	Further  map[string]any `json:"further"`
}

type scenarioStep struct {
	From  any `json:"from"`
	Price any `json:"price"`
}

var documentMark = regexp.MustCompile(`(?m)^---\s*$`)

// parseScenario reads a scenario in YAML or JSON; unknown and repeated fields are refused. class (default cpu=1,memory=1Gi),
// policy (default lowest-price) and maxPrice (default none) may be left out. What a scenario has of handicaps, steps, shares and
// further dimensions becomes parameters of the policy, if it does not name them itself.
func parseScenario(data []byte) (*scenario, error) {
	if len(data) > maxScenario {
		return nil, fmt.Errorf("is larger than %d bytes", maxScenario)
	}
	if marks := documentMark.FindAllIndex(data, -1); len(marks) > 1 || len(marks) == 1 && len(bytes.TrimSpace(data[:marks[0][0]])) > 0 {
		return nil, errors.New("has more than one YAML document")
	}
	var f scenarioFile
	useNumber := func(d *json.Decoder) *json.Decoder { d.UseNumber(); return d }
	if err := yaml.UnmarshalStrict(data, &f, useNumber); err != nil {
		return nil, fmt.Errorf("is not a scenario: %w", err)
	}
	s := &scenario{}
	for _, read := range []func(scenarioFile) error{s.readTerms, s.readRequest, s.readOffers, s.readSpread} {
		if err := read(f); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// readTerms reads class and policy.
func (s *scenario) readTerms(f scenarioFile) error {
	class, err := textAt("class", f.Class, "cpu=1,memory=1Gi")
	if err != nil {
		return err
	}
	if s.class, err = market.ParseClass(class); err != nil {
		return err
	}
	policy, err := textAt("policy", f.Policy, placement.LowestPricePolicy)
	if err != nil {
		return err
	}
	if s.policy, err = placement.ParsePolicy(policy); err != nil {
		return err
	}
	if f.Request == nil {
		return errors.New("request is missing")
	}
	return s.addParameters(f)
}

func (s *scenario) readRequest(f scenarioFile) error {
	quantity, err := quantityAt("request.quantity", f.Request.Quantity)
	if err != nil {
		return err
	}
	if quantity == 0 {
		return errors.New("request.quantity is 0, it must be 1 to 65535; for example 32")
	}
	maximum := market.NoMaximum
	if f.Request.MaxPrice != nil {
		if maximum, err = priceAt("request.maxPrice", f.Request.MaxPrice); err != nil {
			return err
		}
	}
	s.request.Quantity, s.request.MaxPrice = uint16(quantity), uint32(maximum)
	s.request.Further, err = s.furtherAt("request.further", f.Request.Further)
	return err
}

func textAt(field string, v any, otherwise string) (string, error) {
	switch t := v.(type) {
	case nil:
		return otherwise, nil
	case string:
		return t, nil
	case json.Number:
		return t.String(), nil
	case bool:
		return "", fmt.Errorf("%s is a word that YAML takes for true or false: put it in quotes", field)
	}
	return "", fmt.Errorf("%s is not a text", field)
}

func quantityAt(field string, v any) (market.Quantity, error) {
	n, ok := v.(json.Number)
	if !ok {
		if v == nil {
			return 0, fmt.Errorf("%s is missing; for example 32", field)
		}
		return 0, fmt.Errorf("%s is not a number; for example 32", field)
	}
	q, err := market.ParseQuantity(n.String())
	return q, market.InField(field, err)
}

func priceAt(field string, v any) (market.Price, error) {
	switch t := v.(type) {
	case nil:
		return 0, fmt.Errorf(`%s is missing; for example "0.031"`, field)
	case string:
		p, err := market.ParsePrice(t)
		return p, market.InField(field, err)
	}
	return 0, fmt.Errorf(`%s must be a decimal in quotes; for example "0.031"`, field)
}
