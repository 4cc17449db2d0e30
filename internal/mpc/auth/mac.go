package auth

import (
	"crypto/subtle"
	"errors"

	"github.com/angler-dex/angler/internal/mpc/block"
	"github.com/angler-dex/angler/internal/mpc/oracle"
)

// ErrMAC is a set of opened bits that does not match its MACs.
var ErrMAC = errors.New("opened bits do not match their MACs")

// Digest is what party from sends to party to in place of the MACs of bits that
// it opens: one hash of all of them, macs[k] being M_to of bit k.
func Digest(sid [32]byte, what string, from, to int, macs []block.Block) [oracle.Size]byte {
	return oracle.SumBlocks("mac", macs, sid[:], []byte(what), oracle.Party(from), oracle.Party(to))
}

// DigestNarrow is Digest of narrow MACs, ot.NarrowColumns bits each.
func DigestNarrow(sid [32]byte, what string, from, to int, macs []byte) [oracle.Size]byte {
	return oracle.Sum("narrow mac", sid[:], []byte(what), oracle.Party(from), oracle.Party(to), macs)
}

// Opened proves that the bits which every peer opened had their MACs.
type Opened struct {
	sid  *[32]byte
	what string
}

// Of tells whether the proof is one of session sid, about the bits that were
// opened as what.
func (o Opened) Of(sid [32]byte, what string) bool {
	return o.sid != nil && *o.sid == sid && o.what == what
}

// Opening verifies bits that peers open towards one party, one call of Check a
// peer; Opened comes out only if each peer passed.
type Opening struct {
	sid    [32]byte
	what   string
	self   int
	delta  block.Block
	passed []bool
}

// NewOpening starts the verification of an opening among n parties, towards
// party self, whose global key is delta.
func NewOpening(sid [32]byte, what string, self, n int, delta block.Block) *Opening {
	return &Opening{sid: sid, what: what, self: self, delta: delta, passed: make([]bool, n)}
}

// Check compares the digest of party j with that of the MACs which its bits
// should have: K[k] ⊕ bits[k]·Δ, computed in place of keys.
func (o *Opening) Check(j int, bits Bits, keys []block.Block, digest []byte) error {
	if !bits.Padded(len(keys)) {
		return errors.New("padding bits are set")
	}
	for k := range keys {
		keys[k] = keys[k].Xor(o.delta.Mask(bits.Get(k)))
	}
	want := Digest(o.sid, o.what, j, o.self, keys)
	if subtle.ConstantTimeCompare(want[:], digest) != 1 {
		return ErrMAC
	}
	o.passed[j] = true
	return nil
}

// CheckNarrow is Check of bits with narrow MACs, NarrowBytes each.
func (o *Opening) CheckNarrow(j int, bits Bits, keys, digest []byte) error {
	if !bits.Padded(len(keys) / NarrowBytes) {
		return errors.New("padding bits are set")
	}
	w := Narrow(o.delta)
	for k := range len(keys) / NarrowBytes {
		at := keys[k*NarrowBytes:]
		PutNarrow(at, GetNarrow(at)^uint64(w)&-bits.Get(k))
	}
	want := DigestNarrow(o.sid, o.what, j, o.self, keys)
	if subtle.ConstantTimeCompare(want[:], digest) != 1 {
		return ErrMAC
	}
	o.passed[j] = true
	return nil
}

// Finish gives the proof once every peer has passed.
func (o *Opening) Finish() (Opened, error) {
	for j, ok := range o.passed {
		if !ok && j != o.self {
			return Opened{}, ErrMAC
		}
	}
	return Opened{&o.sid, o.what}, nil
}
