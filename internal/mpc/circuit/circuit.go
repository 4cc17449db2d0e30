package circuit

import "fmt"

// Wire is the number of a wire: inputs from 0, then one wire a gate.
type Wire uint32

// Op is the kind of a gate. The zero value is no gate.
type Op uint8

// The gates. AND is what costs; XOR and NOT are free in the protocol.
const (
	AND Op = iota + 1
	XOR
	NOT
)

// String gives the name of the operation.
func (o Op) String() string {
	switch o {
	case AND:
		return "AND"
	case XOR:
		return "XOR"
	case NOT:
		return "NOT"
	default:
		return fmt.Sprintf("Op(%d)", uint8(o))
	}
}

// Gate drives wire Out with Op of wires A and B. NOT reads A alone; its B is 0.
type Gate struct {
	Op        Op
	A, B, Out Wire
}

// Class says when an output is opened to its recipient.
type Class uint8

const (
	// Private is opened in any case, to its recipient alone.
	Private Class = iota
	// Conditional is disclosed by party 0 if the wire If carries 1: the recipient learns Wire ∧ If, for no AND gate.
	Conditional
)

// Output delivers the value of one wire to one party; that of a conditional one if If, which is 0 for others, carries 1, and
// 0 otherwise.
type Output struct {
	Wire  Wire
	Party int
	Class Class
	If    Wire
}

// Circuit is a public boolean circuit among Parties parties. Nobody changes it once it is built: its slices are shared and
// read-only. Inputs[w] is the owner of input wire w, and so of the wires 0 … len(Inputs)−1; Gates[k] drives wire
// len(Inputs)+k and reads lower wires only; Wires is the number of all wires.
type Circuit struct {
	Parties int
	Inputs  []int
	Gates   []Gate
	Outputs []Output
	Wires   int

	sound bool // from a Builder, which has validated it
}

// InputsOf gives the input wires of a party, in order.
func (c *Circuit) InputsOf(party int) []Wire {
	var wires []Wire
	for w, owner := range c.Inputs {
		if owner == party {
			wires = append(wires, Wire(w))
		}
	}
	return wires
}

// OutputsOf gives the entries of Outputs whose recipient is party, in order.
func (c *Circuit) OutputsOf(party int) []int {
	var entries []int
	for k, o := range c.Outputs {
		if o.Party == party {
			entries = append(entries, k)
		}
	}
	return entries
}

// Eval computes the circuit in clear: inputs has one value an input wire, the result one an output, in order. It is the
// ideal functionality that the protocol is tested against, and it panics if the number of inputs is wrong.
func (c *Circuit) Eval(inputs []bool) []bool {
	if len(inputs) != len(c.Inputs) {
		panic(fmt.Sprintf("circuit: %d input values for %d input wires", len(inputs), len(c.Inputs)))
	}
	v := make([]bool, c.Wires)
	copy(v, inputs)
	for _, g := range c.Gates {
		switch g.Op {
		case AND:
			v[g.Out] = v[g.A] && v[g.B]
		case XOR:
			v[g.Out] = v[g.A] != v[g.B]
		case NOT:
			v[g.Out] = !v[g.A]
		}
	}
	out := make([]bool, len(c.Outputs))
	for k, o := range c.Outputs {
		out[k] = v[o.Wire] && (o.Class == Private || v[o.If])
	}
	return out
}
