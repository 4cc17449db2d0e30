package market

import (
	"math"
	"time"
)

// validAsk checks what an offer asks and how much of it it enters at once.
func (o Offer) validAsk() error {
	ways := 0
	for _, given := range []bool{o.Price > 0, o.Tiers != nil, o.Expr != nil} {
		if given {
			ways++
		}
	}
	switch {
	case ways > 1:
		return wrong("price", "is given more than once: as a price, in tiers, or by an expression", "0.031")
	case o.PerMatch > o.Ceiling:
		return wrong("per-match", "is more than the offer has", "8")
	case o.Tiers != nil:
		return o.Tiers.Validate()
	}
	return nil
}

// enter is what an offer enters for an ask when so many units are left of it: if
// its expression gives no price, or its unit cannot be provided, nothing, and
// why.
func (l *Ledger) enter(o Offer, a Ask, room Quantity, p pool, now Moment) (Bid, error) {
	if err := l.unfit(o.Unit); err != nil {
		return Bid{Offer: o.Name, Price: o.Price, Notice: o.Notice}, err
	}
	if o.Surplus != nil {
		over, err := l.surplusOf(o, a.Class, p)
		if err != nil {
			return Bid{Offer: o.Name, Price: o.Price, Notice: o.Notice}, err
		}
		room = min(room, over)
	}
	if o.PerMatch > 0 {
		room = min(room, o.PerMatch)
	}
	b := Bid{Offer: o.Name, Quantity: room, Price: o.Price, Further: o.enterFurther(a, room, p), Notice: o.Notice}
	switch {
	case o.Expr != nil:
		price, err := o.Expr.At(p.vars(a, now))
		if err != nil {
			return Bid{Offer: o.Name, Notice: o.Notice}, err
		}
		b.Price = price
	case o.Tiers != nil:
		b.Steps, b.Price = o.Tiers, o.Tiers.highest(room)
	}
	return b, nil
}

// vars is what an expression can look at.
func (p pool) vars(a Ask, now Moment) PriceVars {
	wall := now.Wall.UTC()
	v := PriceVars{
		Total: share(p.usage.Total, a.Class.Base()), Free: share(p.usage.Free, a.Class.Base()),
		Duration: a.Duration.Hours(), Hour: float64(wall.Hour()), Weekday: float64(wall.Weekday()),
	}
	v.Used = v.Total - v.Free
	if wall.Weekday() == time.Sunday {
		v.Weekday = 7
	}
	return v
}

// share is how often unit fits into r, in parts of a unit too.
func share(r, unit Resources) float64 {
	least := math.Inf(1)
	for k, n := range unit {
		if n > 0 {
			least = min(least, float64(r[k])/float64(n))
		}
	}
	if math.IsInf(least, 1) {
		return 0
	}
	return least
}

// Faults are the offers that enter nothing although they may have room, and why,
// in words that say no price: those whose expression gives none now, or gave
// none when it was last asked for, and those whose unit cannot be provided.
func (l *Ledger) Faults() map[string]error {
	l.mu.Lock()
	defer l.mu.Unlock()
	faults, now := map[string]error{}, l.clock()
	p := l.pool(now)
	for name, o := range l.offers {
		if o.Paused {
			continue
		}
		_, err := l.enter(o, Ask{Class: o.Unit, Duration: min(DefaultDuration, o.MaxDuration)}, 0, p, now)
		if err == nil && o.Expr != nil {
			err = l.faults[name]
		}
		if err != nil {
			faults[name] = err
		}
	}
	return faults
}
