package placement

import (
	"encoding/binary"
	"fmt"
)

// Terms are what the requester and a winner agree on by a match: what is paid for a unit, the number of units, and what there
// has to be of each further dimension. The requester signs their encoding, together with the session and its transcript; the
// winner accepts no other.
type Terms struct {
	Price    uint32
	Quantity uint16
	Further  []uint16
}

// termsSize is the length of encoded terms without further dimensions.
const termsSize = 6

// Encode gives the terms' one encoding: price in 4 bytes, quantity in 2, each further dimension in 2, little-endian.
func (t Terms) Encode() []byte {
	b := binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint32(make([]byte, 0, termsSize), t.Price), t.Quantity)
	for _, v := range t.Further {
		b = binary.LittleEndian.AppendUint16(b, v)
	}
	return b
}

// ParseTerms reads what Encode wrote. Terms of 0 units are refused: no match ends in them.
func ParseTerms(b []byte) (Terms, error) {
	if len(b) < termsSize || len(b) > termsSize+2*MaxFurther || len(b)%2 != 0 {
		return Terms{}, fmt.Errorf("terms of %d bytes", len(b))
	}
	t := Terms{Price: binary.LittleEndian.Uint32(b), Quantity: binary.LittleEndian.Uint16(b[4:])}
	for k := termsSize; k < len(b); k += 2 {
		t.Further = append(t.Further, binary.LittleEndian.Uint16(b[k:]))
	}
	if t.Quantity == 0 {
		return Terms{}, fmt.Errorf("terms of 0 units")
	}
	return t, nil
}

func (a Award) terms() []byte {
	return Terms{Price: a.Pays, Quantity: a.Quantity, Further: a.Further}.Encode()
}

// Claims gives the winners' terms as the requester knows them.
func (f function) Claims(inputs, outputs []bool) map[int][]byte {
	claims := map[int][]byte{}
	for _, w := range f.Result(inputs, outputs).Wins {
		claims[w.Party] = w.terms()
	}
	return claims
}

// Terms gives the terms as a winner knows them.
func (f function) Terms(party int, inputs, outputs []bool) ([]byte, bool) {
	a, won := f.Award(party, inputs, outputs)
	if !won {
		return nil, false
	}
	return a.terms(), true
}
