package market

import "time"

type offerRow struct {
	Unit        Class    `cbor:"1,keyasint"`
	Ceiling     Quantity `cbor:"2,keyasint"`
	Price       uint32   `cbor:"3,keyasint"`
	Paused      bool     `cbor:"4,keyasint"`
	Policies    []string `cbor:"5,keyasint"`
	Allow       []string `cbor:"6,keyasint"`
	Deny        []string `cbor:"7,keyasint"`
	MaxDuration int64    `cbor:"8,keyasint"` // nanoseconds, as all durations here
	MaxLeases   int      `cbor:"9,keyasint"`
	MaxMatches  int      `cbor:"10,keyasint"`

	// Since schema 2.
	Tiers    []stepRow `cbor:"11,keyasint"`
	Expr     string    `cbor:"12,keyasint"`
	PerMatch Quantity  `cbor:"13,keyasint"`
	Notice   int64     `cbor:"14,keyasint"`
	Storage  Quantity  `cbor:"15,keyasint,omitempty"`

	Surplus *surplusRow `cbor:"16,keyasint,omitempty"`
}

type surplusRow struct {
	Share    uint16         `cbor:"1,keyasint"`
	Keep     map[Kind]int64 `cbor:"2,keyasint,omitempty"`
	WhenFree uint16         `cbor:"3,keyasint,omitempty"`
}

type stepRow struct {
	_     struct{} `cbor:",toarray"`
	From  Quantity
	Price uint32
}

func (o Offer) row() offerRow {
	r := offerRow{
		Unit: o.Unit, Ceiling: o.Ceiling, Price: uint32(o.Price), Paused: o.Paused, Policies: o.Policies,
		Allow: o.Allow, Deny: o.Deny, MaxDuration: int64(o.MaxDuration), MaxLeases: o.MaxLeases, MaxMatches: o.MaxMatches,
		Expr: o.Expr.String(), PerMatch: o.PerMatch, Notice: int64(o.Notice), Storage: o.Storage,
	}
	if s := o.Surplus; s != nil {
		r.Surplus = &surplusRow{Share: uint16(s.Share), Keep: s.Keep, WhenFree: uint16(s.WhenFree)}
	}
	for _, s := range o.Tiers {
		r.Tiers = append(r.Tiers, stepRow{From: s.From, Price: uint32(s.Price)})
	}
	return r
}

func (r offerRow) offer(name string) (Offer, error) {
	o := Offer{
		Name: name, Unit: r.Unit, Ceiling: r.Ceiling, Price: Price(r.Price), Paused: r.Paused, Policies: r.Policies,
		Allow: r.Allow, Deny: r.Deny, MaxDuration: time.Duration(r.MaxDuration), MaxLeases: r.MaxLeases, MaxMatches: r.MaxMatches,
		Expr: storedExpr(r.Expr), PerMatch: r.PerMatch, Notice: time.Duration(r.Notice), Storage: r.Storage,
	}
	if s := r.Surplus; s != nil {
		o.Surplus = &Surplus{Share: Percent(s.Share), Keep: s.Keep, WhenFree: Percent(s.WhenFree)}
	}
	for _, s := range r.Tiers {
		o.Tiers = append(o.Tiers, Step{From: s.From, Price: Price(s.Price)})
	}
	return o, o.Validate()
}

// storedExpr reads an expression from the disk. One that compiled when it was
// stored and does not in this version must not keep a daemon from its leases:
// the offer enters nothing, and says so.
func storedExpr(text string) *PriceExpr {
	if text == "" {
		return nil
	}
	e := &PriceExpr{text: text}
	_ = e.compile() // without a program every evaluation is ErrExprFailed
	return e
}
