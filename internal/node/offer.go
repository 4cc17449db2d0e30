package node

import (
	"context"
	"slices"
	"time"

	"github.com/angler-dex/angler/internal/control"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/placement"
)

// readOffer is the ledger's idea of an offer that came through the socket. The
// error is a *market.FieldError.
func readOffer(o control.Offer) (market.Offer, error) {
	unit, err := market.ParseClass(o.Class)
	if err != nil {
		return market.Offer{}, err
	}
	for field, units := range map[string]uint32{"quantity": o.Ceiling, "per-match": o.PerMatch} {
		if units > uint32(market.MaxQuantity) {
			return market.Offer{}, &market.FieldError{Field: field, Problem: "is more than 65535 units", Example: "32"}
		}
	}
	offer := market.Offer{
		Name: o.Name, Unit: unit, Ceiling: market.Quantity(o.Ceiling), PerMatch: market.Quantity(o.PerMatch), Paused: o.Paused,
		Policies: o.Policies, Allow: o.Allow, Deny: o.Deny, Notice: time.Duration(o.Notice),
		MaxDuration: time.Duration(o.MaxDuration), MaxLeases: o.MaxLeases, MaxMatches: o.MaxMatches,
	}
	if o.Storage != "" {
		if offer.Storage, err = market.ParseFurther(market.Storage, o.Storage); err != nil {
			return market.Offer{}, err
		}
	}
	if err = readPrice(&offer, o); err != nil {
		return market.Offer{}, err
	}
	if offer.Surplus, err = readSurplus(o.Surplus); err != nil {
		return market.Offer{}, err
	}
	return offer, KnownPolicies(o.Policies)
}

// readPrice takes what the offer asks, in one of its forms.
func readPrice(offer *market.Offer, o control.Offer) (err error) {
	if len(slices.DeleteFunc([]string{o.Price, o.PriceTiers, o.PriceExpr}, func(s string) bool { return s == "" })) > 1 {
		return &market.FieldError{Field: "price", Problem: "is given more than once: as a price, in tiers, or by an expression", Example: "0.031"}
	}
	if o.PriceTiers != "" {
		if offer.Tiers, err = market.ParseTiers(o.PriceTiers); err != nil {
			return err
		}
	}
	if o.PriceExpr != "" {
		if offer.Expr, err = market.ParsePriceExpr(o.PriceExpr); err != nil {
			return err
		}
	}
	if o.Price != "" || o.PriceTiers == "" && o.PriceExpr == "" {
		offer.Price, err = market.ParsePrice(o.Price)
	}
	return err
}

// KnownPolicies refuses policies of an offer that speak of functions or parameters that
// this version lacks. The error is a *market.FieldError.
func KnownPolicies(entries []string) error {
	for _, entry := range entries {
		function, parameters := market.PolicyParts(entry)
		if err := placement.Takes(function, parameters...); err != nil {
			return &market.FieldError{Field: "policy", Problem: err.Error(), Example: "'" + market.DefaultPolicy + ";handicap'"}
		}
	}
	return nil
}

func showOffer(o market.Offer, faults map[string]error) control.Offer {
	shown := control.Offer{
		Name: o.Name, Class: o.Unit.String(), Ceiling: uint32(o.Ceiling), PerMatch: uint32(o.PerMatch),
		PriceTiers: o.Tiers.String(), PriceExpr: o.Expr.String(), Notice: control.Duration(o.Notice),
		MaxDuration: control.Duration(o.MaxDuration), MaxLeases: o.MaxLeases, MaxMatches: o.MaxMatches,
		Policies: o.Policies, Allow: o.Allow, Deny: o.Deny, Paused: o.Paused, Surplus: showSurplus(o.Surplus),
	}
	if o.Tiers == nil && o.Expr == nil {
		shown.Price = o.Price.String()
	}
	if o.Storage > 0 {
		shown.Storage = market.Storage.Format(o.Storage)
	}
	if err := faults[o.Name]; err != nil {
		shown.Fault = err.Error()
	}
	for _, c := range o.Announced() {
		shown.Announced = append(shown.Announced, c.String())
	}
	return shown
}

// faultsEvery is how often offers are looked over for want of a price.
const faultsEvery = 5 * time.Second

// watchOffers says in the log, once each time, that an offer enters nothing
// because its expression gives no price, and when it has one again.
func (d *daemon) watchOffers(ctx context.Context) error {
	tick := time.NewTicker(faultsEvery)
	defer tick.Stop()
	said := map[string]string{}
	for {
		d.tellFaults(said)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// tellFaults logs what is new since said, and keeps it there.
func (d *daemon) tellFaults(said map[string]string) {
	faults := d.ledger.Faults()
	for name, err := range faults {
		if said[name] != err.Error() {
			said[name] = err.Error()
			d.cfg.Log.Warn("offer enters nothing", "offer", name, "why", err)
		}
	}
	for name := range said {
		if faults[name] == nil {
			delete(said, name)
			d.cfg.Log.Info("offer has a price again, or is gone", "offer", name)
		}
	}
}
