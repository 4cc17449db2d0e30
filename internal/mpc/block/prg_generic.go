package block

import "crypto/cipher"

// genericStream is the stream of a PRG by crypto/cipher.
type genericStream struct{ s cipher.Stream }

func (g *genericStream) reset(seed, nonce Block) {
	iv := nonce.Bytes()
	g.s = cipher.NewCTR(newAES(seed), iv[:])
}

func (g *genericStream) fill(b []byte) {
	clear(b)
	g.s.XORKeyStream(b, b)
}

func (g *genericStream) blocks(dst []Block) {
	var buf [64 * Size]byte
	for len(dst) > 0 {
		n := min(64, len(dst))
		g.fill(buf[:n*Size])
		for k := range dst[:n] {
			dst[k] = FromBytes(buf[k*Size:])
		}
		dst = dst[n:]
	}
}
