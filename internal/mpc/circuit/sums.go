package circuit

// checkSums enforces the rule on sums of inputs that the package's documentation derives: an output without an AND in its mask
// has inputs of one party beside its recipient at most, and so have, all of them of the same party, those XORs of other outputs
// in whose masks the ANDs vanish. Between two parties there is nothing to enforce.
//
// Left out are outputs that are inputs, and outputs that are ANDs with their columns: by its AND such a one is linearly
// independent of whatever else there is. Most circuits have few other outputs.
func (c *Circuit) checkSums() error {
	if c.Parties == 2 {
		return nil
	}
	told := make([]bool, c.Wires)
	var entries []int
	for k, o := range c.Outputs {
		if !told[o.Wire] {
			told[o.Wire] = true
			if gate := int(o.Wire) - len(c.Inputs); gate >= 0 && c.Gates[gate].Op != AND {
				entries = append(entries, k)
			}
		}
	}
	if len(entries) == 0 {
		return nil
	}
	room := columnRooms.Get().(*vector)
	defer columnRooms.Put(room)
	sets := c.maskColumns(entries, room)
	span, mixed := newSpan(len(entries)), make(vector, sets.words) // mixed: entries with an AND
	for _, g := range c.Gates {
		if v := sets.of(g.Out); g.Op == AND && !v.isZero() {
			for i := range v {
				mixed[i] |= v[i]
			}
			if !told[g.Out] {
				span.add(v)
			}
		}
	}
	if err := c.checkPlainSums(entries, sets, mixed); err != nil {
		return err
	}
	owner := -1
	for w, of := range c.Inputs {
		v := sets.of(Wire(w))
		for i := range v {
			v[i] &= mixed[i]
		}
		if of == owner || span.contains(v) {
			continue
		}
		if owner >= 0 {
			return invalidSum("the XOR of some outputs is a sum of inputs of parties %d and %d", owner, of)
		}
		owner = of
	}
	return nil
}

// checkPlainSums looks at the outputs that are sums of inputs by themselves.
func (c *Circuit) checkPlainSums(entries []int, sets columns, mixed vector) error {
	at := make(map[Wire]int, len(entries))
	for i, k := range entries {
		if !mixed.bit(i) {
			at[c.Outputs[k].Wire] = i
		}
	}
	if len(at) == 0 {
		return nil
	}
	owners := make(map[int][]int, len(at)) // by entry, each party once in a row
	for w, of := range c.Inputs {
		v := sets.of(Wire(w))
		for _, i := range at {
			if all := owners[i]; v.bit(i) && (len(all) == 0 || all[len(all)-1] != of) {
				owners[i] = append(all, of)
			}
		}
	}
	for k, o := range c.Outputs {
		i, plain := at[o.Wire]
		if !plain {
			continue
		}
		other := -1
		for _, of := range owners[i] {
			switch {
			case of == o.Party || of == other:
			case other < 0:
				other = of
			default:
				return invalidSum("output %d to party %d is a sum of inputs of parties %d and %d", k, o.Party, other, of)
			}
		}
	}
	return nil
}
