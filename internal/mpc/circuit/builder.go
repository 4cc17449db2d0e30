package circuit

import "fmt"

// Bit is a value in a circuit under construction: a node of its Builder, plain or negated, or a constant. The zero Bit is the
// constant false. Bits belong to the Builder that made them.
type Bit uint32

// The constants. They never become wires.
const (
	False Bit = 0
	True  Bit = 1
)

func (x Bit) node() uint32   { return uint32(x >> 1) }
func (x Bit) plain() Bit     { return x &^ 1 }
func (x Bit) negated() bool  { return x&1 == 1 }
func (x Bit) constant() bool { return x <= True }

// Builder builds a Circuit. It is for one goroutine. Mistakes that only the caller's data can show (an owner out of range, a
// constant output) are remembered and returned by Build; words of unequal width panic.
type Builder struct {
	parties int
	nodes   []node   // nodes[0] stands for the constants
	known   table    // gates by operation and operands, for merging
	inputs  []uint32 // input nodes, in order
	owners  []int    // of the inputs
	outputs []output
	err     error
}

// node is an input (op 0; a is its number) or an AND or XOR of two bits with a < b. The operands of a XOR are plain.
type node struct {
	op   Op
	a, b Bit
}

type output struct {
	bit   Bit
	party int
	class Class
	on    Bit // the condition
}

// New starts a circuit among parties 0 … parties−1.
func New(parties int) *Builder {
	b := &Builder{parties: parties, nodes: make([]node, 1, 1024)}
	if parties < 2 || parties > MaxParties {
		b.fail("%d parties, must be 2 to %d", parties, MaxParties)
	}
	return b
}

func (b *Builder) fail(format string, args ...any) {
	if b.err == nil {
		b.err = invalid(format, args...)
	}
}

// Input declares the next input bit of the circuit. Inputs keep their order, whether or not anything depends on them.
func (b *Builder) Input(owner int) Bit {
	if owner < 0 || owner >= b.parties {
		b.fail("input %d belongs to party %d of %d", len(b.inputs), owner, b.parties)
	}
	x := b.push(node{a: Bit(len(b.inputs))})
	b.inputs = append(b.inputs, x.node())
	b.owners = append(b.owners, owner)
	return x
}

func (b *Builder) push(n node) Bit {
	if len(b.nodes) > MaxWires {
		b.fail("more than %d wires", MaxWires)
		return False
	}
	b.nodes = append(b.nodes, n)
	return Bit(len(b.nodes)-1) << 1
}

// gate gives the node of an operation, the one that exists if there is one.
func (b *Builder) gate(op Op, x, y Bit) Bit {
	if x > y {
		x, y = y, x
	}
	n := node{op: op, a: x, b: y}
	if id, ok := b.known.find(b.nodes, n); ok {
		return Bit(id) << 1
	}
	z := b.push(n)
	if z != False {
		b.known.add(b.nodes, z.node())
	}
	return z
}

func (b *Builder) check(x Bit) {
	if int(x.node()) >= len(b.nodes) {
		panic(fmt.Sprintf("circuit: bit %d is not of this builder", x))
	}
}

// Const gives a constant.
func (b *Builder) Const(v bool) Bit {
	if v {
		return True
	}
	return False
}

// Not gives ¬x. Negation is a mark on the bit; it costs nothing.
func (b *Builder) Not(x Bit) Bit { return x ^ 1 }

// Xor gives x ⊕ y, which is free.
func (b *Builder) Xor(x, y Bit) Bit {
	b.check(x)
	b.check(y)
	sign := (x ^ y) & 1
	x, y = x.plain(), y.plain()
	switch {
	case x == y:
		return sign
	case x == False:
		return y ^ sign
	case y == False:
		return x ^ sign
	}
	for range 2 { // (y ⊕ z) ⊕ y = z
		if n := b.nodes[x.node()]; n.op == XOR && n.a == y {
			return n.b ^ sign
		} else if n.op == XOR && n.b == y {
			return n.a ^ sign
		}
		x, y = y, x
	}
	return b.gate(XOR, x, y) ^ sign
}

// And gives x ∧ y for one AND gate, none if an operand is constant or the gate exists. And(x, x) is refused: Build returns
// an error. (Inside words, where two bits may happen to be the same, it is x.)
func (b *Builder) And(x, y Bit) Bit {
	if x == y && !x.constant() {
		b.fail("AND of a bit with itself")
	}
	return b.and(x, y)
}

func (b *Builder) and(x, y Bit) Bit {
	b.check(x)
	b.check(y)
	switch {
	case x == False || y == False || x == y^1:
		return False
	case x == True || x == y:
		return y
	case y == True:
		return x
	}
	return b.gate(AND, x, y)
}

// Or gives x ∨ y for one AND gate.
func (b *Builder) Or(x, y Bit) Bit { return b.and(x^1, y^1) ^ 1 }

// Mux gives x if s holds and y otherwise, for one AND gate.
func (b *Builder) Mux(s, x, y Bit) Bit { return b.Xor(y, b.and(s, b.Xor(x, y))) }

// Output delivers x to a party: the next entry of the circuit's outputs. A constant is refused by Build: it is public, and
// nobody needs a protocol to learn it.
func (b *Builder) Output(party int, x Bit) {
	b.check(x)
	switch {
	case party < 0 || party >= b.parties:
		b.fail("output %d goes to party %d of %d", len(b.outputs), party, b.parties)
	case x.constant():
		b.fail("output %d to party %d is constant", len(b.outputs), party)
	}
	b.outputs = append(b.outputs, output{bit: x, party: party})
}

// OutputIf delivers x ∧ on to a party without an AND: party 0 discloses x to it if on is 1. Both party 0 and the recipient
// must have on among their outputs, and party 0 must know x: as an output, or as an input of its own. Build refuses all else.
func (b *Builder) OutputIf(party int, on, x Bit) {
	b.Output(party, x)
	b.check(on)
	if on.constant() {
		b.fail("the condition of output %d to party %d is constant", len(b.outputs)-1, party)
	}
	o := &b.outputs[len(b.outputs)-1]
	o.class, o.on = Conditional, on
}
