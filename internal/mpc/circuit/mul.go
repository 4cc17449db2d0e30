package circuit

// Mul gives the whole product x · y of unsigned numbers, len(x)+len(y) bits: the rows of the schoolbook, added as they
// come, for at most 2·len(x)·len(y) − len(x) ANDs (that many for y of two bits or more and no constants among them).
// A constant factor costs one adder for each of its ones but the first.
func (b *Builder) Mul(x, y Word) Word {
	product := b.ConstWord(0, len(x)+len(y))
	for i := range y {
		row := b.MaskWord(y[i], x)
		sum, carry := b.AddCarry(product[i:i+len(x)], row, False)
		copy(product[i:], append(sum, carry))
	}
	return product
}
