package catalog

import "github.com/angler-dex/angler/internal/mpc/circuit"

// Adder gives left + right as bits+1 bits, for bits ANDs.
func Adder(r Roles, bits int) (*circuit.Circuit, error) {
	b := circuit.New(r.Parties)
	x, y := b.InputWord(r.Left, bits), b.InputWord(r.Right, bits)
	sum, carry := b.AddCarry(x, y, circuit.False)
	return r.finish(b, append(sum, carry))
}

// Comparator gives one bit, left < right, for bits ANDs.
func Comparator(r Roles, bits int) (*circuit.Circuit, error) {
	b := circuit.New(r.Parties)
	x, y := b.InputWord(r.Left, bits), b.InputWord(r.Right, bits)
	return r.finish(b, circuit.Word{b.Less(x, y)})
}

// Product gives left · right as 2·bits bits, for 2·bits² − bits ANDs.
func Product(r Roles, bits int) (*circuit.Circuit, error) {
	b := circuit.New(r.Parties)
	return r.finish(b, b.Mul(b.InputWord(r.Left, bits), b.InputWord(r.Right, bits)))
}
