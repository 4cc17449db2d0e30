package placement

import (
	"encoding/binary"
	"fmt"
)

// Terms are what the requester and the winner agree on by a match: the price of a unit and the number of units. The
// requester signs their encoding, together with the session and its transcript; the winner accepts no other.
type Terms struct {
	Price    uint32
	Quantity uint16
}

// termsSize is the length of encoded terms.
const termsSize = 6

// Encode gives the terms' one encoding: price in 4 bytes, quantity in 2, little-endian.
func (t Terms) Encode() []byte {
	return binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint32(make([]byte, 0, termsSize), t.Price), t.Quantity)
}

// ParseTerms reads what Encode wrote. Terms of 0 units are refused: no match ends in them.
func ParseTerms(b []byte) (Terms, error) {
	if len(b) != termsSize {
		return Terms{}, fmt.Errorf("terms of %d bytes, want %d", len(b), termsSize)
	}
	t := Terms{Price: binary.LittleEndian.Uint32(b), Quantity: binary.LittleEndian.Uint16(b[4:])}
	if t.Quantity == 0 {
		return Terms{}, fmt.Errorf("terms of 0 units")
	}
	return t, nil
}

// Claims gives the winner's terms as the requester knows them: the price that it learnt, the quantity that it entered. There
// are none if nothing matched.
func (f LowestPrice) Claims(inputs, outputs []bool) map[int][]byte {
	r := DecodeRequester(outputs)
	if !r.Matched {
		return nil
	}
	quantity := uint16(number(inputs[:QuantityBits])) + 1
	return map[int][]byte{r.Winner: Terms{Price: r.Price, Quantity: quantity}.Encode()}
}

// Terms gives the terms as the winner knows them: the price that it entered, the quantity that it learnt.
func (f LowestPrice) Terms(_ int, inputs, outputs []bool) ([]byte, bool) {
	r := DecodeProvider(outputs)
	if !r.Won {
		return nil, false
	}
	price := uint32(number(inputs[QuantityBits : QuantityBits+PriceBits]))
	return Terms{Price: price, Quantity: r.Quantity}.Encode(), true
}
