package catalog

import (
	"math"
	"math/big"

	"github.com/angler-dex/angler/internal/mpc/circuit"
)

// SHA256Compress is the compression function of SHA-256 (FIPS 180-4, 6.2.2): left is the 256-bit chaining value, right the
// 512-bit block, the result the next chaining value, all as the byte strings of the standard (big-endian 32-bit words).
func SHA256Compress(r Roles) (*circuit.Circuit, error) {
	b := circuit.New(r.Parties)
	state, block := wordsOf(b.InputWord(r.Left, 256)), wordsOf(b.InputWord(r.Right, 512))
	w := messageSchedule(b, block)
	v := append([]circuit.Word(nil), state...)
	for t, k := range roundConstants() {
		a, e := v[0], v[4]
		t1 := sumWords(b, b.ConstWord(uint64(k), 32), w[t], v[7], choose(b, e, v[5], v[6]), rotations(b, e, 6, 11, 25))
		t2 := b.Add(rotations(b, a, 2, 13, 22), majority(b, a, v[1], v[2]))
		v = []circuit.Word{b.Add(t1, t2), a, v[1], v[2], b.Add(v[3], t1), e, v[5], v[6]}
	}
	var out circuit.Word
	for k := range state {
		out = append(out, swapBytes(b.Add(state[k], v[k]))...)
	}
	return r.finish(b, out)
}

func messageSchedule(b *circuit.Builder, block []circuit.Word) []circuit.Word {
	w := append([]circuit.Word(nil), block...)
	for t := 16; t < 64; t++ {
		s0 := b.XorWord(b.XorWord(w[t-15].RotateRight(7), w[t-15].RotateRight(18)), w[t-15].ShiftRight(3))
		s1 := b.XorWord(b.XorWord(w[t-2].RotateRight(17), w[t-2].RotateRight(19)), w[t-2].ShiftRight(10))
		w = append(w, sumWords(b, s1, w[t-7], s0, w[t-16]))
	}
	return w
}

func rotations(b *circuit.Builder, x circuit.Word, i, j, k int) circuit.Word {
	return b.XorWord(b.XorWord(x.RotateRight(i), x.RotateRight(j)), x.RotateRight(k))
}

func choose(b *circuit.Builder, e, f, g circuit.Word) circuit.Word {
	z := make(circuit.Word, len(e))
	for i := range z {
		z[i] = b.Mux(e[i], f[i], g[i])
	}
	return z
}

func majority(b *circuit.Builder, x, y, z circuit.Word) circuit.Word {
	m := make(circuit.Word, len(x))
	for i := range m {
		m[i] = b.Xor(x[i], b.And(b.Xor(x[i], y[i]), b.Xor(x[i], z[i])))
	}
	return m
}

func sumWords(b *circuit.Builder, first circuit.Word, rest ...circuit.Word) circuit.Word {
	for _, w := range rest {
		first = b.Add(first, w)
	}
	return first
}

// wordsOf reads big-endian 32-bit words.
func wordsOf(bits circuit.Word) []circuit.Word {
	var out []circuit.Word
	for ; len(bits) > 0; bits = bits[32:] {
		out = append(out, swapBytes(bits[:32]))
	}
	return out
}

func swapBytes(w circuit.Word) circuit.Word {
	var out circuit.Word
	for k := 24; k >= 0; k -= 8 {
		out = append(out, w[k:k+8]...)
	}
	return out
}

// roundConstants are "the first thirty-two bits of the fractional parts of the cube roots of the first sixty-four prime
// numbers" (FIPS 180-4, 4.2.2).
func roundConstants() [64]uint32 {
	var k [64]uint32
	found := 0
	for p := int64(2); found < len(k); p++ {
		if !big.NewInt(p).ProbablyPrime(0) {
			continue
		}
		// ⌊2^32 · p^(1/3)⌋ by float and corrected to the exact root of 2^96 · p.
		root := big.NewInt(int64(math.Cbrt(float64(p)) * (1 << 32)))
		target := new(big.Int).Lsh(big.NewInt(p), 96)
		one := big.NewInt(1)
		for cube(root).Cmp(target) > 0 {
			root.Sub(root, one)
		}
		for cube(new(big.Int).Add(root, one)).Cmp(target) <= 0 {
			root.Add(root, one)
		}
		k[found] = uint32(root.Uint64())
		found++
	}
	return k
}

func cube(x *big.Int) *big.Int { return new(big.Int).Exp(x, big.NewInt(3), nil) }
