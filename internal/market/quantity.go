package market

import "strconv"

// Quantity counts units of a class: 0 … 65,535, a secret. A request asks for 1
// or more; a provider without room enters 0.
type Quantity uint16

// MaxQuantity is the most that 16 bits hold.
const MaxQuantity Quantity = 1<<16 - 1

// ParseQuantity reads a decimal number of units, 0 … 65535. The error is a
// *FieldError of the field "quantity" and does not repeat the text.
func ParseQuantity(text string) (Quantity, error) {
	if text == "" {
		return 0, wrong("quantity", "is empty", "32")
	}
	digits := text
	if text[0] == '-' && len(text) > 1 {
		digits = text[1:]
	}
	for _, c := range []byte(digits) {
		if c < '0' || c > '9' {
			return 0, wrong("quantity", "is not a whole decimal number", "32")
		}
	}
	if len(digits) != len(text) {
		return 0, wrong("quantity", "must not be negative", "32")
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return 0, wrong("quantity", "is more than 65535 units", "32")
	}
	return Quantity(n), nil
}

// String is the number in decimal. It is a secret: not for errors or logs.
func (q Quantity) String() string { return strconv.Itoa(int(q)) }
