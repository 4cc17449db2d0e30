package block

// columnSumsGeneric multiplies the 128×n bit matrix of chi with the n×128 matrix of
// rows by the method of the four Russians, 64 rows at a time: four rows give a
// table of their 16 sums, and four bits of a column of chi, which are public,
// choose one. Σ_r chi[r].Bit(b)·rows[r] is row b of the transpose of what is wanted.
func columnSumsGeneric(rows, chi []Block) [128]Block {
	var acc [128]Block
	var tables [16][16]Block
	var lo, hi [64]uint64
	for len(rows) > 0 {
		n := min(64, len(rows))
		for k := range tables {
			var r [4]Block
			if 4*k < n {
				copy(r[:], rows[4*k:n])
			}
			t := &tables[k]
			t[1], t[2], t[4], t[8] = r[0], r[1], r[2], r[3]
			t[3] = t[1].Xor(t[2])
			for j := 1; j < 4; j++ {
				t[4+j] = t[4].Xor(t[j])
			}
			for j := 1; j < 8; j++ {
				t[8+j] = t[8].Xor(t[j])
			}
		}
		lo, hi = [64]uint64{}, [64]uint64{}
		for k, c := range chi[:n] {
			lo[k], hi[k] = c.Lo, c.Hi
		}
		transpose64(&lo)
		transpose64(&hi)
		for b := range 64 {
			acc[b] = acc[b].Xor(selected(&tables, lo[b]))
			acc[64+b] = acc[64+b].Xor(selected(&tables, hi[b]))
		}
		rows, chi = rows[n:], chi[n:]
	}
	transposeSquare(&acc)
	return acc
}

// selected adds one entry of each table, chosen by four bits of c each.
func selected(tables *[16][16]Block, c uint64) Block {
	var s Block
	for k := range tables {
		e := &tables[k][c&15]
		s.Lo ^= e.Lo
		s.Hi ^= e.Hi
		c >>= 4
	}
	return s
}
