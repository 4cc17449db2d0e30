package placement

import "fmt"

// Request is what the requester enters: quantity from 1, and the highest price that it takes.
type Request struct {
	Quantity uint16
	MaxPrice uint32
}

// Offer is what a provider enters: how many units, 0 for a full one, and the price of one.
type Offer struct {
	Quantity uint16
	Price    uint32
}

// RequestInputs encodes the requester's inputs. A quantity of 0 is encoded as one that nobody can fit.
func RequestInputs(quantity uint16, maxPrice uint32) []bool {
	return appendBits(appendBits(nil, uint64(quantity-1), QuantityBits), uint64(maxPrice), PriceBits)
}

// OfferInputs encodes a provider's inputs.
func OfferInputs(quantity uint16, price uint32) []bool {
	return appendBits(appendBits(nil, uint64(quantity), QuantityBits), uint64(price), PriceBits)
}

// Inputs encodes the request.
func (r Request) Inputs() []bool { return RequestInputs(r.Quantity, r.MaxPrice) }

// Inputs encodes the offer.
func (o Offer) Inputs() []bool { return OfferInputs(o.Quantity, o.Price) }

// RequesterResult is what the requester learns: the party number of the winner and its price, zeros if nothing matched.
type RequesterResult struct {
	Matched bool
	Winner  int
	Price   uint32
}

// ProviderResult is what a provider learns: how many units it has to deliver, 0 if it did not win.
type ProviderResult struct {
	Won      bool
	Quantity uint16
}

// DecodeRequester reads party 0's outputs of a match with any number of providers. It panics on a number of bits that no
// match has.
func DecodeRequester(out []bool) RequesterResult {
	n := len(out) - PriceBits - 1
	if n < 1 || n > indexBits(MaxProviders) {
		panic(fmt.Sprintf("placement: %d output bits for a requester", len(out)))
	}
	return RequesterResult{
		Winner:  int(number(out[:n])),
		Price:   uint32(number(out[n : n+PriceBits])),
		Matched: out[n+PriceBits],
	}
}

// DecodeProvider reads a provider's outputs. It panics on a wrong number of bits.
func DecodeProvider(out []bool) ProviderResult {
	if len(out) != 1+QuantityBits {
		panic(fmt.Sprintf("placement: %d output bits for a provider", len(out)))
	}
	if !out[0] {
		return ProviderResult{}
	}
	return ProviderResult{Won: true, Quantity: uint16(number(out[1:])) + 1}
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
