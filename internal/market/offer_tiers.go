package market

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// MaxTiers is the most steps of a supply curve.
const MaxTiers = 8

const tiersExample = "1-8=0.03,9-=0.025"

// Step is one step of a supply curve: what each of the units costs if From or
// more of them are taken. Both are secrets.
type Step struct {
	From  Quantity
	Price Price
}

// Tiers are a supply curve: 1 to MaxTiers steps, the first from one unit, each
// from more units than the one before. The price that a step names is that of
// every unit, not only of those above the step. Prices may rise or fall.
type Tiers []Step

// ParseTiers reads ranges of units with their prices, such as
// 1-8=0.03,9-=0.025: the first begins at 1, each begins where the one before
// ends, and the last has no end; n=0.03 is short for n-n=0.03. The error is a
// *FieldError of the field "price-tiers" and does not repeat the text.
func ParseTiers(text string) (Tiers, error) {
	bad := func(format string, args ...any) (Tiers, error) {
		return nil, wrong("price-tiers", fmt.Sprintf(format, args...), tiersExample)
	}
	const longest = 512
	switch {
	case strings.TrimSpace(text) == "":
		return bad("is empty")
	case len(text) > longest:
		return bad("is longer than %d bytes", longest)
	}
	parts := strings.Split(text, ",")
	if len(parts) > MaxTiers {
		return bad("has more than %d steps", MaxTiers)
	}
	var tiers Tiers
	next := 1 // the first unit that has no price yet; beyond MaxQuantity: none
	for i, part := range parts {
		s, err := parseRange(part)
		if err != "" {
			return bad("step %d %s", i+1, err)
		}
		switch {
		case i == 0 && s.from != 1:
			return bad("step 1 does not begin at 1 unit")
		case next == 0:
			return bad("step %d has no end, so nothing can follow it", i)
		case s.from < next:
			return bad("step %d overlaps with the one before", i+1)
		case s.from > next:
			return bad("there is a gap before step %d", i+1)
		}
		tiers = append(tiers, Step{From: Quantity(s.from), Price: s.price})
		next = s.to + 1
		if s.open {
			next = 0
		}
	}
	if next != 0 {
		return bad("the last step must have no end")
	}
	return tiers, nil
}

type tierRange struct {
	from, to int
	open     bool // no end
	price    Price
}

func parseRange(text string) (r tierRange, problem string) {
	units, cost, ok := strings.Cut(text, "=")
	if !ok {
		return r, "is not UNITS=PRICE"
	}
	first, last, ranged := strings.Cut(strings.TrimSpace(units), "-")
	from, err := ParseQuantity(strings.TrimSpace(first))
	if err != nil || from == 0 {
		return r, "does not begin at a number of units, 1 to 65535"
	}
	to := from
	switch last = strings.TrimSpace(last); {
	case ranged && last == "":
		r.open = true
	case ranged:
		if to, err = ParseQuantity(last); err != nil {
			return r, "does not end at a number of units, 1 to 65535"
		}
	}
	if r.from, r.to = int(from), int(to); to < from {
		return r, "ends before it begins"
	}
	if r.price, err = ParsePrice(strings.TrimSpace(cost)); err != nil {
		return r, "has a price that is not a decimal of at most six places, up to 4294.967295"
	}
	return r, ""
}

// String is what ParseTiers reads back. It is a secret: not for errors or logs.
func (t Tiers) String() string {
	var b strings.Builder
	for i, s := range t {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(s.From.String())
		switch {
		case i == len(t)-1:
			b.WriteByte('-')
		case t[i+1].From > s.From+1:
			b.WriteString("-" + strconv.Itoa(int(t[i+1].From-1)))
		}
		b.WriteString("=" + s.Price.String())
	}
	return b.String()
}

// Validate says whether t are tiers that ParseTiers could have returned. The
// error is a *FieldError of the field "price-tiers".
func (t Tiers) Validate() error {
	problem := ""
	switch {
	case len(t) == 0:
		problem = "is empty"
	case len(t) > MaxTiers:
		problem = fmt.Sprintf("has more than %d steps", MaxTiers)
	case t[0].From != 1:
		problem = "step 1 does not begin at 1 unit"
	case !slices.IsSortedFunc(t, func(a, b Step) int { return int(a.From) - int(b.From) }):
		problem = "has steps out of order"
	case len(slices.CompactFunc(slices.Clone(t), func(a, b Step) bool { return a.From == b.From })) != len(t):
		problem = "has steps that overlap"
	default:
		return nil
	}
	return wrong("price-tiers", problem, tiersExample)
}

// At is the price of a unit if q are taken. There are no tiers without a step.
func (t Tiers) At(q Quantity) Price {
	price := t[0].Price
	for _, s := range t {
		if s.From <= q {
			price = s.Price
		}
	}
	return price
}

// highest is the most that a unit may cost if at most q are taken.
func (t Tiers) highest(q Quantity) Price {
	price := t[0].Price
	for _, s := range t {
		if s.From <= q {
			price = max(price, s.Price)
		}
	}
	return price
}
