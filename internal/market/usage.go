package market

import (
	"bytes"
	"cmp"
	"math"
	"slices"
)

// Usage is the pool at one moment. Reserved is what leases take that are not
// over, Held what matches have set aside.
//
// Free = Total − Reserved − Held, never below 0. If capacity is declared, it may
// be declared below what is leased, and only then Reserved + Held is more than
// Total. If it is the sum of the offers, Total is
//
//	Σ over offers that are not paused: the larger of ceiling × unit + storage and what is taken under the offer
//	+ what is taken under paused or removed offers
//
// where an offer that follows the cluster (Offer.Surplus) counts with what is
// taken under it and what it would still enter, the latter once for all of those.
//
// so that Reserved + Held + Free = Total always: an offer that is paused,
// removed or lowered goes on backing its leases, and takes nothing away from
// the other offers.
type Usage struct{ Total, Reserved, Held, Free Resources }

// Usage reads the pool.
func (l *Ledger) Usage() Usage {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.pool(l.clock()).usage
}

// taken is what one offer's leases and holds take.
type taken struct {
	units     int64
	resources Resources
	beside    Resources // of these, what is not for units
}

// pool is the Usage with its parts.
type pool struct {
	usage   Usage
	byOffer map[string]taken
	taken   []Taken
	derived bool
}

func (l *Ledger) pool(now Moment) pool {
	p := pool{byOffer: map[string]taken{}, derived: l.declared == nil}
	take := func(sum Resources, offer string, class Class, q Quantity, further Resources) {
		r := class.Base()
		for k, n := range r {
			r[k] = n * int64(q) // both bounded by Class.Validate: below 2^62
		}
		accumulate(r, further)
		accumulate(sum, r)
		t := p.byOffer[offer]
		if t.resources == nil {
			t.resources, t.beside = Resources{}, Resources{}
		}
		t.units += int64(q)
		accumulate(t.resources, r)
		accumulate(t.beside, further)
		p.byOffer[offer] = t
	}
	reserved, held := Resources{}, Resources{}
	for _, lease := range l.leases {
		if !lease.State.Terminal() {
			p.taken = append(p.taken, Taken{Lease: lease.ID, Class: lease.Class, Quantity: lease.Quantity})
			take(reserved, lease.Offer, lease.Class, lease.Quantity, beside(lease.Policy, lease.Further))
		}
	}
	for _, h := range l.holds {
		if !h.over(now) {
			p.taken = append(p.taken, Taken{Class: h.ask.Class, Quantity: h.bid.Quantity})
			take(held, h.bid.Offer, h.ask.Class, h.bid.Quantity, beside(h.ask.Policy, h.bid.Further))
		}
	}
	slices.SortFunc(p.taken, func(a, b Taken) int { // so that nothing depends on the order of a map
		return cmp.Or(bytes.Compare(a.Lease[:], b.Lease[:]), cmp.Compare(a.Quantity, b.Quantity), cmp.Compare(a.Class.CPU, b.Class.CPU), cmp.Compare(a.Class.Memory, b.Class.Memory))
	})
	p.usage = Usage{Total: l.declared, Reserved: reserved, Held: held}
	if p.derived {
		p.usage.Total = l.sumOfOffers(p)
	}
	p.usage.Total = p.usage.Total.Most(nil) // our own copy
	p.usage.Free = p.usage.Total.Less(reserved).Less(held)
	return p
}

func (l *Ledger) sumOfOffers(p pool) Resources {
	byOffer := p.byOffer
	total := l.overOffers(p)
	for name, o := range l.offers {
		switch {
		case o.Surplus != nil && !o.Paused:
			accumulate(total, byOffer[name].resources)
			if o.Storage > 0 {
				accumulate(total, Resources{Storage.Kind: int64(o.Storage) * Storage.Step}.Less(byOffer[name].beside))
			}
		case !o.Paused:
			accumulate(total, o.size().Most(byOffer[name].resources))
		}
	}
	for name, t := range byOffer {
		if o, ok := l.offers[name]; !ok || o.Paused {
			accumulate(total, t.resources)
		}
	}
	return total
}

// size is ceiling × unit, which Validate made sure of, and the storage beside.
func (o Offer) size() Resources {
	r, err := o.Unit.Base().Times(o.Ceiling)
	if err != nil {
		panic("market: an offer that was not validated")
	}
	if o.Storage > 0 {
		accumulate(r, Resources{Storage.Kind: int64(o.Storage) * Storage.Step})
	}
	return r
}

// accumulate adds into sum. Sums of many absurdly large offers stop at the top
// of 64 bits: more than there is on earth stays more than there is on earth.
func accumulate(sum, r Resources) {
	for k, n := range r {
		if sum[k] > math.MaxInt64-n {
			sum[k] = math.MaxInt64
		} else {
			sum[k] += n
		}
	}
}

// room is how many units of class the offer may still enter a match with: its
// ceiling less the units that are held and leased under it, and no more than
// fit into what is free — of the pool if it was declared, else of the offer.
func (p pool) room(o Offer, class Class) Quantity {
	t := p.byOffer[o.Name]
	left := int64(o.Ceiling) - t.units
	if left <= 0 {
		return 0
	}
	return min(Quantity(left), p.free(o).Units(class.Base()))
}

// free is what the offer may still take: of the pool if it was declared, else of
// the offer.
func (p pool) free(o Offer) Resources {
	if p.derived {
		return o.size().Less(p.byOffer[o.Name].resources)
	}
	return p.usage.Free
}
