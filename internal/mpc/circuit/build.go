package circuit

// Build gives the circuit: all inputs, then the gates that some output depends on, in the order in which they were made, a
// NOT right before its first use. The Builder stays as it is and may go on. Errors wrap ErrInvalid: what the Builder
// remembered, a provider's output without a share of party 0 in its mask (ErrUnmasked), or a sum of inputs as an output (ErrSums).
func (b *Builder) Build() (*Circuit, error) {
	if b.err != nil {
		return nil, b.err
	}
	c := &Circuit{Parties: b.parties, Inputs: append([]int(nil), b.owners...)}
	l := lowering{circuit: c, plain: make([]Wire, 2*len(b.nodes))}
	l.plain, l.negated = l.plain[:len(b.nodes)], l.plain[len(b.nodes):]
	for w, id := range b.inputs {
		l.plain[id] = Wire(w)
	}
	live, gates := b.live()
	c.Gates = make([]Gate, 0, gates)
	c.Outputs = make([]Output, 0, len(b.outputs))
	for id, n := range b.nodes {
		if !live[id] || n.op == 0 {
			continue
		}
		l.plain[id] = l.emit(n.op, l.wire(n.a), l.wire(n.b))
	}
	for _, o := range b.outputs {
		out := Output{Wire: l.wire(o.bit), Party: o.party, Class: o.class}
		if o.class == Conditional {
			out.If = l.wire(o.on)
		}
		c.Outputs = append(c.Outputs, out)
	}
	c.Wires = len(c.Inputs) + len(c.Gates)
	if err := c.Validate(); err != nil {
		return nil, err
	}
	c.sound = true
	return c, nil
}

// live marks the nodes that outputs depend on, and counts their gates and the NOTs at most. Operands are older than their
// gates, so one pass down finds them all.
func (b *Builder) live() (live []bool, gates int) {
	live = make([]bool, len(b.nodes))
	negated := make([]bool, len(b.nodes))
	not := func(x Bit) {
		if x.negated() && !negated[x.node()] {
			negated[x.node()] = true
			gates++
		}
	}
	for _, o := range b.outputs {
		live[o.bit.node()] = true
		not(o.bit)
		if o.class == Conditional { // it is an output too, or the circuit is refused
			live[o.on.node()] = true
			not(o.on)
		}
	}
	for id := len(b.nodes) - 1; id > 0; id-- {
		if n := b.nodes[id]; live[id] && n.op != 0 {
			live[n.a.node()] = true
			live[n.b.node()] = true
			not(n.a)
			not(n.b)
			gates++
		}
	}
	return live, gates
}

// lowering turns nodes into wires, and negation marks into NOT gates, one a node.
type lowering struct {
	circuit *Circuit
	plain   []Wire
	negated []Wire // 0 where there is no NOT yet: it never drives the first wire, an operand stands before it
}

func (l *lowering) emit(op Op, x, y Wire) Wire {
	out := Wire(len(l.circuit.Inputs) + len(l.circuit.Gates))
	l.circuit.Gates = append(l.circuit.Gates, Gate{Op: op, A: x, B: y, Out: out})
	return out
}

func (l *lowering) wire(x Bit) Wire {
	if !x.negated() {
		return l.plain[x.node()]
	}
	w := l.negated[x.node()]
	if w == 0 {
		w = l.emit(NOT, l.plain[x.node()], 0)
		l.negated[x.node()] = w
	}
	return w
}
