package catalog

import (
	"bytes"
	"crypto/aes"
	"crypto/sha256"
	"encoding"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/angler-dex/angler/internal/mpc/circuit"
)

var two = Roles{Parties: 3, Left: 1, Right: 0, Recipients: []int{0, 1}}

func unpack(b []byte) []bool {
	bits := make([]bool, 8*len(b))
	for i := range bits {
		bits[i] = b[i/8]>>(i%8)&1 == 1
	}
	return bits
}

func pack(bits []bool) []byte {
	b := make([]byte, (len(bits)+7)/8)
	for i, x := range bits {
		if x {
			b[i/8] |= 1 << (i % 8)
		}
	}
	return b
}

func random(rng *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

// eval runs the circuit on byte strings and checks that both recipients get the same.
func eval(t *testing.T, c *circuit.Circuit, inputs ...[]byte) []byte {
	t.Helper()
	out := c.Eval(unpack(bytes.Join(inputs, nil)))
	half := len(out) / 2
	if !bytes.Equal(pack(out[:half]), pack(out[half:])) {
		t.Fatal("the recipients get different results")
	}
	return pack(out[:half])
}

func TestAES128(t *testing.T) {
	c, err := AES128(two)
	if err != nil {
		t.Fatal(err)
	}
	if c.ANDs() != 6400 {
		t.Errorf("%v", c)
	}
	rng := rand.New(rand.NewPCG(1, 128))
	for range 30 {
		key, text, want := random(rng, 16), random(rng, 16), make([]byte, 16)
		cipher, err := aes.NewCipher(key)
		if err != nil {
			t.Fatal(err)
		}
		cipher.Encrypt(want, text)
		if got := eval(t, c, key, text); !bytes.Equal(got, want) {
			t.Fatalf("AES(%x, %x) = %x, want %x", key, text, got, want)
		}
	}
}

func TestSBoxOfAllBytes(t *testing.T) {
	b := circuit.New(2)
	b.OutputWord(0, sbox(b, b.InputWord(0, 8)))
	c, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	if c.ANDs() != 32 || c.Depth() != 6 {
		t.Errorf("%v", c)
	}
	seen := map[byte]bool{}
	for x := range 256 {
		seen[pack(c.Eval(unpack([]byte{byte(x)})))[0]] = true
	}
	if got := pack(c.Eval(unpack([]byte{0x53})))[0]; got != 0xed || len(seen) != 256 { // FIPS 197, 5.1.1: "{53} … {ed}"
		t.Errorf("S(53) = %x, %d values", got, len(seen))
	}
}

func TestSHA256Compress(t *testing.T) {
	c, err := SHA256Compress(two)
	if err != nil {
		t.Fatal(err)
	}
	if c.ANDs() > 22600 {
		t.Errorf("%v", c)
	}
	rng := rand.New(rand.NewPCG(2, 256))
	for range 10 {
		state, block := random(rng, 32), random(rng, 64)
		if got, want := eval(t, c, state, block), compress(t, state, block); !bytes.Equal(got, want) {
			t.Fatalf("compress(%x, %x) = %x, want %x", state, block, got, want)
		}
	}
	// A whole hash of one block: "abc" (FIPS 180-4's example).
	block := append([]byte("abc\x80"), make([]byte, 60)...)
	block[63] = 24
	initial := chaining(t, sha256.New().(encoding.BinaryMarshaler))
	want := sha256.Sum256([]byte("abc"))
	if got := eval(t, c, initial, block); !bytes.Equal(got, want[:]) {
		t.Errorf("SHA-256(abc) = %x", got)
	}
}

// compress runs the standard library from any chaining value: its marshalled state is "sha\x03", the chaining value, the
// buffered block and the length.
func compress(t *testing.T, state, block []byte) []byte {
	t.Helper()
	h := sha256.New()
	marshalled, err := h.(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	copy(marshalled[4:36], state)
	if err := h.(encoding.BinaryUnmarshaler).UnmarshalBinary(marshalled); err != nil {
		t.Fatal(err)
	}
	h.Write(block)
	return chaining(t, h.(encoding.BinaryMarshaler))
}

func chaining(t *testing.T, h encoding.BinaryMarshaler) []byte {
	t.Helper()
	b, err := h.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return b[4:36]
}

func TestAdderAndComparator(t *testing.T) {
	adder, err := Adder(two, 64)
	if err != nil {
		t.Fatal(err)
	}
	comparator, err := Comparator(two, 64)
	if err != nil {
		t.Fatal(err)
	}
	if adder.ANDs() != 64 || comparator.ANDs() != 64 {
		t.Errorf("%v; %v", adder, comparator)
	}
	rng := rand.New(rand.NewPCG(3, 64))
	for k := range 500 {
		x, y := rng.Uint64(), rng.Uint64()
		if k%5 == 0 {
			y = x - uint64(k%3) + 1
		}
		in := [][]byte{binary.LittleEndian.AppendUint64(nil, x), binary.LittleEndian.AppendUint64(nil, y)}
		sum := adder.Eval(unpack(bytes.Join(in, nil)))
		if got := binary.LittleEndian.Uint64(pack(sum[:64])); got != x+y || sum[64] != (x+y < x) {
			t.Fatalf("%d + %d = %d, carry %v", x, y, got, sum[64])
		}
		if got := eval(t, comparator, in...)[0] == 1; got != (x < y) {
			t.Fatalf("%d < %d is %v", x, y, got)
		}
	}
}
