package catalog

import (
	"bytes"
	"crypto/aes"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/angler-dex/angler/internal/mpc/circuit"
)

// Both directions: what stands in the file is the circuit, whoever reads it.
func TestBristolFashion(t *testing.T) {
	roles := Roles{Parties: 2, Left: 0, Right: 1, Recipients: []int{0}}
	for name, c := range all(t, roles) {
		var text bytes.Buffer
		if err := c.WriteBristol(&text, circuit.Bristol{}); err != nil {
			t.Fatal(name, err)
		}
		back, plan, err := circuit.ReadBristol(&text, nil)
		if err != nil {
			t.Fatal(name, err)
		}
		if back.ANDs() != c.ANDs() || back.Depth() != c.Depth() || !slices.Equal(back.Inputs, c.Inputs) || plan.Parties != 2 {
			t.Errorf("%s: %v became %v", name, c, back)
		}
		rng := rand.New(rand.NewPCG(6, 6))
		for range 20 {
			in := unpack(random(rng, len(c.Inputs)/8))
			if !slices.Equal(c.Eval(in), back.Eval(in)) {
				t.Fatalf("%s: another result", name)
			}
		}
		if name != "AES-128" {
			continue
		}
		key, block, want := random(rng, 16), random(rng, 16), make([]byte, 16)
		cipher, err := aes.NewCipher(key)
		if err != nil {
			t.Fatal(err)
		}
		cipher.Encrypt(want, block)
		if got := pack(back.Eval(unpack(append(key, block...)))); !bytes.Equal(got, want) {
			t.Errorf("AES(%x, %x) = %x, want %x", key, block, got, want)
		}
	}
}

// No more ANDs than the circuits that are published in Bristol Fashion (nigelsmart.github.io/MPC-Circuits): 63, 8128, 6400
// and 22573. The adder there drops the carry.
func TestPublishedCounts(t *testing.T) {
	published := map[string]int{"adder": 63 + 1, "product": 8128, "AES-128": 6400, "SHA-256": 22573}
	for name, c := range all(t, Roles{Parties: 2, Left: 0, Right: 1, Recipients: []int{0}}) {
		t.Logf("%s: %d ANDs, published %d", name, c.ANDs(), published[name])
		if c.ANDs() > published[name] {
			t.Errorf("%s: %d ANDs, published %d", name, c.ANDs(), published[name])
		}
	}
}

// all gives the circuits that are published elsewhere, too.
func all(t *testing.T, r Roles) map[string]*circuit.Circuit {
	t.Helper()
	adder, err := Adder(r, 64)
	if err != nil {
		t.Fatal(err)
	}
	product, err := Product(r, 64)
	if err != nil {
		t.Fatal(err)
	}
	cipher, err := AES128(r)
	if err != nil {
		t.Fatal(err)
	}
	hash, err := SHA256Compress(r)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]*circuit.Circuit{"adder": adder, "product": product, "AES-128": cipher, "SHA-256": hash}
}
