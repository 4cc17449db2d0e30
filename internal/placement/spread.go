package placement

import (
	"errors"
	"fmt"
)

// Spread is how a requester bounds what it gets from one provider, so that the loss of one is not the loss of all.
type Spread struct {
	MaxShare   uint32 // most of the whole from one provider, in millionths; 0: no bound
	MinWinners int    // at least so many providers; 0 or 1: no bound
}

// WholeShare is a Spread's MaxShare that bounds nothing.
const WholeShare = 1_000_000

// ErrSpread is a spread that no split can have.
var ErrSpread = errors.New("shares cannot add up")

// Cap is what a Spread comes to for a number of units: the most units from one provider, for Request.Cap; 0: no bound. Of shares
// it is ⌊quantity · share⌋, and for m winners ⌊(quantity − 1) / (m − 1)⌋, with which m − 1 never suffice. Errors wrap ErrSpread.
func (s Spread) Cap(quantity uint16) (uint16, error) {
	most := uint64(quantity)
	if s.MaxShare > 0 && s.MaxShare < WholeShare {
		most = uint64(quantity) * uint64(s.MaxShare) / WholeShare
		if most == 0 {
			return 0, fmt.Errorf("%w: the largest share is less than one unit", ErrSpread)
		}
	}
	if s.MinWinners > 1 {
		most = min(most, uint64(quantity-1)/uint64(s.MinWinners-1))
		if most == 0 {
			return 0, fmt.Errorf("%w: there are fewer units than winners", ErrSpread)
		}
	}
	if most >= uint64(quantity) {
		return 0, nil
	}
	return uint16(most), nil
}

// Suffices says whether so many providers of a policy, each delivering no more than the cap, can deliver the quantity at all.
func (p Policy) Suffices(quantity, limit uint16, providers int) bool {
	if p.Winners > 0 {
		providers = min(providers, p.Winners)
	}
	return limit == 0 || uint64(limit)*uint64(providers) >= uint64(quantity)
}
