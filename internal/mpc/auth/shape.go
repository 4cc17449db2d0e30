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
//	x of leaky ANDs │ y │ r │ a mask for each AND │ r_w │ s_w │ 0… │ 128 mask rows
//
// The region is padded so that it and its mask start at multiples of 128 rows.
type Shape struct {
	Leaky  int // leaky ANDs, B·ℓ
	ANDs   int // ℓ, the AND gates with padding
	Inputs int // input bits of the party
}

// X, Y and R are the starts of the three bits of the leaky ANDs.
func (s Shape) X() int { return 0 }

// Y is the start of the second factors.
func (s Shape) Y() int { return s.Leaky }

// R is the start of the bits that mask the products.
func (s Shape) R() int { return 2 * s.Leaky }

// Lambda is the start of the output masks of AND gates.
func (s Shape) Lambda() int { return 3 * s.Leaky }

// InputR is the start of the first masks r_w of the party's input bits.
func (s Shape) InputR() int { return s.Lambda() + s.ANDs }

// InputS is the start of the second masks s_w of the party's input bits.
func (s Shape) InputS() int { return s.InputR() + s.Inputs }

// RowsA is the size of region A with padding and its 128 mask rows.
func (s Shape) RowsA() int {
	used := s.InputS() + s.Inputs
	return (used+127)&^127 + maskRows
}

// Rows is the size of both regions: the rows of the party's OT extension.
func (s Shape) Rows() int { return s.RowsA() + RowsB }
