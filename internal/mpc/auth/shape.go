package auth

// Sizes of the regions, in rows (one row is one authenticated bit).
const (
	maskRows = 128

	// RowsB is the size of region B of one ordered pair.
	RowsB       = 384
	deltaStart  = 0
	mintedStart = 128
)

// Shape says what lies where in region A of one party: everything in segments,
// so that a segment is a contiguous piece of each lane.
//
//	x of leaky ANDs │ ρ of each AND │ a mask for each AND │ r_w │ s_w │ 0… │ 128 mask rows
//
// It is padded so that it and its mask start at multiples of 128 rows. The bits y
// and r of the leaky ANDs are a part of the region of which 48 bits of Δ are enough:
// pairs (y, r) of narrow rows, one a leaky AND, padded in the same way and with
// 128 mask pairs. The party's packed bits are those of the rows, of all y, of all r.
type Shape struct {
	Leaky  int // leaky ANDs, B·ℓ
	ANDs   int // AND gates
	Inputs int // input bits of the party
}

// X is the start of the first factors of the leaky ANDs.
func (s Shape) X() int { return 0 }

// Rho is the start of the bits that take the place of the r of a gate's bucket.
func (s Shape) Rho() int { return s.Leaky }

// Lambda is the start of the output masks of AND gates.
func (s Shape) Lambda() int { return s.Rho() + s.ANDs }

// InputR is the start of the first masks r_w of the party's input bits.
func (s Shape) InputR() int { return s.Lambda() + s.ANDs }

// InputS is the start of the second masks s_w of the party's input bits.
func (s Shape) InputS() int { return s.InputR() + s.Inputs }

// RowsA is the size of region A's full rows with padding and 128 mask rows.
func (s Shape) RowsA() int { return padded(s.InputS()+s.Inputs) + maskRows }

// Rows is the size of both regions: the full rows of the party's OT extension.
func (s Shape) Rows() int { return s.RowsA() + RowsB }

// Pairs is the number of pairs of narrow rows, with padding and 128 mask pairs.
func (s Shape) Pairs() int { return padded(s.Leaky) + maskRows }

// Bits is how many bits a party draws that are the same towards everybody.
func (s Shape) Bits() int { return s.RowsA() + 2*s.Pairs() }

func padded(rows int) int { return (rows + 127) &^ 127 }
