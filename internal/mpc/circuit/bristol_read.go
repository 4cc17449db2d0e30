package circuit

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// ReadBristol reads a circuit in Bristol Fashion. assign is told how many bits each input and output value has and says who
// enters and who learns them; nil is [ByValue]. Gates may stand in any order in which each reads only what is driven before.
//
// The circuit goes through a [Builder]: equal gates are merged, what is constant or needed by nobody is dropped, so it may
// have fewer ANDs than the file. Errors wrap ErrInvalid and name the line: a malformed or oversized file, an AND of a wire
// with itself, an output that is constant or that the masks of the protocol would not keep from a provider
// (ErrUnmasked), or one that would tell more than it is (ErrSums).
func ReadBristol(r io.Reader, assign func(inputBits, outputBits []int) (Bristol, error)) (*Circuit, Bristol, error) {
	if assign == nil {
		assign = ByValue
	}
	f := &bristolFile{lines: bufio.NewScanner(r)}
	f.lines.Buffer(make([]byte, 0, 1<<12), 1<<20)
	if err := f.head(); err != nil {
		return nil, Bristol{}, err
	}
	plan, err := assign(slices.Clone(f.inputBits), slices.Clone(f.outputBits))
	if err == nil {
		err = plan.check(len(f.inputBits), len(f.outputBits))
	}
	if err != nil {
		return nil, Bristol{}, err
	}
	plan.InputBits, plan.OutputBits = f.inputBits, f.outputBits
	b := New(plan.Parties)
	for k, bits := range f.inputBits {
		f.bits = append(f.bits, b.InputWord(plan.Owners[k], bits)...)
	}
	f.driven = make([]bool, len(f.bits), 2*len(f.bits))
	for w := range f.driven {
		f.driven[w] = true
	}
	if err = f.gates(b); err != nil {
		return nil, Bristol{}, err
	}
	if err = f.deliver(b, plan); err != nil {
		return nil, Bristol{}, err
	}
	c, err := b.Build()
	return c, plan, err
}

// ByValue gives the k-th input value to party k and every output value to party 0. Beside a circuit of one input value, which
// party 0 enters, there is a party 1 that enters nothing.
func ByValue(inputBits, outputBits []int) (Bristol, error) {
	plan := Bristol{Parties: max(2, len(inputBits))}
	for k := range inputBits {
		plan.Owners = append(plan.Owners, k)
	}
	for range outputBits {
		plan.Recipients = append(plan.Recipients, []int{0})
	}
	return plan, nil
}

func (p Bristol) check(inputs, outputs int) error {
	if len(p.Owners) != inputs || len(p.Recipients) != outputs {
		return invalid("parties named for %d input and %d output values, there are %d and %d", len(p.Owners), len(p.Recipients), inputs, outputs)
	}
	return nil
}

// bristolFile is a file as far as it has been read.
type bristolFile struct {
	lines                 *bufio.Scanner
	line                  int
	gateCount, wireCount  int
	inputBits, outputBits []int
	bits                  []Bit  // by wire; grows as wires are driven
	driven                []bool // by wire
}

// next gives the fields of the next line that is not empty; none at the end.
func (f *bristolFile) next() ([]string, error) {
	for f.lines.Scan() {
		f.line++
		if fields := strings.Fields(f.lines.Text()); len(fields) > 0 {
			return fields, nil
		}
	}
	if err := f.lines.Err(); err != nil {
		if errors.Is(err, bufio.ErrTooLong) {
			return nil, bristolFault(f.line+1, "longer than a gate can be")
		}
		return nil, fmt.Errorf("circuit: %w", err)
	}
	return nil, nil
}

// number reads a decimal number from 0 to most.
func (f *bristolFile) number(text string, most int) (int, error) {
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil || n > uint64(most) {
		return 0, bristolFault(f.line, "%.20q is not a number from 0 to %d", text, most)
	}
	return int(n), nil
}

func (f *bristolFile) head() error {
	fields, err := f.next()
	if err != nil {
		return err
	}
	if len(fields) != 2 {
		return bristolFault(f.line, "begins with %d fields, want the numbers of gates and wires", len(fields))
	}
	if f.gateCount, err = f.number(fields[0], MaxBristolGates); err != nil {
		return err
	}
	if f.wireCount, err = f.number(fields[1], maxBristolWires); err != nil {
		return err
	}
	var in, out int
	if f.inputBits, in, err = f.values("input"); err != nil {
		return err
	}
	if f.outputBits, out, err = f.values("output"); err != nil {
		return err
	}
	if in > maxBristolInputs || out > f.wireCount {
		return bristolFault(f.line, "%d input bits, at most %d, and %d output bits on %d wires", in, maxBristolInputs, out, f.wireCount)
	}
	return nil
}

