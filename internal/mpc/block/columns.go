package block

// ColumnSums returns, for each of the 128 bit columns c of rows, the element
// Σ_r rows[r].Bit(c)·chi[r]: the linear combination of the check of an OT
// extension, of all columns at once. It is the product of the transpose of the
// bit matrix rows with the bit matrix chi. It is constant-time in rows; chi is
// public (its bits choose table entries) and at least as long as rows.
func ColumnSums(rows, chi []Block) [128]Block {
	return columnSums(rows, chi[:len(rows)])
}
