package catalog

import "github.com/angler-dex/angler/internal/mpc/circuit"

// AES128 encrypts one block (FIPS 197): left is the 128-bit key, right the plaintext, the result the ciphertext. The key
// schedule is part of it: 200 S-boxes, 6,400 ANDs.
func AES128(r Roles) (*circuit.Circuit, error) {
	b := circuit.New(r.Parties)
	key, state := bytesOf(b.InputWord(r.Left, 128)), bytesOf(b.InputWord(r.Right, 128))
	state = xorBytes(b, state, key)
	rcon := uint64(1)
	for round := 1; round <= 10; round++ {
		for k := range state {
			state[k] = sbox(b, state[k])
		}
		state = shiftRows(state)
		if round < 10 {
			state = mixColumns(b, state)
		}
		key = nextRoundKey(b, key, rcon)
		rcon = rcon<<1 ^ rcon>>7*0x11b
		state = xorBytes(b, state, key)
	}
	var out circuit.Word
	for _, w := range state {
		out = append(out, w...)
	}
	return r.finish(b, out)
}

// block is 16 bytes; byte 4c+r is row r of column c.
type block [16]circuit.Word

func bytesOf(w circuit.Word) (out block) {
	for k := range out {
		out[k] = w[8*k : 8*k+8]
	}
	return out
}

func xorBytes(b *circuit.Builder, x, y block) (out block) {
	for k := range out {
		out[k] = b.XorWord(x[k], y[k])
	}
	return out
}

func shiftRows(s block) (out block) {
	for k := range out {
		out[k] = s[(k+4*(k%4))%16]
	}
	return out
}

func mixColumns(b *circuit.Builder, s block) (out block) {
	for k := range out {
		c, row := k-k%4, k%4
		s0, s1, s2, s3 := s[k], s[c+(row+1)%4], s[c+(row+2)%4], s[c+(row+3)%4]
		out[k] = b.XorWord(double(b, b.XorWord(s0, s1)), b.XorWord(s1, b.XorWord(s2, s3)))
	}
	return out
}

// double multiplies by X in GF(2^8) modulo X^8 + X^4 + X^3 + X + 1.
func double(b *circuit.Builder, w circuit.Word) circuit.Word {
	return circuit.Word{w[7], b.Xor(w[0], w[7]), w[1], b.Xor(w[2], w[7]), b.Xor(w[3], w[7]), w[4], w[5], w[6]}
}

func nextRoundKey(b *circuit.Builder, key block, rcon uint64) (out block) {
	for k := range 4 {
		out[k] = b.XorWord(key[k], sbox(b, key[12+(k+1)%4]))
	}
	out[0] = b.XorWord(out[0], b.ConstWord(rcon, 8))
	for k := 4; k < 16; k++ {
		out[k] = b.XorWord(key[k], out[k-4])
	}
	return out
}
