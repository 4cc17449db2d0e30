package block

import (
	"bytes"
	"encoding/hex"
	"io"
	"testing"
)

// NIST SP 800-38A, F.5.1, CTR-AES128.Encrypt: key, initial counter, the output
// blocks that are added to the plaintext.
func TestPRGIsCounterMode(t *testing.T) {
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
