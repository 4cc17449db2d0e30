package circuit

import "fmt"

// Stats counts what a circuit consists of. Depth is the multiplicative one: the most ANDs on a path.
type Stats struct {
	Inputs, Outputs, ANDs, XORs, NOTs, Depth int
}

// String is one line, for goldens and for people.
func (s Stats) String() string {
	return fmt.Sprintf("%d inputs, %d outputs, %d AND, %d XOR, %d NOT, depth %d", s.Inputs, s.Outputs, s.ANDs, s.XORs, s.NOTs, s.Depth)
}

// Stats counts the circuit's parts.
func (c *Circuit) Stats() Stats {
	s := Stats{Inputs: len(c.Inputs), Outputs: len(c.Outputs), Depth: c.Depth()}
	for _, g := range c.Gates {
		switch g.Op {
		case AND:
			s.ANDs++
		case XOR:
			s.XORs++
		case NOT:
			s.NOTs++
		}
	}
	return s
}

// ANDs is the number of AND gates, which is what a circuit costs in the protocol.
func (c *Circuit) ANDs() int {
	n := 0
	for _, g := range c.Gates {
		if g.Op == AND {
			n++
		}
	}
	return n
}

// Depth is the largest number of AND gates on any path.
func (c *Circuit) Depth() int {
	depth, most := make([]int, c.Wires), 0
	for _, g := range c.Gates {
		d := depth[g.A]
		if g.Op != NOT {
			d = max(d, depth[g.B])
		}
		if g.Op == AND {
			d++
		}
		depth[g.Out] = d
		most = max(most, d)
	}
	return most
}

// String describes the circuit in one line.
func (c *Circuit) String() string {
	return fmt.Sprintf("circuit of %d parties: %v", c.Parties, c.Stats())
}
