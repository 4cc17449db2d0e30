package placement

import "fmt"

// bitReader takes numbers off a party's bits, bit 0 first.
type bitReader struct{ bits []bool }

func (r *bitReader) number(n int) uint64 {
	v := number(r.bits[:n])
	r.bits = r.bits[n:]
	return v
}

func (r *bitReader) bit() bool { return r.number(1) == 1 }

// read wants just as many bits as there have to be.
func read(bits []bool, want int, whose string) *bitReader {
	if len(bits) != want {
		panic(fmt.Sprintf("placement: %d output bits for a %s, want %d", len(bits), whose, want))
	}
	return &bitReader{bits}
}

// Result reads party 0's outputs. Of one winner: which provider has won, what it is paid. Of a split, for each provider: won,
// quantity − 1, price.
func (f function) Result(inputs, outputs []bool) Result {
	further := f.wanted(inputs)
	if f.policy.splits() {
		return f.splitResult(outputs, further)
	}
	party := 0
	r := read(outputs, f.providers+PriceBits, "requester")
	for k := range f.providers {
		if r.bit() {
			party = k + 1
		}
	}
	if party == 0 {
		return Result{}
	}
	price := uint32(r.number(PriceBits))
	award := Award{Quantity: uint16(number(inputs[:QuantityBits])) + 1, Price: price, Pays: price, Further: further}
	if f.policy.Name == SecondPricePolicy {
		award.Price = 0
	}
	return Result{Matched: true, Wins: []Win{{Party: party, Award: award}}}
}

func (f function) splitResult(outputs []bool, further []uint16) Result {
	var res Result
	r := read(outputs, f.providers*(1+QuantityBits+PriceBits), "requester")
	for k := range f.providers {
		won, quantity, price := r.bit(), uint16(r.number(QuantityBits))+1, uint32(r.number(PriceBits))
		if won {
			res.Matched = true
			res.Wins = append(res.Wins, Win{Party: k + 1, Award: Award{Quantity: quantity, Price: price, Pays: price, Further: further}})
		}
	}
	return res
}

// wanted reads the further dimensions from the requester's inputs, of which they are the last.
func (f function) wanted(inputs []bool) []uint16 {
	r := bitReader{inputs[len(inputs)-QuantityBits*len(f.policy.Further):]}
	return r.further(f.policy)
}

func (r *bitReader) further(p Policy) []uint16 {
	var all []uint16
	for range p.Further {
		all = append(all, uint16(r.number(QuantityBits)))
	}
	return all
}

// Award reads a provider's outputs: won, quantity − 1, the further dimensions, and for second-price what it is paid.
func (f function) Award(_ int, inputs, outputs []bool) (Award, bool) {
	want := 1 + QuantityBits*(1+len(f.policy.Further))
	second := f.policy.Name == SecondPricePolicy
	if second {
		want += PriceBits
	}
	r := read(outputs, want, "provider")
	if !r.bit() {
		return Award{}, false
	}
	a := Award{Quantity: uint16(r.number(QuantityBits)) + 1}
	a.Further = r.further(f.policy)
	a.Price = f.ownPrice(inputs, a.Quantity)
	a.Pays = a.Price
	if second {
		a.Pays = uint32(r.number(PriceBits))
	}
	return a, true
}
