package garble

import (
	"encoding/binary"

	"github.com/angler-dex/angler/internal/mpc/block"
	"github.com/angler-dex/angler/internal/mpc/circuit"
)

// TagBytes is the length of the tags of one output's two labels.
const TagBytes = 2 * 8

// labelTweak keeps the tweaks of tags apart from all others.
const labelTweak = 3 << 32

// Tags returns, for each of the garbler's own outputs in order, the high 64 bits of
// the hashes of its labels for Λ = 0 and for Λ = 1, TagBytes together. The garbler
// takes no output without its label, and behind the last AND no row of another
// garbler shows whether that label is right: by the tag the evaluator sees it before
// anybody has a result.
func (g *Garbler) Tags() []byte {
	wires := outputs(g.in.Circuit, g.in.Self)
	tags := make([]byte, 0, TagBytes*len(wires))
	for k, w := range wires {
		zero := g.Label0[w]
		tags = binary.LittleEndian.AppendUint64(tags, tag(g.hash, k, g.in.Self, zero))
		tags = binary.LittleEndian.AppendUint64(tags, tag(g.hash, k, g.in.Self, zero.Xor(g.in.Delta)))
	}
	return tags
}

// tags notes if an active label of one of garbler d's outputs has not the tag of its Λ.
func (v *evaluator) tags(d int, tags []byte) {
	var bad uint64
	for k, w := range outputs(v.in.Circuit, d) {
		zero, one := binary.LittleEndian.Uint64(tags[TagBytes*k:]), binary.LittleEndian.Uint64(tags[TagBytes*k+8:])
		bad |= tag(v.hash, k, d, v.e.Active(w, d)) ^ zero ^ (zero^one)&-v.e.Lambda.Get(int(w))
	}
	v.bad.Or(bad)
}

// tag is that of a label of garbler d's output k. Its tweak occurs with the two labels
// of one wire only.
func tag(hash *block.Hash, k, d int, label block.Block) uint64 {
	return hash.Sum(block.Block{Lo: uint64(k), Hi: labelTweak | uint64(d)<<16}, label).Hi
}

// outputs are the wires of a party's outputs, in order.
func outputs(c *circuit.Circuit, party int) []circuit.Wire {
	var wires []circuit.Wire
	for _, k := range c.OutputsOf(party) {
		wires = append(wires, c.Outputs[k].Wire)
	}
	return wires
}
