package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

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
	class    market.Class
	policy   string
	quantity market.Quantity
	maxPrice market.Price
	offers   []scenarioOffer
}

type scenarioOffer struct {
	name     string
	quantity market.Quantity
	price    market.Price
}

// scenarioFile is the file as it is written; values stay untyped until they are checked, so that an error can say where.
type scenarioFile struct {
	Class   any `json:"class"`
	Policy  any `json:"policy"`
	Request *struct {
		Quantity any `json:"quantity"`
		MaxPrice any `json:"maxPrice"`
	} `json:"request"`
	Offers []struct {
		Name     any `json:"name"`
		Quantity any `json:"quantity"`
		Price    any `json:"price"`
		Handicap any `json:"handicap"`
	} `json:"offers"`
}

var documentMark = regexp.MustCompile(`(?m)^---\s*$`)

// parseScenario reads a scenario in YAML or JSON; unknown and repeated fields are refused. class (default cpu=1,memory=1Gi),
// policy (default lowest-price) and maxPrice (default none) may be left out.
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
	s := &scenario{policy: placement.LowestPricePolicy, maxPrice: market.NoMaximum}
	if err := s.readTerms(f); err != nil {
		return nil, err
	}
	if f.Request == nil {
		return nil, errors.New("request is missing")
	}
	var err error
	if s.quantity, err = quantityAt("request.quantity", f.Request.Quantity); err != nil {
		return nil, err
	}
	if s.quantity == 0 {
		return nil, errors.New("request.quantity is 0, it must be 1 to 65535; for example 32")
	}
	if f.Request.MaxPrice != nil {
		if s.maxPrice, err = priceAt("request.maxPrice", f.Request.MaxPrice); err != nil {
			return nil, err
		}
	}
	if err := s.readOffers(f); err != nil {
		return nil, err
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
	if s.policy, err = textAt("policy", f.Policy, placement.LowestPricePolicy); err != nil {
		return err
	}
	if known := placement.Policies(); !slices.Contains(known, s.policy) {
		return fmt.Errorf("policy %q is not supported by this version, it has %s", clean(s.policy), strings.Join(known, ", "))
	}
	return nil
}

func (s *scenario) readOffers(f scenarioFile) error {
	if n := len(f.Offers); n < 1 || n > placement.MaxProviders {
		return fmt.Errorf("has %d offers, there must be 1 to %d", n, placement.MaxProviders)
	}
	seen := map[string]bool{}
	for i, o := range f.Offers {
		at := func(field string) string { return fmt.Sprintf("offers[%d].%s", i, field) }
		name, err := textAt(at("name"), o.Name, "")
		switch {
		case err != nil:
			return err
		case name == "" || len(name) > maxScenarioName || name != clean(name) || strings.ContainsAny(name, " \t"):
			return fmt.Errorf("%s must be 1 to %d characters without blanks; for example a", at("name"), maxScenarioName)
		case seen[name]:
			return fmt.Errorf("%s %q is given twice", at("name"), name)
		case o.Handicap != nil:
			return fmt.Errorf("%s is not supported by this version", at("handicap"))
		}
		seen[name] = true
		q, err := quantityAt(at("quantity"), o.Quantity)
		if err != nil {
			return err
		}
		p, err := priceAt(at("price"), o.Price)
		if err != nil {
			return err
		}
		s.offers = append(s.offers, scenarioOffer{name, q, p})
	}
	return nil
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
