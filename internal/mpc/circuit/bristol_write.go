package circuit

import (
	"bufio"
	"fmt"
	"io"
)

// WriteBristol writes the circuit in Bristol Fashion, with the bits of each input and output value that plan gives, or, where
// it gives none, one value for each run of bits of one owner or recipient. Who owns and who learns is not in the format.
// ReadBristol reads back a circuit that computes the same. An output that is an input, or that stands twice, is copied by
// EQW; all other gates are AND, XOR and INV. The format has no conditional outputs: each is written as
// an AND with its condition, see Unconditional. Errors wrap ErrInvalid, or are those of w.
func (c *Circuit) WriteBristol(w io.Writer, plan Bristol) error {
	if err := c.Validate(); err != nil {
		return err
	}
	c = c.Unconditional()
	inputs, outputs := plan.InputBits, plan.OutputBits
	if inputs == nil {
		inputs = runs(len(c.Inputs), func(k int) int { return c.Inputs[k] })
	}
	if outputs == nil {
		outputs = runs(len(c.Outputs), func(k int) int { return c.Outputs[k].Party })
	}
	if total(inputs) != len(c.Inputs) || total(outputs) != len(c.Outputs) {
		return invalid("values of %d and %d bits for %d inputs and %d outputs", total(inputs), total(outputs), len(c.Inputs), len(c.Outputs))
	}
	number, copies := c.bristolNumbers()
	out := bufio.NewWriter(w) // it remembers its first error for Flush
	fmt.Fprintf(out, "%d %d\n", len(c.Gates)+len(copies), c.Wires+len(copies))
	writeValues(out, inputs)
	writeValues(out, outputs)
	fmt.Fprintln(out)
	for _, g := range c.Gates {
		if g.Op == NOT {
			fmt.Fprintf(out, "1 1 %d %d INV\n", number[g.A], number[g.Out])
		} else {
			fmt.Fprintf(out, "2 1 %d %d %d %v\n", number[g.A], number[g.B], number[g.Out], g.Op)
		}
	}
	for _, k := range copies {
		fmt.Fprintf(out, "1 1 %d %d EQW\n", number[c.Outputs[k].Wire], c.Wires+len(copies)-len(c.Outputs)+k)
	}
	return out.Flush()
}

// bristolNumbers renumbers the wires so that the outputs are the last ones, and lists the outputs that need a copy because
// their wire is an input or delivered before.
func (c *Circuit) bristolNumbers() (number []int, copies []int) {
	const none = -1
	number = make([]int, c.Wires)
	for w := range number {
		number[w] = none
	}
	for w := range c.Inputs {
		number[w] = w
	}
	last := make(map[Wire]int, len(c.Outputs)) // which output a wire becomes
	for k, o := range c.Outputs {
		if _, taken := last[o.Wire]; taken || int(o.Wire) < len(c.Inputs) {
			copies = append(copies, k)
		} else {
			last[o.Wire] = k
		}
	}
	first, next := c.Wires+len(copies)-len(c.Outputs), len(c.Inputs)
	for _, g := range c.Gates {
		if k, ok := last[g.Out]; ok {
			number[g.Out] = first + k
			continue
		}
		number[g.Out] = next
		next++
	}
	return number, copies
}

// runs gives the lengths of runs of equal keys.
func runs(n int, key func(int) int) []int {
	var lengths []int
	for k := range n {
		if k == 0 || key(k) != key(k-1) {
			lengths = append(lengths, 0)
		}
		lengths[len(lengths)-1]++
	}
	return lengths
}

func total(widths []int) int {
	sum := 0
	for _, n := range widths {
		sum += n
	}
	return sum
}

func writeValues(out *bufio.Writer, widths []int) {
	fmt.Fprint(out, len(widths))
	for _, n := range widths {
		fmt.Fprint(out, " ", n)
	}
	fmt.Fprintln(out)
}
