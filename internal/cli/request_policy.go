package cli

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/placement"
	"github.com/angler-dex/angler/internal/requester"
)

// policyFlags say how the capacity may be placed: the placement function and its parameters, which all parties see, and the
// secrets that the parameters call for.
type policyFlags struct {
	policy                 string
	split                  bool
	minWinners, maxWinners int
	maxShare               string
	handicaps              []string
	preferKept             string
	storage                string
	tiers                  bool
}

// register adds the flags to those of request.
func (p *policyFlags) register(f *pflag.FlagSet) {
	f.StringVar(&p.policy, "policy", "", "placement `function`: "+strings.Join(placement.Policies(), ", ")+", with its parameters (default "+defaultPolicy()+")")
	f.BoolVar(&p.split, "split", false, "take it from the cheapest providers together; without it, and without --policy, only if no one of them fits")
	f.IntVar(&p.maxWinners, "max-winners", 0, "most providers to take it from; fewer cost less to compute (default any `number`)")
	f.IntVar(&p.minWinners, "min-winners", 0, "fewest providers to take it from, so that one that fails does not take all; the `number` stays secret")
	f.StringVar(&p.maxShare, "max-share", "", "largest `share` of it from one provider, such as 50%; stays secret")
	f.StringVar(&p.storage, "storage", "", "`storage` that each winner must have beside its units, such as 500Gi; how much stays secret")
	f.BoolVar(&p.tiers, "tiers", false, "let providers ask a price that depends on how much they deliver; costs more to compute")
	f.StringVar(&p.preferKept, "prefer-kept", "", "put providers that broke their word to you back by up to this `price`; that you do is seen, whom it concerns is not")
	f.StringArrayVar(&p.handicaps, "handicap", nil, "put one provider back by a price, `KEY=PRICE`; repeat it for others; it is seen as with --prefer-kept")
	for name, value := range map[string]string{
		"policy": "split;winners=4", "max-winners": "4", "min-winners": "2", "max-share": "50%", "prefer-kept": "0.005", "storage": "500Gi",
		"handicap": sampleKeyText + "=0.001",
	} {
		sample(f, name, value)
	}
}

// sampleKeyText is a peer id for examples.
var sampleKeyText = identity.PeerID{1}.String()

// defaultPolicy is what a request uses that names none.
func defaultPolicy() string { return placement.FitPolicy }

// apply makes policy, cap and explicit handicaps of a request, whose quantity is known. most is the most providers of a match.
func (p *policyFlags) apply(req *market.Request, most int) error {
	policy, err := p.base()
	if err != nil {
		return err
	}
	if p.maxWinners != 0 {
		if p.maxWinners < placement.MinWinners || p.maxWinners > placement.MaxWinners {
			return flagError("max-winners", fmt.Sprintf("must be from %d to %d", placement.MinWinners, placement.MaxWinners), "--max-winners 4; for one alone --policy "+placement.LowestPricePolicy)
		}
		policy.Winners = p.maxWinners
	}
	if req.Cap, err = p.cap(req.Quantity); err != nil {
		return err
	}
	policy.Cap = policy.Cap || req.Cap > 0
	if policy.Handicap = policy.Handicap || p.preferKept != "" || len(p.handicaps) > 0; policy.Handicap {
		if req.Handicaps, err = p.explicit(); err != nil {
			return err
		}
	}
	policy.Tiers = policy.Tiers || p.tiers
	if err := p.further(&policy, req); err != nil {
		return err
	}
	text := policy.String()
	if _, err := placement.ParsePolicy(text); err != nil {
		return usagef("%w; for example --split --max-winners 4", err)
	}
	req.Policy = text
	return p.adds(*req, policy, most)
}

// base is the function with the parameters that --policy gives.
func (p *policyFlags) base() (placement.Policy, error) {
	text := p.policy
	if text == "" {
		text = defaultPolicy()
		if p.split || p.minWinners > 0 || p.maxShare != "" { // which one provider alone cannot keep
			text = placement.SplitPolicy
		}
	}
	policy, err := placement.ParsePolicy(text)
	switch {
	case err != nil:
		return policy, usagef("--policy: %w; for example --policy %s", err, defaultPolicy())
	case p.split && policy.Name != placement.SplitPolicy:
		return policy, usagef("--split is --policy %s, and --policy says %s; give one of them", placement.SplitPolicy, policy.Name)
	case policy.Winners > 0 && p.maxWinners > 0 && policy.Winners != p.maxWinners:
		return policy, usagef("--policy and --max-winners name different numbers of winners; give one of them, for example --max-winners 4")
	}
	return policy, nil
}

// cap is the most units from one provider; 0: no bound.
func (p *policyFlags) cap(q market.Quantity) (market.Quantity, error) {
	spread := placement.Spread{MinWinners: p.minWinners}
	if p.maxShare != "" {
		percent, err := strconv.ParseFloat(strings.TrimSuffix(p.maxShare, "%"), 64)
		share := percent / 100 * placement.WholeShare
		if err != nil || !strings.HasSuffix(p.maxShare, "%") || !(share >= 1 && share <= placement.WholeShare) {
			return 0, flagError("max-share", "must be more than 0% and at most 100%", "--max-share 50%")
		}
		spread.MaxShare = uint32(share + 0.5)
	}
	if m := p.minWinners; m < 0 || m == 1 || m > placement.MaxProviders {
		return 0, flagError("min-winners", fmt.Sprintf("must be from 2 to %d", placement.MaxProviders), "--min-winners 2")
	}
	most, err := spread.Cap(uint16(q))
	if err != nil {
		return 0, usagef("--max-share and --min-winners: %w; for example --max-share 50%%", err)
	}
	return market.Quantity(most), nil
}

