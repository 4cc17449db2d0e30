// Package catalog has circuits whose results anybody can check: an adder, a comparator, a product, AES-128 and the compression function
// of SHA-256. They measure the protocol and test it against Go's standard library; no match uses them.
//
// Their inputs are private words of two parties and their outputs go to any parties, each as an entry of its own. Bytes and
// words are little-endian in bits, as everywhere: bit k of an input or output byte string is bit k%8 of byte k/8, so that a
// packed vector of bits is the byte string.
package catalog

import "github.com/angler-dex/angler/internal/mpc/circuit"

// Roles says who takes part: Left and Right own the two inputs of a circuit, in that order, and each party of Recipients
// learns the whole result.
type Roles struct {
	Parties     int
	Left, Right int
	Recipients  []int
}

// finish delivers the result and builds.
func (r Roles) finish(b *circuit.Builder, result circuit.Word) (*circuit.Circuit, error) {
	for _, party := range r.Recipients {
		b.OutputWord(party, result)
	}
	return b.Build()
}
