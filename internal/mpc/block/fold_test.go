package block

import (
	"bytes"
	"fmt"
	"testing"
)

// folded is what FoldStreams is to compute, from its definition.
func folded(n int, seeds []Block, nonce Block) (u []byte, v [8][]byte) {
	u = make([]byte, n)
	for b := range v {
		v[b] = make([]byte, n)
	}
	for y, seed := range seeds {
		r := make([]byte, n)
		NewPRGNonce(seed, nonce).Fill(r)
		XorBytes(u, u, r)
		for b := range v {
			if y>>b&1 == 1 {
				XorBytes(v[b], v[b], r)
			}
		}
	}
	return u, v
}

func sameFold(t *testing.T, k, n, pad int, seeds []Block, nonce Block) {
	t.Helper()
	stride := n + pad
	v, u := bytes.Repeat([]byte{0xa5}, k*stride), bytes.Repeat([]byte{0xa5}, n+1)
	FoldStreams(v[:(k-1)*stride+n], stride, u[:n], seeds, nonce)
	wantU, wantV := folded(n, seeds, nonce)
	if !bytes.Equal(u[:n], wantU) || u[n] != 0xa5 {
		t.Fatalf("k = %d, %d bytes: u differs", k, n)
	}
	for b := range k {
		if !bytes.Equal(v[b*stride:][:n], wantV[b]) {
			t.Fatalf("k = %d, %d bytes: v_%d differs", k, n, b)
		}
		if !bytes.Equal(v[b*stride+n:][:pad], bytes.Repeat([]byte{0xa5}, pad)) {
			t.Fatalf("k = %d, %d bytes: wrote beyond v_%d", k, n, b)
		}
	}
}

// TestFoldStreams asks for the definition, on every path, at every length of the
// last tile, and where the counter carries.
func TestFoldStreams(t *testing.T) {
	onEveryPath(t, func(t *testing.T) {
		r := rng(31)
		for k := 1; k <= 8; k++ {
			seeds := randBlocks(r, 1<<k)
			lengths := []int{1, 15, 16, 17, 63, 64, 65, 127, 128, 129, 500}
			if k == 4 {
				for n := 1; n < 300; n++ {
					lengths = append(lengths, n)
				}
			}
			for _, n := range lengths {
				sameFold(t, k, n, n%3*29, seeds, Block{Lo: r.Uint64()})
			}
			for _, hi := range []uint64{1 << 56, ^uint64(0), ^uint64(0x0300000000000000), 0xf0ffffffffffffff} {
				sameFold(t, k, 700, 4, seeds, Block{^uint64(0), hi})
			}
		}
	})
}

func FuzzFoldStreams(f *testing.F) {
	f.Add([]byte("seed"), uint8(4), uint16(129), uint64(0))
	f.Add([]byte{}, uint8(8), uint16(64), ^uint64(0))
	f.Add([]byte("x"), uint8(2), uint16(1), uint64(0xfeffffffffffffff))
	f.Fuzz(func(t *testing.T, seed []byte, k uint8, n uint16, hi uint64) {
		var key [Size]byte
		copy(key[:], seed)
		seeds := make([]Block, 1<<(1+k%8))
		NewPRG(FromBytes(key[:])).Blocks(seeds)
		sameFold(t, 1+int(k%8), 1+int(n%1024), int(n%7), seeds, Block{^hi, hi})
	})
}

func BenchmarkFoldStreams(b *testing.B) {
	const n = 13456 / 8
	for _, k := range []int{2, 4, 8} {
		seeds := randBlocks(rng(1), 1<<k)
		v, u := make([]byte, 8*n), make([]byte, n)
		b.Run(fmt.Sprint("k=", k), func(b *testing.B) {
			onEveryPathB(b, func(b *testing.B) {
				b.SetBytes(int64(n << k))
				for b.Loop() {
					FoldStreams(v, n, u, seeds, Block{Lo: 7})
				}
			})
		})
	}
}
