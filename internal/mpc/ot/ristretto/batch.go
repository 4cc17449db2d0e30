package ristretto

import "filippo.io/edwards25519"

// Lanes is how many elements a Batch has.
const Lanes = 8

// Batch is eight elements that are worked on together: one in each lane of wide
// registers where the machine can (AVX-512 IFMA), one after the other where not.
// All its operations give what those of Element give, in each lane, and
// are constant-time but for the verdict of DecodeBatch.
type Batch struct{ lanes batch }

// Table is an element with multiples of it, for many products by secret scalars.
type Table struct{ multiples table }

// BatchFromUniform is FromUniform in each lane.
func BatchFromUniform(b *[Lanes][UniformSize]byte) *Batch {
	e := new(Batch)
	e.lanes.fromUniform(b)
	return e
}

// DecodeBatch is Decode in each lane: b has the eight encodings one after the
// other, and ErrEncoding says that one of them or more is none.
func DecodeBatch(b *[Lanes * Size]byte) (*Batch, error) {
	e := new(Batch)
	if !e.lanes.decode(b) {
		return nil, ErrEncoding
	}
	return e, nil
}

// Encode is Element.Encode of each lane.
func (e *Batch) Encode(dst *[Lanes][Size]byte) { e.lanes.encode(dst) }

// Add sets e = a + b, lane by lane.
func (e *Batch) Add(a, b *Batch) { e.lanes.add(&a.lanes, &b.lanes) }

// Sub sets e = a − b, lane by lane.
func (e *Batch) Sub(a, b *Batch) { e.lanes.sub(&a.lanes, &b.lanes) }

// Mul sets e = s·a in each lane.
func (e *Batch) Mul(s *edwards25519.Scalar, a *Batch) { e.lanes.mul(s, &a.lanes) }

// NewTable prepares for products of p.
func NewTable(p Element) *Table { return &Table{newTable(p)} }

// BaseTable returns the table of the generator, made when it is first asked for.
func BaseTable() *Table { return baseTable() }

// Mul sets lane k of e to s[k] times the table's element.
func (t *Table) Mul(e *Batch, s *[Lanes]*edwards25519.Scalar) { t.multiples.mul(&e.lanes, s) }
