package mpc

import (
	"slices"

	"github.com/angler-dex/angler/internal/mpc/auth"
	"github.com/angler-dex/angler/internal/mpc/block"
	"github.com/angler-dex/angler/internal/mpc/circuit"
)

// outputWires are the wires of the outputs of a party, in order.
func (p *Party) outputWires(party int) []circuit.Wire {
	var wires []circuit.Wire
	for _, o := range p.circuit.Outputs {
		if o.Party == party {
			wires = append(wires, o.Wire)
		}
	}
	return wires
}

// releaseMasks gives this party's shares of the masks of party d's outputs,
// packed into size bytes, and the digest of their MACs under Δ_d.
func (p *Party) releaseMasks(_ released, d, size int) (bits auth.Bits, digest []byte) {
	wires := p.outputWires(d)
	bits, macs := make(auth.Bits, size), make([]block.Block, len(wires))
	for k, w := range wires {
		bits.Flip(k, p.lambda.Bits.Get(int(w)))
		macs[k] = p.lambda.M[d][w]
	}
	h := auth.Digest(p.sid, openedMasks, p.self, d, macs)
	return bits, h[:]
}

// unmask verifies the shares of the masks of this party's outputs that all
// others sent in flight f, and takes the masks off masked.
func (p *Party) unmask(f int, masked auth.Bits) ([]bool, auth.Opened, error) {
	wires := p.outputWires(p.self)
	sum := auth.NewBits(len(wires))
	opening := auth.NewOpening(p.sid, openedMasks, p.self, p.n, p.delta)
	for j, fr := range p.seen[f] {
		if j == p.self {
			continue
		}
		keys := slices.Clone(p.outputKeys[j])
		bits, err := cut(fr[fLambda], len(wires))
		if err == nil {
			err = opening.Check(j, bits, keys, fr[fLambdaMAC])
		}
		if err != nil {
			return nil, auth.Opened{}, p.abort(j, err)
		}
		block.XorBytes(sum, sum, bits)
	}
	opened, err := opening.Finish()
	if err != nil {
		return nil, auth.Opened{}, err
	}
	out := make([]bool, len(wires))
	for k, w := range wires {
		out[k] = masked.Get(k)^sum.Get(k)^p.lambda.Bits.Get(int(w)) == 1
	}
	return out, opened, nil
}

// cut takes n bits off a field that is padded for the party with the most
// outputs; what follows must be zero.
func cut(padded []byte, n int) (auth.Bits, error) {
	bits := auth.Bits(padded[:packed(n)])
	if !bits.Padded(n) || !zero(padded[packed(n):]) {
		return nil, errPadding
	}
	return bits, nil
}

func zero(b []byte) bool {
	var v byte
	for _, x := range b {
		v |= x
	}
	return v == 0
}
