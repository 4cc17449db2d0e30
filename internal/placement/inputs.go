package placement

import (
	"fmt"
	"math"
)

// refuseInput makes an error of an input; it never contains what was to be entered.
func refuseInput(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInput, fmt.Sprintf(format, args...))
}

// RequestInputs encodes, bit 0 first: quantity − 1, maximum price, and what parameters add: cap − 1, a handicap for each
// provider, the further dimensions.
func (f function) RequestInputs(r Request) ([]bool, error) {
	p := f.policy
	switch {
	case r.Quantity == 0:
		return nil, refuseInput("a request for 0 units")
	case r.Cap != 0 && !p.Cap:
		return nil, refuseInput("%s has no cap", p)
	case len(r.Handicaps) != 0 && !p.Handicap:
		return nil, refuseInput("%s has no handicaps", p)
	case len(r.Handicaps) != 0 && len(r.Handicaps) != f.providers:
		return nil, refuseInput("%d handicaps for %d providers", len(r.Handicaps), f.providers)
	case len(r.Further) != len(p.Further):
		return nil, refuseInput("%d further dimensions for %s", len(r.Further), p)
	}
	in := appendBits(appendBits(nil, uint64(r.Quantity-1), QuantityBits), uint64(r.MaxPrice), PriceBits)
	if p.Cap {
		in = appendBits(in, uint64(r.Cap-1), QuantityBits) // 0, no bound, becomes 65,536, which is one
	}
	if p.Handicap {
		for k := range f.providers {
			var h uint32
			if len(r.Handicaps) > 0 {
				h = r.Handicaps[k]
			}
			in = appendBits(in, uint64(h), PriceBits)
		}
	}
	for _, v := range r.Further {
		in = appendBits(in, uint64(v), QuantityBits)
	}
	return in, nil
}

// OfferInputs encodes, bit 0 first: the quantity (of a split: quantity − 1, and whether there is any), the price, for tiers
// each later step as its first unit − 1 and the change (XOR) of the price, the further dimensions.
func (f function) OfferInputs(o Offer) ([]bool, error) {
	if err := f.checkOffer(o); err != nil {
		return nil, err
	}
	var in []bool
	if f.policy.splits() {
		in = appendBits(nil, uint64(max(o.Quantity, 1)-1), QuantityBits)
		in = append(in, o.Quantity > 0)
	} else {
		in = appendBits(nil, uint64(o.Quantity), QuantityBits)
	}
	price := o.Price
	if f.policy.Tiers {
		price = o.PriceOf(1)
	}
	in = appendBits(in, uint64(price), PriceBits)
	for k := range f.policy.laterSteps() {
		fromOne, change := uint16(math.MaxUint16), uint32(0)
		if k+1 < len(o.Steps) {
			fromOne, change = o.Steps[k+1].From-1, o.Steps[k+1].Price^o.Steps[k].Price
		}
		in = appendBits(appendBits(in, uint64(fromOne), QuantityBits), uint64(change), PriceBits)
	}
	for _, v := range o.Further {
		in = appendBits(in, uint64(v), QuantityBits)
	}
	return in, nil
}

// ownPrice reads from a provider's inputs what it asks for a unit if quantity are taken, as the circuit does.
func (f function) ownPrice(inputs []bool, quantity uint16) uint32 {
	at := QuantityBits
	if f.policy.splits() {
		at++
	}
	take := func(bits int) uint64 {
		v := number(inputs[at : at+bits])
		at += bits
		return v
	}
	price := uint32(take(PriceBits))
	for range f.policy.laterSteps() {
		fromOne, change := uint16(take(QuantityBits)), uint32(take(PriceBits))
		if fromOne <= quantity-1 {
			price ^= change
		}
	}
	return price
}

func (f function) checkOffer(o Offer) error {
	if len(o.Further) != len(f.policy.Further) {
		return refuseInput("%d further dimensions for %s", len(o.Further), f.policy)
	}
	if len(o.Steps) > MaxSteps {
		return refuseInput("a supply curve of %d steps, at most %d", len(o.Steps), MaxSteps)
	}
	for k, s := range o.Steps {
		if k == 0 && s.From != 1 || k > 0 && s.From <= o.Steps[k-1].From {
			return refuseInput("the steps of a supply curve must rise from 1")
		}
	}
	return nil
}

func appendBits(dst []bool, v uint64, n int) []bool {
	for i := range n {
		dst = append(dst, v>>i&1 == 1)
	}
	return dst
}

func number(bits []bool) uint64 {
	var v uint64
	for i, x := range bits {
		if x {
			v |= 1 << i
		}
	}
	return v
}
