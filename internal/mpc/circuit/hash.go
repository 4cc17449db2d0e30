package circuit

import (
	"crypto/sha256"
	"encoding/binary"
)

// Hash names the circuit: SHA-256 over "angler/1 circuit\n" and then, as little-endian 32-bit numbers, the counts of parties,
// inputs, gates and outputs, the owner of each input, operation and both operands of each gate, wire and recipient of
// each output, 2^16 being added to the recipient of a conditional one and its condition following. Circuits that differ in anything but the memory they lie in have different encodings.
func (c *Circuit) Hash() [32]byte {
	h := sha256.New()
	h.Write([]byte("angler/1 circuit\n"))
	buf := make([]byte, 0, 4096)
	put := func(v uint32) {
		if len(buf)+4 > cap(buf) {
			h.Write(buf)
			buf = buf[:0]
		}
		buf = binary.LittleEndian.AppendUint32(buf, v)
	}
	for _, n := range []int{c.Parties, len(c.Inputs), len(c.Gates), len(c.Outputs)} {
		put(uint32(n))
	}
	for _, owner := range c.Inputs {
		put(uint32(owner))
	}
	for _, g := range c.Gates {
		put(uint32(g.Op))
		put(uint32(g.A))
		put(uint32(g.B))
	}
	for _, o := range c.Outputs {
		put(uint32(o.Wire))
		put(uint32(o.Party) | uint32(o.Class)<<16)
		if o.Class != Private {
			put(uint32(o.If))
		}
	}
	h.Write(buf)
	return [32]byte(h.Sum(nil))
}
