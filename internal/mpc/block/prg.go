package block

import (
	"crypto/aes"
	"crypto/cipher"
)

// PRG is the pseudorandom generator that stretches a 128-bit seed: AES-128 in
// counter mode under the seed, the counter (big-endian) starting at the nonce.
// Security: a PRG if AES-128 is a PRF, for seeds that are uniform and secret
// and less than 2^64 blocks a seed. A PRG has state: one user at a time.
type PRG struct{ stream keystream }

// NewPRG returns the generator of seed with nonce 0.
func NewPRG(seed Block) *PRG { return NewPRGNonce(seed, Block{}) }

// NewPRGNonce returns the generator of seed whose counter starts at nonce. A
// nonce that differs from session to session denies an attacker one table for
// the seeds of all of them.
func NewPRGNonce(seed, nonce Block) *PRG {
	p := new(PRG)
	p.Reset(seed, nonce)
	return p
}

// Reset makes p the generator that NewPRGNonce returns, in place. A zero PRG
// is of no use before it.
func (p *PRG) Reset(seed, nonce Block) { p.stream.reset(seed, nonce) }

// Fill overwrites b with the next len(b) bytes of the stream.
func (p *PRG) Fill(b []byte) { p.stream.fill(b) }

// Xor adds the next len(b) bytes of the stream to b.
func (p *PRG) Xor(b []byte) {
	var buf [64 * Size]byte
	for len(b) > 0 {
		n := min(len(buf), len(b))
		p.Fill(buf[:n])
		XorBytes(b[:n], b, buf[:n])
		b = b[n:]
	}
}

// Read fills b; it never fails. It makes a PRG an io.Reader.
func (p *PRG) Read(b []byte) (int, error) {
	p.Fill(b)
	return len(b), nil
}

// Block returns the next 16 bytes of the stream as a block.
func (p *PRG) Block() Block {
	var b [1]Block
	p.Blocks(b[:])
	return b[0]
}

// Blocks overwrites dst with the next 16·len(dst) bytes of the stream.
func (p *PRG) Blocks(dst []Block) { p.stream.blocks(dst) }

func newAES(key Block) cipher.Block {
	k := key.Bytes()
	c, err := aes.NewCipher(k[:])
	if err != nil { // a 16-byte key is always accepted
		panic(err)
	}
	return c
}
