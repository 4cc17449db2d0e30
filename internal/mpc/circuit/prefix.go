package circuit

// PrefixOr gives, for each bit, whether it or one before it is set: len(w)−1 ANDs at most, one after the other.
func (b *Builder) PrefixOr(w Word) Word {
	return prefix(w, b.Or)
}

// PrefixAnd gives, for each bit, whether it and all before it are set: len(w)−1 ANDs at most, one after the other.
func (b *Builder) PrefixAnd(w Word) Word {
	return prefix(w, b.and)
}

func prefix(w Word, join func(x, y Bit) Bit) Word {
	z := make(Word, len(w))
	copy(z, w)
	for i := 1; i < len(z); i++ {
		z[i] = join(z[i-1], z[i])
	}
	return z
}

// PrefixOrTree is PrefixOr in depth ⌈log2 n⌉, for n/2·log2 n ANDs where n is a power of two (Sklansky, "Conditional-sum
// addition logic", IRE Trans. 1960). In a garbled circuit depth costs nothing; it does where each layer is a round.
func (b *Builder) PrefixOrTree(w Word) Word {
	z := make(Word, len(w))
	copy(z, w)
	for d := 1; d < len(z); d *= 2 {
		for i := range z {
			if i&d != 0 {
				z[i] = b.Or(z[i], z[i&^(d-1)-1])
			}
		}
	}
	return z
}

// First keeps the first bit of w that is set and clears the others, for len(w)−1 ANDs at most: a one-hot choice by priority.
func (b *Builder) First(w Word) Word {
	if len(w) == 0 {
		return nil
	}
	z, before := Word{w[0]}, w[0]
	for _, x := range w[1:] {
		first := b.and(x, b.Not(before))
		z, before = append(z, first), b.Xor(before, first)
	}
	return z
}
