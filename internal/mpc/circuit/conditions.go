package circuit

// conditional tells whether any output is.
func (c *Circuit) conditional() bool {
	for _, o := range c.Outputs {
		if o.Class != Private {
			return true
		}
	}
	return false
}

// Unconditional computes the same with private outputs only, for an AND gate each that is conditional.
func (c *Circuit) Unconditional() *Circuit {
	if !c.conditional() {
		return c
	}
	u := &Circuit{Parties: c.Parties, Inputs: c.Inputs, Gates: append([]Gate(nil), c.Gates...), Wires: c.Wires}
	for _, o := range c.Outputs {
		if o.Class == Conditional {
			u.Gates = append(u.Gates, Gate{Op: AND, A: o.Wire, B: o.If, Out: Wire(u.Wires)})
			o = Output{Wire: Wire(u.Wires), Party: o.Party}
			u.Wires++
		}
		u.Outputs = append(u.Outputs, o)
	}
	return u
}

// checkConditions enforces the rules on conditional outputs that the package's documentation derives: the recipient is a
// provider and has one condition for all of them, a private output of its own and of party 0, and what is disclosed is an
// input or a private output of party 0.
func (c *Circuit) checkConditions() error {
	if !c.conditional() {
		for k, o := range c.Outputs {
			if o.If != 0 {
				return invalid("output %d has a condition but is private", k)
			}
		}
		return nil
	}
	private := make(map[Output]bool, len(c.Outputs))
	for k, o := range c.Outputs {
		switch {
		case o.Class > Conditional:
			return invalid("output %d is of class %d", k, o.Class)
		case o.Class == Private && o.If != 0:
			return invalid("output %d has a condition but is private", k)
		case o.Class == Private:
			private[o] = true
		}
	}
	conditions := make(map[int]Wire)
	for k, o := range c.Outputs {
		if o.Class != Conditional {
			continue
		}
		on, known := conditions[o.Party]
		conditions[o.Party] = o.If
		ownInput := int64(o.Wire) < int64(len(c.Inputs)) && c.Inputs[o.Wire] == 0
		switch {
		case o.Wire == o.If:
			return invalid("output %d is its own condition", k)
		case o.Party == 0:
			return invalid("output %d to party 0 is conditional", k)
		case known && on != o.If:
			return invalid("outputs to party %d have two conditions", o.Party)
		case !private[Output{Wire: o.If, Party: o.Party}] || !private[Output{Wire: o.If}]:
			return invalid("the condition of output %d is no output of party 0 and of party %d", k, o.Party)
		case !ownInput && !private[Output{Wire: o.Wire}]:
			return invalid("output %d would tell party %d what party 0 does not know", k, o.Party)
		}
	}
	return nil
}
