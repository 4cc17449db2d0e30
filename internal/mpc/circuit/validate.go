package circuit

import (
	"errors"
	"fmt"
)

// Limits of a circuit. A party's number is one byte in the protocol's frames.
const (
	MaxParties = 256
	MaxWires   = 1 << 28
)

// ErrInvalid is what every refusal of Validate and Build wraps; ErrUnmasked, too, for outputs that the protocol would not
// keep from a provider until its time, and ErrSums, for those that would tell the terms of a sum (see the package's documentation).
var (
	ErrInvalid  = errors.New("invalid circuit")
	ErrUnmasked = fmt.Errorf("%w: a provider's output is not masked by party 0", ErrInvalid)
	ErrSums     = fmt.Errorf("%w: a sum of several parties' inputs that no AND masks", ErrInvalid)
)

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}

func invalidSum(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrSums, fmt.Sprintf(format, args...))
}

// Validate checks form and rules of a circuit that did not come from a Builder: numbers in range, wires driven once and
// before they are read, known gates, no AND(w, w), conditional outputs that party 0 can disclose, masks of the providers' outputs
// that have shares of party 0, and no sums of several parties' inputs without an AND. What a Builder has built has passed:
// nobody changes it any more.
func (c *Circuit) Validate() error {
	if c.sound {
		return nil
	}
	if c.Parties < 2 || c.Parties > MaxParties {
		return invalid("%d parties, must be 2 to %d", c.Parties, MaxParties)
	}
	if c.Wires != len(c.Inputs)+len(c.Gates) || c.Wires > MaxWires {
		return invalid("%d wires for %d inputs and %d gates, at most %d", c.Wires, len(c.Inputs), len(c.Gates), MaxWires)
	}
	for w, owner := range c.Inputs {
		if owner < 0 || owner >= c.Parties {
			return invalid("input %d belongs to party %d of %d", w, owner, c.Parties)
		}
	}
	for k, g := range c.Gates {
		if err := c.validateGate(k, g); err != nil {
			return err
		}
	}
	for k, o := range c.Outputs {
		if int64(o.Wire) >= int64(c.Wires) {
			return invalid("output %d is wire %d of %d", k, o.Wire, c.Wires)
		}
		if o.Party < 0 || o.Party >= c.Parties {
			return invalid("output %d goes to party %d of %d", k, o.Party, c.Parties)
		}
	}
	if err := c.checkConditions(); err != nil {
		return err
	}
	if err := c.checkMasks(); err != nil {
		return err
	}
	return c.checkSums()
}

func (c *Circuit) validateGate(k int, g Gate) error {
	out := Wire(len(c.Inputs) + k)
	if g.Out != out {
		return invalid("gate %d drives wire %d instead of %d", k, g.Out, out)
	}
	if g.A >= out || g.B >= out {
		return invalid("gate %d reads a wire that is not driven before it", k)
	}
	switch {
	case g.Op == AND && g.A == g.B:
		return invalid("gate %d is AND(%d, %d)", k, g.A, g.A)
	case g.Op == NOT && g.B != 0:
		return invalid("gate %d is a NOT with a second operand", k)
	case g.Op != AND && g.Op != XOR && g.Op != NOT:
		return invalid("gate %d is %v", k, g.Op)
	}
	return nil
}
