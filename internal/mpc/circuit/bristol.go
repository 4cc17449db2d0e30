package circuit

import "fmt"

// Bristol Fashion is the text format in which circuits are published ("(Bristol Format) Circuits", Archer, Abril, Lu, Maene,
// Mertens, Sijacic, Smart; the format that followed Tillich and Smart's):
//
//	<gates> <wires>
//	<input values> <bits of each>
//	<output values> <bits of each>
//
//	2 1 <in> <in> <out> AND | XOR
//	1 1 <in> <out> INV | EQW
//	1 1 <0|1> <out> EQ
//	2k k <in>… <in>… <out>… MAND
//
// The first wires are the bits of the input values, in order, and the last wires those of the output values. A file says
// nothing of parties; [Bristol.Parties] and the two lists beside it do.

// Bristol is what the format leaves open or groups: which bits make a value, who owns it, who learns it.
type Bristol struct {
	Parties    int
	Owners     []int   // by input value: the party that enters it
	Recipients [][]int // by output value: the parties that learn it
	// Of a circuit that was read: bits of each value. WriteBristol takes them, too, where a circuit's own grouping is not
	// wanted.
	InputBits, OutputBits []int
}

// Bounds on a file: more than any published circuit needs, and little enough that a false head cannot ask for memory.
const (
	MaxBristolGates  = 1 << 22
	maxBristolWires  = 1 << 23
	maxBristolInputs = 1 << 16
	maxBristolValues = 1 << 12
)

// bristolFault says where a file is wrong; it wraps ErrInvalid.
func bristolFault(line int, format string, args ...any) error {
	return fmt.Errorf("%w: line %d: %s", ErrInvalid, line, fmt.Sprintf(format, args...))
}
