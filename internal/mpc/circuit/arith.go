package circuit

// carry is the majority of x, y and c for one AND gate: the next carry of an adder, c ⊕ (x ⊕ c)(y ⊕ c).
func (b *Builder) carry(x, y, c Bit) Bit {
	return b.Xor(c, b.and(b.Xor(x, c), b.Xor(y, c)))
}

// AddCarry gives x + y + c as a word and a carry, one AND a bit.
func (b *Builder) AddCarry(x, y Word, c Bit) (Word, Bit) {
	equalWidths(x, y)
	sum := make(Word, len(x))
	for i := range sum {
		sum[i] = b.Xor(b.Xor(x[i], c), y[i])
		c = b.carry(x[i], y[i], c)
	}
	return sum, c
}

// Add gives x + y modulo 2^width, one AND for each bit but the highest.
func (b *Builder) Add(x, y Word) Word {
	sum, _ := b.AddCarry(x, y, False) // the last carry is dropped, and its gate with it
	return sum
}

// Sub gives x − y modulo 2^width, one AND for each bit but the highest.
func (b *Builder) Sub(x, y Word) Word {
	sum, _ := b.AddCarry(x, b.NotWord(y), True)
	return sum
}

// Less gives x < y for unsigned numbers, one AND a bit: the borrow of x − y.
func (b *Builder) Less(x, y Word) Bit { return b.borrow(x, y, False) }

// LessEq gives x ≤ y for unsigned numbers, one AND a bit: the borrow of x − y − 1.
func (b *Builder) LessEq(x, y Word) Bit { return b.borrow(x, y, True) }

func (b *Builder) borrow(x, y Word, c Bit) Bit {
	equalWidths(x, y)
	for i := range x {
		c = b.carry(b.Not(x[i]), y[i], c)
	}
	return c
}

// Equal gives x = y, one AND for each bit but one, in a tree.
func (b *Builder) Equal(x, y Word) Bit { return b.All(b.NotWord(b.XorWord(x, y))) }

// IsZero gives x = 0, one AND for each bit but one, in a tree.
func (b *Builder) IsZero(x Word) Bit { return b.All(b.NotWord(x)) }

// All gives the conjunction of all bits (true for none) as a balanced tree.
func (b *Builder) All(w Word) Bit {
	switch len(w) {
	case 0:
		return True
	case 1:
		return w[0]
	}
	return b.and(b.All(w[:len(w)/2]), b.All(w[len(w)/2:]))
}

// Any gives the disjunction of all bits (false for none) as a balanced tree.
func (b *Builder) Any(w Word) Bit { return b.Not(b.IsZero(w)) }

// Sum gives the XOR of all bits (false for none): their disjunction where at most one is set.
func (b *Builder) Sum(w Word) Bit {
	s := False
	for _, x := range w {
		s = b.Xor(s, x)
	}
	return s
}

// OneHot gives 2^len(w) bits of which the w-th equals on and all others are false, for 2^len(w) − 1 ANDs, len(w) fewer if on
// is the constant true.
func (b *Builder) OneHot(on Bit, w Word) Word {
	hot := Word{on}
	for k := len(w) - 1; k >= 0; k-- {
		next, rest := make(Word, 0, 2*len(hot)), w[k]
		for i, h := range hot {
			one := rest
			if on != True || i < len(hot)-1 { // all of a level's ones add up to w[k] ∧ on
				one = b.and(h, w[k])
				rest = b.Xor(rest, one)
			}
			next = append(next, b.Xor(h, one), one)
		}
		hot = next
	}
	return hot
}
