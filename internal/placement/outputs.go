package placement

import "fmt"

// Result reads party 0's outputs: winner's number, price, matched.
func (f function) Result(inputs, outputs []bool) Result {
	n := indexBits(f.providers)
	if len(outputs) != n+PriceBits+1 {
		panic(fmt.Sprintf("placement: %d output bits for a requester", len(outputs)))
	}
	if !outputs[n+PriceBits] {
		return Result{}
	}
	price := uint32(number(outputs[n : n+PriceBits]))
	award := Award{Quantity: uint16(number(inputs[:QuantityBits])) + 1, Price: price, Pays: price}
	return Result{Matched: true, Wins: []Win{{Party: int(number(outputs[:n])), Award: award}}}
}

// Award reads a provider's outputs: won, quantity − 1.
func (f function) Award(_ int, inputs, outputs []bool) (Award, bool) {
	if len(outputs) != 1+QuantityBits {
		panic(fmt.Sprintf("placement: %d output bits for a provider", len(outputs)))
	}
	if !outputs[0] {
		return Award{}, false
	}
	price := uint32(number(inputs[QuantityBits : QuantityBits+PriceBits]))
	return Award{Quantity: uint16(number(outputs[1:])) + 1, Price: price, Pays: price}, true
}
