package garble

import (
	"github.com/angler-dex/angler/internal/mpc/auth"
	"github.com/angler-dex/angler/internal/mpc/block"
	"github.com/angler-dex/angler/internal/mpc/circuit"
	"github.com/angler-dex/angler/internal/mpc/triple"
)

// Masks computes λ of every wire, own bits and MACs: of an input r_w ⊕ d_w, a bit
// of its owner alone; of an AND a fresh bit of everybody; of the others by their
// gates. inputs[o] are the input wires of party o, d[o] its input corrections. each
// runs its argument for every party, as work.Each does. The keys come one lane at a
// time: see MaskKeys.
func Masks(c *circuit.Circuit, a *auth.A, inputs [][]circuit.Wire, d []auth.Bits, each func(func(j int))) *auth.Shared {
	self := a.Self
	s := &auth.Shared{Bits: auth.NewBits(c.Wires), M: make([][]block.Block, len(inputs)), K: make([][]block.Block, len(inputs))}
	each(func(j int) {
		if j == self {
			maskBits(s.Bits, a.X, a.Shapes[self], c, inputs[self], d[self])
			return
		}
		s.M[j] = make([]block.Block, c.Wires)
		maskLane(s.M[j], a.M[j], a.Shapes[self], c, inputs[self], d[self], block.Block{})
	})
	return s
}

// MaskKeys writes the keys of party j's bits of λ of every wire to dst.
func MaskKeys(dst []block.Block, c *circuit.Circuit, a *auth.A, j int, inputs [][]circuit.Wire, d []auth.Bits, delta block.Block) {
	maskLane(dst, a.K[j], a.Shapes[j], c, inputs[j], d[j], delta)
}

// maskLane is one lane of the masks: that of the bits of the party whose inputs
// and corrections are given. one is the lane of the constant 1 of that party.
func maskLane(dst, rows []block.Block, shape auth.Shape, c *circuit.Circuit, inputs []circuit.Wire, d auth.Bits, one block.Block) {
	for m, w := range inputs {
		dst[w] = rows[shape.InputR()+m].Xor(one.Mask(d.Get(m)))
	}
	ands := rows[shape.Lambda():]
	for _, g := range c.Gates {
		switch g.Op {
		case circuit.AND:
			dst[g.Out], ands = ands[0], ands[1:]
		case circuit.XOR:
			dst[g.Out] = dst[g.A].Xor(dst[g.B])
		case circuit.NOT:
			dst[g.Out] = dst[g.A]
		}
	}
}

func maskBits(dst, x auth.Bits, shape auth.Shape, c *circuit.Circuit, inputs []circuit.Wire, d auth.Bits) {
	for m, w := range inputs {
		dst.Flip(int(w), x.Get(shape.InputR()+m)^d.Get(m))
	}
	and := shape.Lambda()
	for _, g := range c.Gates {
		switch g.Op {
		case circuit.AND:
			dst.Flip(int(g.Out), x.Get(and))
			and++
		case circuit.XOR:
			dst.Flip(int(g.Out), dst.Get(int(g.A))^dst.Get(int(g.B)))
		case circuit.NOT:
			dst.Flip(int(g.Out), dst.Get(int(g.A)))
		}
	}
}

// andGates returns the AND gates of c in order.
func andGates(c *circuit.Circuit) []circuit.Gate {
	var ands []circuit.Gate
	for _, g := range c.Gates {
		if g.Op == circuit.AND {
			ands = append(ands, g)
		}
	}
	return ands
}

// garbleTweak keeps the tweaks of garbling apart from all others.
const garbleTweak = 2 << 32

// setTweaks writes the tweaks of one gate's side, one a recipient.
func setTweaks(tweaks []block.Block, gate, side, sender int) {
	for d := range tweaks {
		tweaks[d] = tweak(gate, side, sender, d)
	}
}

func tweak(gate, side, sender, recipient int) block.Block {
	return block.Block{Lo: uint64(gate)<<1 | uint64(side), Hi: garbleTweak | uint64(sender)<<16 | uint64(recipient)}
}

// Gates returns the AND gates of c in order, as the triples see them.
func Gates(c *circuit.Circuit) []triple.Gate {
	var gates []triple.Gate
	for _, g := range andGates(c) {
		gates = append(gates, triple.Gate{A: uint32(g.A), B: uint32(g.B)})
	}
	return gates
}
