package circuit

import "fmt"

// Word is a number in a circuit under construction, bit 0 first. Functions that take two words want equal widths.
type Word []Bit

// InputWord declares the next bits inputs as a word of their owner.
func (b *Builder) InputWord(owner, bits int) Word {
	w := make(Word, bits)
	for i := range w {
		w[i] = b.Input(owner)
	}
	return w
}

// ConstWord gives the constant v, cut to the given width.
func (b *Builder) ConstWord(v uint64, bits int) Word {
	w := make(Word, bits)
	for i := range w {
		w[i] = b.Const(i < 64 && v>>i&1 == 1)
	}
	return w
}

// OutputWord delivers all bits of w to a party, bit 0 first.
func (b *Builder) OutputWord(party int, w Word) {
	for _, x := range w {
		b.Output(party, x)
	}
}

// OutputWordIf delivers all bits of w to a party if on is 1, bit 0 first: see OutputIf.
func (b *Builder) OutputWordIf(party int, on Bit, w Word) {
	for _, x := range w {
		b.OutputIf(party, on, x)
	}
}

func equalWidths(x, y Word) {
	if len(x) != len(y) {
		panic(fmt.Sprintf("circuit: words of %d and %d bits", len(x), len(y)))
	}
}

func each(x, y Word, f func(x, y Bit) Bit) Word {
	equalWidths(x, y)
	z := make(Word, len(x))
	for i := range z {
		z[i] = f(x[i], y[i])
	}
	return z
}

// XorWord is the bitwise x ⊕ y.
func (b *Builder) XorWord(x, y Word) Word { return each(x, y, b.Xor) }

// AndWord is the bitwise x ∧ y, one AND a bit.
func (b *Builder) AndWord(x, y Word) Word { return each(x, y, b.and) }

// NotWord is the bitwise ¬x.
func (b *Builder) NotWord(x Word) Word {
	z := make(Word, len(x))
	for i := range z {
		z[i] = b.Not(x[i])
	}
	return z
}

// MaskWord gives w if s holds and 0 otherwise, one AND a bit.
func (b *Builder) MaskWord(s Bit, w Word) Word {
	z := make(Word, len(w))
	for i := range z {
		z[i] = b.and(s, w[i])
	}
	return z
}

// MuxWord gives x if s holds and y otherwise, one AND a bit.
func (b *Builder) MuxWord(s Bit, x, y Word) Word {
	return each(x, y, func(x, y Bit) Bit { return b.Mux(s, x, y) })
}

// RotateRight turns w by n bits towards bit 0, which costs nothing.
func (w Word) RotateRight(n int) Word {
	z := make(Word, len(w))
	for i := range z {
		z[i] = w[(i+n)%len(w)]
	}
	return z
}

// ShiftRight shifts w by n bits towards bit 0 and fills with zeros.
func (w Word) ShiftRight(n int) Word {
	z := make(Word, len(w))
	if n < len(w) {
		copy(z, w[n:])
	}
	return z
}