// adds refuses what cannot be had of any providers.
func (p *policyFlags) adds(req market.Request, policy placement.Policy, most int) error {
	need := 1 // providers, at least
	if req.Cap > 0 {
		need = (int(req.Quantity) + int(req.Cap) - 1) / int(req.Cap)
	}
	need = max(need, p.minWinners)
	switch one := policy.Name == placement.LowestPricePolicy || policy.Name == placement.SecondPricePolicy; {
	case one && need > 1:
		return usagef("--policy %s takes all from one provider: --max-share and --min-winners cannot be kept; for example --split --min-winners 2", policy.Name)
	case policy.Winners > 0 && need > policy.Winners:
		return usagef("--max-share or --min-winners needs more providers than --max-winners allows; for example --max-winners 4 --max-share 50%%")
	case need > most:
		return usagef("--max-share or --min-winners needs more providers than --max-providers (%d) has; for example --max-providers 16", most)
	}
	return nil
}

// further enters what is wanted beside the units.
func (p *policyFlags) further(policy *placement.Policy, req *market.Request) error {
	storage := market.Storage.Name
	for _, d := range policy.Further {
		if d != storage {
			return usagef("--policy: no provider of this version enters anything for %s; for example --storage 500Gi", clean(d))
		}
	}
	switch {
	case p.storage == "" && len(policy.Further) > 0:
		return usagef("--policy has storage as a further dimension, and how much is missing; for example --storage 500Gi")
	case p.storage == "":
		return nil
	}
	amount, err := market.ParseFurther(market.Storage, p.storage)
	if err != nil {
		return fieldFault(market.InField("storage", err), nil)
	}
	policy.Further, req.Further = []string{storage}, []market.Quantity{amount}
	return nil
}

// explicit are the handicaps of --handicap.
func (p *policyFlags) explicit() (map[[32]byte]market.Price, error) {
	handicaps := map[[32]byte]market.Price{}
	for _, text := range p.handicaps {
		key, price, _ := strings.Cut(text, "=")
		id, err := identity.ParsePeerID(key)
		if err != nil {
			return nil, usagef("--handicap: %w; for example --handicap %s=0.001", err, sampleKeyText)
		}
		h, err := market.ParsePrice(price)
		if err != nil {
			return nil, flagError("handicap", "needs a price behind the key and =, a decimal number that is not negative", "--handicap "+sampleKeyText+"=0.001")
		}
		if _, twice := handicaps[id]; twice {
			return nil, flagError("handicap", "names "+id.Short()+" twice", "--handicap "+sampleKeyText+"=0.001")
		}
		handicaps[id] = h
	}
	if p.preferKept != "" {
		if _, err := market.ParsePrice(p.preferKept); err != nil {
			return nil, fieldFault(market.InField("prefer-kept", err), nil)
		}
	}
	return handicaps, nil
}

// reputed adds what --prefer-kept makes of the providers' deeds to the handicaps of a request.
func (p *policyFlags) reputed(req *market.Request, reputation *requester.Reputation) error {
	if p.preferKept == "" {
		return nil
	}
	most, err := market.ParsePrice(p.preferKept)
	if err != nil {
		return fieldFault(market.InField("prefer-kept", err), nil)
	}
	known, err := reputation.Of()
	if err != nil {
		return err
	}
	for id, deeds := range known {
		if h := deeds.Handicap(most); h > 0 {
			req.Handicaps[id] += min(h, market.NoMaximum-req.Handicaps[id])
		}
	}
	return nil
}

// secretPolicyFlags must not come from the environment or a file.
var secretPolicyFlags = slices.Clip([]string{"min-winners", "max-share", "handicap", "prefer-kept", "storage"})

// advise gives an error of a request the next step that helps.
func (p *policyFlags) advise(err error, req market.Request) error {
	if !errors.Is(err, requester.ErrNoFit) {
		return err
	}
	policy, perr := placement.ParsePolicy(req.Policy)
	if perr != nil {
		return err
	}
	hint := "all of them together have not that much at prices within --max-price"
	switch policy.Name {
	case placement.LowestPricePolicy, placement.SecondPricePolicy:
		hint = "no single provider has that much at a price within --max-price; --split takes it from several"
	case placement.SplitPolicy, placement.FitPolicy:
		if policy.Winners > 0 || policy.Cap {
			hint += ", or --max-winners, --max-share or --min-winners cannot be kept among them"
		}
	}
	return &hintError{err, hint + "; --wait keeps trying"}
}

// hintError is an error with a next step that fits this very case.
type hintError struct {
	error
	hint string
}

func (e *hintError) Unwrap() error { return e.error }
