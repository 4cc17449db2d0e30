package mpc

import (
	"errors"

	"github.com/angler-dex/angler/internal/mpc/auth"
	"github.com/angler-dex/angler/internal/mpc/block"
)

// inputShares are the second masks s_w of all input bits: with the public
// correction d_w = x ⊕ r_w ⊕ s_w, the mask of an input is λ_w = r_w ⊕ d_w and
// its masked value Λ_w = x ⊕ λ_w = s_w. The key K_j[s_w] is garbler j's label
// for 0, the MAC M_j[s_w] the active one.
type inputShares struct {
	bits auth.Bits       // own s_w
	macs [][]block.Block // by peer: M_j of the own ones
	keys [][]block.Block // by owner: keys of its ones
}

func newInputShares(a *auth.A) inputShares {
	n, shape := len(a.Shapes), a.Shapes[a.Self]
	s := inputShares{bits: auth.NewBits(shape.Inputs), macs: make([][]block.Block, n), keys: make([][]block.Block, n)}
	for m := range shape.Inputs {
		s.bits.Flip(m, a.X.Get(shape.InputS()+m))
	}
	for j := range n {
		if j != a.Self {
			theirs := a.Shapes[j]
			s.macs[j] = append([]block.Block(nil), a.M[j][shape.InputS():][:shape.Inputs]...)
			s.keys[j] = append([]block.Block(nil), a.K[j][theirs.InputS():][:theirs.Inputs]...)
		}
	}
	return s
}

func (s *inputShares) destroy() {
	clear(s.bits)
	for j := range s.macs {
		clear(s.macs[j])
		clear(s.keys[j])
	}
}

// zeroLabels gives this garbler's labels for Λ = 0 of all input wires: random
// ones on its own inputs, else the keys of s_w.
func (p *Party) zeroLabels() ([]block.Block, error) {
	labels := make([]block.Block, len(p.circuit.Inputs))
	for o, wires := range p.inputWires {
		for m, w := range wires {
			if o != p.self {
				labels[w] = p.inputS.keys[o][m]
				continue
			}
			var err error
			if labels[w], err = p.randomBlock(); err != nil {
				return nil, err
			}
		}
	}
	return labels, nil
}

// releaseInputs gives what a garbler tells the evaluator about its own inputs:
// s_w, its MACs under the evaluator's key, and for each garbler the active
// label.
func (p *Party) releaseInputs(_ released) (s, macs, labels []byte) {
	for m, w := range p.inputWires[p.self] {
		for j := 1; j < p.n; j++ {
			if j == p.self {
				labels = p.garbler.Label0[w].Xor(p.delta.Mask(p.inputS.bits.Get(m))).Append(labels)
			} else {
				labels = p.inputS.macs[j][m].Append(labels)
			}
		}
	}
	return p.inputS.bits, encode(p.inputS.macs[0]), labels
}

// inputsHeld proves that every s_w at the evaluator had its MAC, on every input
// wire and in full.
type inputsHeld struct{ sid *[32]byte }

func (h inputsHeld) of(sid [32]byte) bool { return h.sid != nil && *h.sid == sid }

var errInputs = errors.New("a masked input does not match its MAC")

// takeInputs collects, at the evaluator, Λ and the active labels of all input
// wires, and verifies M_0[s_w] of each. One verdict is given for all.
func (p *Party) takeInputs() (lambda auth.Bits, labels [][]block.Block, _ inputsHeld, _ error) {
	lambda, labels = auth.NewBits(len(p.circuit.Inputs)), make([][]block.Block, p.n)
	for j := 1; j < p.n; j++ {
		labels[j] = make([]block.Block, len(p.circuit.Inputs))
	}
	var bad uint64
	for o, wires := range p.inputWires {
		s := p.inputS.bits
		if o != 0 {
			if s = p.seen[8][o][fInputS]; !s.Padded(len(wires)) {
				return nil, nil, inputsHeld{}, p.abort(o, errPadding)
			}
		}
		for m, w := range wires {
			lambda.Flip(int(w), s.Get(m))
			if o == 0 {
				for j := 1; j < p.n; j++ {
					labels[j][w] = p.inputS.macs[j][m]
				}
				continue
			}
			want := p.inputS.keys[o][m].Xor(p.delta.Mask(s.Get(m)))
			diff := want.Xor(block.FromBytes(p.seen[8][o][fInputMAC][m*block.Size:]))
			bad |= diff.Lo | diff.Hi
			for j := 1; j < p.n; j++ {
				labels[j][w] = block.FromBytes(p.seen[8][o][fLabels][(m*(p.n-1)+j-1)*block.Size:])
			}
		}
	}
	if bad != 0 {
		return nil, nil, inputsHeld{}, p.abort(unknown, errInputs)
	}
	return lambda, labels, inputsHeld{&p.sid}, nil
}
