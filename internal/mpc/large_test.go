package mpc

import (
	"bytes"
	"crypto/aes"
	"fmt"
	"testing"

	"github.com/angler-dex/angler/internal/mpc/circuit/catalog"
	"github.com/angler-dex/angler/internal/mpc/mpctest"
)

// TestManyParties: 17 and 33 parties, k as the product chooses it.
func TestManyParties(t *testing.T) {
	sizes := []int{17, 33}
	if underRace {
		sizes = sizes[:1]
	}
	for _, n := range sizes {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			m := &trial{name: "many", fn: mpctest.RandomFunction(uint64(n), n, 2*n, 60, 2), k: 4, sets: dealt("many", 0, n)}
			parties := runAll(t, m)
			requireRight(t, parties, nil, m.inputs)
		})
	}
}

// TestAES: AES-128 with the key of one party and the block of another, 6,400
// ANDs, so that the buckets have four leaky ANDs, as crypto/aes does it.
func TestAES(t *testing.T) {
	c, err := catalog.AES128(catalog.Roles{Parties: 3, Left: 1, Right: 2, Recipients: []int{0, 1}})
	if err != nil {
		t.Fatal(err)
	}
	key, text := []byte("key of one party"), []byte("text of another.")
	m := &trial{name: "aes", fn: mpctest.Fixed{Circuit: c}, sets: dealt("aes", 0, 3), k: 8}
	m.inputs = [][]bool{nil, bitsOf(key), bitsOf(text)}
	parties := runAll(t, m)
	if s := parties[0].Stats(); s.Bucket != 4 || s.ANDs != 6400 || s.Padded != 6400 {
		t.Errorf("stats %+v", s)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	want := make([]byte, aes.BlockSize)
	block.Encrypt(want, text)
	for _, i := range []int{0, 1} {
		if out, _ := parties[i].Outputs(); !bytes.Equal(packBits(out), want) {
			t.Errorf("party %d: %x, want %x", i, packBits(out), want)
		}
	}
}

func bitsOf(b []byte) []bool {
	bits := make([]bool, 8*len(b))
	for k := range bits {
		bits[k] = b[k/8]>>(k%8)&1 == 1
	}
	return bits
}

func packBits(bits []bool) []byte {
	b := make([]byte, len(bits)/8)
	for k, v := range bits {
		if v {
			b[k/8] |= 1 << (k % 8)
		}
	}
	return b
}
