package cli

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/placement"
)

// addParameters gives the policy the parameters that the scenario makes use of.
func (s *scenario) addParameters(f scenarioFile) error {
	p, r := s.policy, f.Request
	p.Cap = p.Cap || r.MaxShare != nil || r.MinWinners != nil
	dimensions := map[string]bool{}
	for _, d := range p.Further {
		dimensions[d] = true
	}
	for name := range r.Further {
		dimensions[name] = true
	}
	for _, o := range f.Offers {
		p.Handicap = p.Handicap || o.Handicap != nil
		p.Tiers = p.Tiers || o.Steps != nil
		for name := range o.Further {
			dimensions[name] = true
		}
	}
	p.Further = nil
	for name := range dimensions {
		p.Further = append(p.Further, name)
	}
	slices.Sort(p.Further)
	if r.MaxWinners != nil {
		n, err := numberAt("request.maxWinners", r.MaxWinners, placement.MinWinners, placement.MaxWinners)
		if err != nil {
			return err
		}
		p.Winners = n
	}
	var err error
	s.policy, err = placement.ParsePolicy(p.String()) // refuses what does not go together
	return err
}

// readSpread reads what is to come from one provider at most; the offers are known by then.
func (s *scenario) readSpread(f scenarioFile) error {
	if !s.policy.Cap {
		return nil
	}
	var spread placement.Spread
	var err error
	if v := f.Request.MaxShare; v != nil {
		if spread.MaxShare, err = shareAt("request.maxShare", v); err != nil {
			return err
		}
	}
	if v := f.Request.MinWinners; v != nil {
		if spread.MinWinners, err = numberAt("request.minWinners", v, 1, placement.MaxProviders); err != nil {
			return err
		}
	}
	if s.request.Cap, err = spread.Cap(s.request.Quantity); err != nil {
		return fmt.Errorf("request: %w", err)
	}
	if !s.policy.Suffices(s.request.Quantity, s.request.Cap, len(s.offers)) {
		return fmt.Errorf("request: %w: so many units need more providers than there are, or may win", placement.ErrSpread)
	}
	return nil
}

// shareAt reads a share of the whole in millionths: 50% or 0.5.
func shareAt(field string, v any) (uint32, error) {
	wrong := fmt.Errorf(`%s must be a share, more than 0%% and at most 100%%; for example 50%%`, field)
	var text string
	switch t := v.(type) {
	case string:
		text = t
	case json.Number:
		text = t.String()
	default:
		return 0, wrong
	}
	percent, isPercent := strings.CutSuffix(text, "%")
	p, err := market.ParsePrice(percent) // a decimal of up to six places
	share := uint64(p)
	if isPercent {
		share /= 100
	}
	if err != nil || share == 0 || share > placement.WholeShare {
		return 0, wrong
	}
	return uint32(share), nil
}

func numberAt(field string, v any, least, most int) (int, error) {
	n, ok := v.(json.Number)
	if ok {
		if k, err := strconv.Atoi(n.String()); err == nil && k >= least && k <= most {
			return k, nil
		}
	}
	return 0, fmt.Errorf("%s must be a number from %d to %d; for example %d", field, least, most, min(max(least, 3), most))
}
