package block

import (
	"bytes"
	"encoding/hex"
	"io"
	"math/bits"
	"testing"
)

// NIST SP 800-38A, F.5.1, CTR-AES128.Encrypt: key, initial counter, the output
// blocks that are added to the plaintext.
func TestPRGIsCounterMode(t *testing.T) { onEveryPath(t, testPRGIsCounterMode) }

func testPRGIsCounterMode(t *testing.T) {
	key, _ := hex.DecodeString("2b7e151628aed2a6abf7158809cf4f3c")
	counter, _ := hex.DecodeString("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")
	want, _ := hex.DecodeString("ec8cdf7398607cb0f2d21675ea9ea1e4" + "362b7c3c6773516318a077d7fc5073ae" +
		"6a2cc3787889374fbeb4c81b17ba6c44" + "e89c399ff0f198c6d40a31db156cabfe")
	p := NewPRGNonce(FromBytes(key), FromBytes(counter))
	got := bytes.Repeat([]byte{0xaa}, len(want))
	p.Fill(got)
	if !bytes.Equal(got, want) {
		t.Fatalf("%x, want %x", got, want)
	}
	p = NewPRGNonce(FromBytes(key), FromBytes(counter))
	var pieces []byte
	for _, n := range []int{0, 1, 15, 17, 31} {
		b := make([]byte, n)
		if _, err := io.ReadFull(p, b); err != nil {
			t.Fatal(err)
		}
		pieces = append(pieces, b...)
	}
	if !bytes.Equal(pieces, want) {
		t.Fatal("what is read depends on the sizes of the reads")
	}
	p = NewPRGNonce(FromBytes(key), FromBytes(counter))
	sum := bytes.Repeat([]byte{0xaa}, 32)
	p.Xor(sum)
	for k := range sum {
		if sum[k] != want[k]^0xaa {
			t.Fatal("Xor")
		}
	}
	if p.Block() != FromBytes(want[32:]) {
		t.Fatal("Block")
	}
	dst, all := make([]Block, 150), make([]byte, 150*Size)
	NewPRG(FromBytes(key)).Blocks(dst)
	NewPRG(FromBytes(key)).Fill(all)
	for k := range dst {
		if dst[k] != FromBytes(all[k*Size:]) {
			t.Fatal("Blocks")
		}
	}
}

// Every path against crypto/cipher: streams read in pieces of all sizes, across
// every boundary of the wide groups, and with a counter that carries out of its
// lower half in the middle of a group.
func TestPRGPathsAgree(t *testing.T) {
	onEveryPath(t, func(t *testing.T) {
		r := rng(23)
		nonces := []Block{{}, {Lo: 1 << 63, Hi: 77}, randBlock(r), {Lo: ^uint64(0), Hi: ^uint64(0)}}
		for k := range 40 { // the last k counters before the carry
			nonces = append(nonces, Block{Lo: r.Uint64(), Hi: bits.ReverseBytes64(-uint64(k))})
		}
		var p PRG
		for _, nonce := range nonces {
			seed, want := randBlock(r), make([]byte, 6000)
			var g genericStream
			g.reset(seed, nonce)
			g.fill(want)
			p.Reset(seed, nonce)
			for at := 0; at < len(want); {
				n := min(r.IntN(1200), len(want)-at)
				if r.IntN(2) == 0 {
					n = min(r.IntN(40), n)
				}
				got := append(make([]byte, n), 0xa5)
				p.Fill(got[:n])
				if !bytes.Equal(got[:n], want[at:at+n]) || got[n] != 0xa5 {
					t.Fatalf("nonce %x: bytes %d to %d differ", nonce, at, at+n)
				}
				at += n
				if n = r.IntN(70); r.IntN(3) == 0 && at+n*Size <= len(want) {
					dst := make([]Block, n)
					p.Blocks(dst)
					for _, b := range dst {
						if b != FromBytes(want[at:]) {
							t.Fatalf("nonce %x: Blocks differs at %d", nonce, at)
						}
						at += Size
					}
				}
			}
		}
	})
}
