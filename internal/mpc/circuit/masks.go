package circuit

import (
	"fmt"
	"math/bits"
	"sync"
)

// checkMasks enforces the rule on the providers' outputs that the package's documentation derives: every XOR of them that
// does not vanish identically has a share of party 0 in its mask, and none of them vanishes by itself.
//
// It works on columns: for each input and AND, the set of provider outputs whose sum contains its mask, as a vector of bits.
func (c *Circuit) checkMasks() error {
	var entries []int
	told := make([]bool, c.Wires) // a wire that goes to several counts once: its XOR with itself tells nothing
	for k, o := range c.Outputs {
		if o.Party != 0 && !told[o.Wire] {
			told[o.Wire] = true
			entries = append(entries, k)
		}
	}
	if len(entries) == 0 {
		return nil
	}
	room := columnRooms.Get().(*vector)
	defer columnRooms.Put(room)
	sets := c.maskColumns(entries, room)
	span := newSpan(len(entries))
	covered := make(vector, sets.words)
	var theirs []vector
	keep := func(v vector, party0 bool) {
		switch {
		case v.isZero():
		case party0:
			for i := range v {
				covered[i] |= v[i]
			}
			span.add(v)
		default:
			theirs = append(theirs, v)
		}
	}
	for w, owner := range c.Inputs {
		keep(sets.of(Wire(w)), owner == 0)
	}
	for _, g := range c.Gates {
		if g.Op == AND {
			keep(sets.of(g.Out), true)
		}
	}
	for i, k := range entries {
		if !covered.bit(i) {
			return fmt.Errorf("%w: output %d to party %d is a constant or a sum of the providers' inputs", ErrUnmasked, k, c.Outputs[k].Party)
		}
	}
	for _, v := range theirs {
		if !span.contains(v) {
			return fmt.Errorf("%w: the XOR of some of their outputs is a sum of the providers' inputs", ErrUnmasked)
		}
	}
	return nil
}

// maskColumns gives each wire the set of entries in whose mask it occurs. It walks from the outputs down: a XOR passes its
// set to both operands and a NOT to its one, where sets add up (and cancel); what inputs and ANDs are left with is the answer.
// They lie in room.
func (c *Circuit) maskColumns(entries []int, room *vector) (all columns) {
	words := (len(entries) + 63) / 64
	if cap(*room) < words*c.Wires {
		*room = make(vector, words*c.Wires)
	}
	all = columns{(*room)[:words*c.Wires], words}
	clear(all.flat)
	for i, k := range entries {
		all.of(c.Outputs[k].Wire)[i/64] ^= 1 << (i % 64)
	}
	for k := len(c.Gates) - 1; k >= 0; k-- {
		g := c.Gates[k]
		if g.Op == AND {
			continue
		}
		out := all.of(g.Out)
		if out.isZero() {
			continue
		}
		all.of(g.A).add(out)
		if g.Op == XOR {
			all.of(g.B).add(out)
		}
	}
	return all
}

// columns has a vector of as many words for each wire.
type columns struct {
	flat  vector
	words int
}

func (c columns) of(w Wire) vector { return c.flat[int(w)*c.words:][:c.words] }

// columnRooms keep the memory of columns, which are public, from one circuit to the next.
var columnRooms = sync.Pool{New: func() any { return new(vector) }}

// vector is a vector over GF(2), 64 coordinates a word.
type vector []uint64

func (v vector) add(o vector) {
	for i := range v {
		v[i] ^= o[i]
	}
}

func (v vector) bit(i int) bool { return v[i/64]>>(i%64)&1 == 1 }

func (v vector) isZero() bool { return v.top() < 0 }

// top is the highest coordinate that is set, −1 for the zero vector.
func (v vector) top() int {
	for i := len(v) - 1; i >= 0; i-- {
		if v[i] != 0 {
			return 64*i + bits.Len64(v[i]) - 1
		}
	}
	return -1
}

// span is a space of vectors, kept as an echelon basis: basis[t] is nil or has its highest coordinate at t.
type span struct {
	basis []vector
	rank  int
}

func newSpan(dim int) *span { return &span{basis: make([]vector, dim)} }

// rest reduces a copy of v by the basis; it is zero exactly if v lies in the span.
func (s *span) rest(v vector) vector {
	r := append(vector(nil), v...)
	for t := r.top(); t >= 0 && s.basis[t] != nil; t = r.top() {
		r.add(s.basis[t])
	}
	return r
}

func (s *span) add(v vector) {
	if s.rank == len(s.basis) {
		return
	}
	if r := s.rest(v); !r.isZero() {
		s.basis[r.top()] = r
		s.rank++
	}
}

func (s *span) contains(v vector) bool {
	return s.rank == len(s.basis) || s.rest(v).isZero()
}
