package market

import (
	"fmt"
	"strconv"
	"strings"
)

// Price is what one unit costs an hour, in millionths of the class's currency:
// 32 bits, so 0 … 4294.967295. It is a secret.
type Price uint32

// NoMaximum is the ceiling of a request that accepts any price.
const NoMaximum Price = 1<<32 - 1

const (
	priceDecimals = 6
	priceScale    = 1_000_000
)

// ParsePrice reads a decimal such as 0.031. Signs, exponents, more than six
// decimals and more than 4294.967295 are refused. The error is a *FieldError of
// the field "price" and does not repeat the text.
func ParsePrice(text string) (Price, error) {
	bad := func(problem string) (Price, error) { return 0, wrong("price", problem, "0.031") }
	if text == "" {
		return bad("is empty")
	}
	if text[0] == '-' {
		return bad("must not be negative")
	}
	whole, decimals, point := strings.Cut(text, ".")
	if whole == "" || (point && decimals == "") || !allDigits(whole) || !allDigits(decimals) {
		return bad("is not a decimal number")
	}
	if len(decimals) > priceDecimals {
		return bad("has more than six decimals")
	}
	units, err := strconv.ParseUint(whole, 10, 32)
	if err != nil {
		return bad("is more than 4294.967295")
	}
	millionths := units * priceScale // below 2^32 · 2^20
	if decimals != "" {
		n, err := strconv.ParseUint(decimals+strings.Repeat("0", priceDecimals-len(decimals)), 10, 32)
		if err != nil {
			return bad("is not a decimal number")
		}
		millionths += n
	}
	if millionths > uint64(NoMaximum) {
		return bad("is more than 4294.967295")
	}
	return Price(millionths), nil
}

func allDigits(text string) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return true
}

// String is the shortest decimal that ParsePrice reads back: 0.031, 12, 0. It
// is a secret: not for errors or logs.
func (p Price) String() string {
	whole, rest := uint32(p)/priceScale, uint32(p)%priceScale
	if rest == 0 {
		return strconv.FormatUint(uint64(whole), 10)
	}
	return strings.TrimRight(fmt.Sprintf("%d.%06d", whole, rest), "0")
}

// MarshalText makes a price a string in JSON and YAML: "0.031".
func (p Price) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText is ParsePrice.
func (p *Price) UnmarshalText(text []byte) error {
	parsed, err := ParsePrice(string(text))
	if err != nil {
		return err
	}
	*p = parsed
	return nil
}
