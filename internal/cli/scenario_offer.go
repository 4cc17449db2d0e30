package cli

import (
	"fmt"
	"strings"

	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/placement"
)

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
		}
		seen[name] = true
		offer, err := s.offerAt(at, o)
		if err != nil {
			return err
		}
		s.offers = append(s.offers, scenarioOffer{name, offer})
		if s.policy.Handicap {
			var h market.Price
			if o.Handicap != nil {
				if h, err = priceAt(at("handicap"), o.Handicap); err != nil {
					return err
				}
			}
			s.request.Handicaps = append(s.request.Handicaps, uint32(h))
		}
	}
	return nil
}

func (s *scenario) offerAt(at func(string) string, o scenarioOfferFile) (placement.Offer, error) {
	var offer placement.Offer
	quantity, err := quantityAt(at("quantity"), o.Quantity)
	if err != nil {
		return offer, err
	}
	offer.Quantity = uint16(quantity)
	switch {
	case o.Price != nil && o.Steps != nil:
		return offer, fmt.Errorf("%s is given beside %s: there is one or the other", at("price"), at("steps"))
	case o.Steps == nil:
		price, wrong := priceAt(at("price"), o.Price)
		if wrong != nil {
			return offer, wrong
		}
		offer.Price = uint32(price)
	default:
		if offer.Steps, err = stepsAt(at("steps"), o.Steps); err != nil {
			return offer, err
		}
	}
	offer.Further, err = s.furtherAt(at("further"), o.Further)
	return offer, err
}

// stepsAt reads a supply curve.
func stepsAt(field string, steps []scenarioStep) ([]placement.Step, error) {
	if n := len(steps); n < 1 || n > placement.MaxSteps {
		return nil, fmt.Errorf("%s has %d steps, there must be 1 to %d", field, n, placement.MaxSteps)
	}
	var all []placement.Step
	for k, step := range steps {
		at := fmt.Sprintf("%s[%d]", field, k)
		from, err := quantityAt(at+".from", step.From)
		if err != nil {
			return nil, err
		}
		switch {
		case k == 0 && from != 1:
			return nil, fmt.Errorf("%s.from must be 1: the first step begins with the first unit", at)
		case k > 0 && uint16(from) <= all[k-1].From:
			return nil, fmt.Errorf("%s.from must be more than that of the step before", at)
		}
		price, err := priceAt(at+".price", step.Price)
		if err != nil {
			return nil, err
		}
		all = append(all, placement.Step{From: uint16(from), Price: uint32(price)})
	}
	return all, nil
}

// furtherAt reads a number for each further dimension of the policy, 0 for what is not there.
func (s *scenario) furtherAt(field string, given map[string]any) ([]uint16, error) {
	var all []uint16
	for _, name := range s.policy.Further {
		v, ok := given[name]
		if !ok {
			all = append(all, 0)
			continue
		}
		q, err := quantityAt(field+"."+name, v)
		if err != nil {
			return nil, err
		}
		all = append(all, uint16(q))
	}
	return all, nil
}
