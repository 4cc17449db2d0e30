package cli

import (
	"errors"

	"github.com/angler-dex/angler/internal/control"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/node"
)

// offerNames are the flags behind fields of an offer.
var offerNames = map[string]string{"class": "unit", "quantity": "count"}

// offer checks the flags as the daemon will, so that a mistake names its flag before anything is sent.
func (f *offerFlags) offer() (control.Offer, error) {
	unit, ceiling, err := f.unitAndCeiling()
	if err != nil {
		return control.Offer{}, err
	}
	o := market.Offer{
		Name: f.name, Unit: unit, Ceiling: ceiling, Policies: f.policies, Allow: f.allow, Deny: f.deny,
		MaxDuration: f.maxDuration, Notice: f.notice, MaxLeases: f.maxLeases, MaxMatches: f.maxMatches,
	}
	if err = f.asks(&o); err != nil {
		return control.Offer{}, fieldFault(err, offerNames)
	}
	if f.storage != "" {
		if o.Storage, err = market.ParseFurther(market.Storage, f.storage); err != nil {
			return control.Offer{}, fieldFault(err, offerNames)
		}
	}
	var follow *control.Surplus
	if o.Surplus, follow, err = f.surplus.put(); err != nil {
		return control.Offer{}, fieldFault(err, offerNames)
	}
	o.Policies = o.Normalize().Policies
	if err = errors.Join(o.Normalize().Validate(), node.KnownPolicies(o.Policies)); err != nil {
		return control.Offer{}, fieldFault(err, offerNames)
	}
	if o.Name == "" {
		o.Name = unit.String()
	}
	put := control.Offer{
		Name: o.Name, Class: unit.String(), Ceiling: uint32(ceiling), Surplus: follow, PerMatch: uint32(o.PerMatch), PriceTiers: o.Tiers.String(), PriceExpr: o.Expr.String(),
		Policies: o.Policies, Allow: f.allow, Deny: f.deny, MaxDuration: control.Duration(f.maxDuration), Notice: control.Duration(f.notice),
		MaxLeases: f.maxLeases, MaxMatches: f.maxMatches,
	}
	if o.Storage > 0 {
		put.Storage = market.Storage.Format(o.Storage)
	}
	if f.price != "" {
		put.Price = o.Price.String()
	}
	return put, nil
}

// asks reads what a unit costs, and how many may be held at once.
func (f *offerFlags) asks(o *market.Offer) (err error) {
	given := 0
	for _, text := range []string{f.price, f.tiers, f.expr} {
		if text != "" {
			given++
		}
	}
	switch {
	case given == 0:
		return flagError("price", "is missing", "--price 0.03, or --price-tiers 1-8=0.03,9-=0.025, or --price-expr '0.02 + 0.02*used/total'")
	case given > 1:
		return usagef("--price, --price-tiers and --price-expr say the same; give one of them, for example --price 0.03")
	case f.price != "":
		o.Price, err = market.ParsePrice(f.price)
	case f.tiers != "":
		o.Tiers, err = market.ParseTiers(f.tiers)
	default:
		o.Expr, err = market.ParsePriceExpr(f.expr)
	}
	if err != nil || f.perMatch == "" {
		return err
	}
	if o.PerMatch, err = market.ParseQuantity(f.perMatch); err == nil && o.PerMatch == 0 {
		err = errors.New("is 0")
	}
	if err != nil {
		return flagError("per-match", "is not a number of units, 1 to 65535", "--per-match 8")
	}
	return nil
}