// values reads the widths of the input or output values and their sum.
func (f *bristolFile) values(what string) (widths []int, sum int, err error) {
	fields, err := f.next()
	if err != nil {
		return nil, 0, err
	}
	if len(fields) == 0 {
		return nil, 0, bristolFault(f.line, "ends before the %s values", what)
	}
	n, err := f.number(fields[0], maxBristolValues)
	if err != nil {
		return nil, 0, err
	}
	if len(fields) != 1+n {
		return nil, 0, bristolFault(f.line, "names %d %s values and %d widths", n, what, len(fields)-1)
	}
	for _, text := range fields[1:] {
		bits, err := f.number(text, f.wireCount)
		if err != nil {
			return nil, 0, err
		}
		if bits == 0 {
			return nil, 0, bristolFault(f.line, "has an %s value of no bits", what)
		}
		if sum += bits; sum > f.wireCount {
			return nil, 0, bristolFault(f.line, "has more %s bits than wires", what)
		}
		widths = append(widths, bits)
	}
	return widths, sum, nil
}

// gates reads all of them.
func (f *bristolFile) gates(b *Builder) error {
	for k := range f.gateCount {
		fields, err := f.next()
		if err != nil {
			return err
		}
		if len(fields) == 0 {
			return bristolFault(f.line, "ends after %d gates of %d", k, f.gateCount)
		}
		if err := f.gate(b, fields); err != nil {
			return err
		}
	}
	rest, err := f.next()
	if err == nil && len(rest) > 0 {
		err = bristolFault(f.line, "goes on after the last of %d gates", f.gateCount)
	}
	return err
}

// gate reads one.
func (f *bristolFile) gate(b *Builder, fields []string) error {
	op := fields[len(fields)-1]
	if len(fields) < 4 {
		return bristolFault(f.line, "is no gate")
	}
	ins, err := f.number(fields[0], f.wireCount)
	if err != nil {
		return err
	}
	outs, err := f.number(fields[1], f.wireCount)
	if err != nil {
		return err
	}
	if len(fields) != 3+ins+outs {
		return bristolFault(f.line, "has %d fields, %d inputs and %d outputs need %d", len(fields), ins, outs, 3+ins+outs)
	}
	in, out := fields[2:2+ins], fields[2+ins:2+ins+outs]
	switch {
	case op == "EQ" && ins == 1 && outs == 1:
		v, err := f.number(in[0], 1)
		if err != nil {
			return err
		}
		return f.drive(out[0], b.Const(v == 1))
	case (op == "INV" || op == "NOT" || op == "EQW") && ins == 1 && outs == 1:
		x, err := f.read(in[0])
		if err != nil {
			return err
		}
		if op != "EQW" {
			x = b.Not(x)
		}
		return f.drive(out[0], x)
	case (op == "AND" || op == "XOR") && ins == 2 && outs == 1,
		op == "MAND" && outs > 0 && ins == 2*outs:
		return f.pairs(b, op, in, out)
	}
	return bristolFault(f.line, "%.12q with %d inputs and %d outputs is no gate", op, ins, outs)
}

// pairs reads AND, XOR and MAND: out[k] of in[k] and in[k+len(out)].
func (f *bristolFile) pairs(b *Builder, op string, in, out []string) error {
	results := make([]Bit, len(out)) // a MAND drives nothing before all of it is read
	for k := range out {
		x, err := f.read(in[k])
		if err != nil {
			return err
		}
		y, err := f.read(in[k+len(out)])
		switch {
		case err != nil:
			return err
		case op == "XOR":
			results[k] = b.Xor(x, y)
		case in[k] == in[k+len(out)]:
			return bristolFault(f.line, "is an AND of wire %.20s with itself", in[k])
		default: // two wires may turn out to carry the same: that is no mistake of the file
			results[k] = b.and(x, y)
		}
	}
	for k, text := range out {
		if err := f.drive(text, results[k]); err != nil {
			return err
		}
	}
	return nil
}

func (f *bristolFile) read(text string) (Bit, error) {
	w, err := f.number(text, f.wireCount-1)
	if err == nil && (w >= len(f.driven) || !f.driven[w]) {
		err = bristolFault(f.line, "reads wire %d, which is not driven before it", w)
	}
	if err != nil {
		return False, err
	}
	return f.bits[w], nil
}

// drive sets a wire, whose number is its file's choice.
func (f *bristolFile) drive(text string, x Bit) error {
	w, err := f.number(text, f.wireCount-1)
	if err != nil {
		return err
	}
	for w >= len(f.driven) {
		f.driven, f.bits = append(f.driven, false), append(f.bits, False)
	}
	if f.driven[w] {
		return bristolFault(f.line, "drives wire %d a second time", w)
	}
	f.driven[w], f.bits[w] = true, x
	return nil
}

// deliver makes the last wires outputs.
func (f *bristolFile) deliver(b *Builder, plan Bristol) error {
	sum := 0
	for _, bits := range f.outputBits {
		sum += bits
	}
	w := f.wireCount - sum
	for k, bits := range f.outputBits {
		for i := range bits {
			if at := w + i; at >= len(f.driven) || !f.driven[at] {
				return bristolFault(f.line, "no gate drives output wire %d", at)
			}
		}
		for _, party := range plan.Recipients[k] {
			b.OutputWord(party, f.bits[w:w+bits])
		}
		w += bits
	}
	return nil
}
