package mpc

import (
	"github.com/angler-dex/angler/internal/mpc/auth"
	"github.com/angler-dex/angler/internal/mpc/block"
	"github.com/angler-dex/angler/internal/mpc/circuit"
)

// output is one of a party's outputs, and its place among them.
type output struct {
	circuit.Output
	at int
}

// outputsOf are the outputs of a class to a party, in order.
func outputsOf(c *circuit.Circuit, party int, class circuit.Class) []output {
	var all []output
	for at, k := range c.OutputsOf(party) {
		if c.Outputs[k].Class == class {
			all = append(all, output{c.Outputs[k], at})
		}
	}
	return all
}

// outputWires are the wires of all outputs of a party, in order.
func (p *Party) outputWires(party int) []circuit.Wire {
	var wires []circuit.Wire
	for _, k := range p.circuit.OutputsOf(party) {
		wires = append(wires, p.circuit.Outputs[k].Wire)
	}
	return wires
}

// opening is a class of outputs as it travels: what its masks are opened as, and
// in which fields.
type opening struct {
	class     circuit.Class
	what      string
	bits, mac field
}

var (
	privately   = opening{circuit.Private, openedMasks, fLambda, fLambdaMAC}
	conditional = opening{circuit.Conditional, openedDisclosed, fDisclosed, fDisclosedMAC}
)

// releaseMasks puts this party's shares of the masks of party d's outputs into a
// frame: those of private ones, and a garbler's of conditional ones as well,
// which tell nothing without party 0's.
func (p *Party) releaseMasks(_ released, fr *frame, d int) {
	p.open(fr, d, privately)
	if p.self != 0 && d != 0 {
		p.open(fr, d, conditional)
	}
}

// disclose puts party 0's shares of the masks of party d's conditional outputs
// into its frame if their condition holds by party 0's own outputs, and noise of
// the same size otherwise.
func (p *Party) disclose(_ resultReleased, fr *frame, d int, own []bool) error {
	if p.mostDisclosed == 0 {
		return nil
	}
	wires := outputsOf(p.circuit, d, circuit.Conditional)
	noise, err := p.random(packed(p.mostDisclosed) + digest)
	if err != nil {
		return err
	}
	if len(wires) > 0 && p.holds(wires[0].If, own) {
		p.open(fr, d, conditional)
		return nil
	}
	bits, mac := auth.Bits(noise[:packed(p.mostDisclosed)]), noise[packed(p.mostDisclosed):]
	for k := len(wires); k < 8*len(bits); k++ {
		bits.Flip(k, bits.Get(k)) // padding
	}
	fr[fDisclosed], fr[fDisclosedMAC] = bits, mac
	return nil
}

// holds tells whether a condition is 1, given this party's outputs; those that
// are conditional themselves do not count.
func (p *Party) holds(condition circuit.Wire, own []bool) bool {
	for _, o := range outputsOf(p.circuit, p.self, circuit.Private) {
		if o.Wire == condition {
			return own[o.at]
		}
	}
	return false
}

// open puts this party's shares of masks, and the digest of their MACs under
// Δ_d, into a frame for party d.
func (p *Party) open(fr *frame, d int, as opening) {
	wires := outputsOf(p.circuit, d, as.class)
	bits, macs := make(auth.Bits, p.openingSize(d, as)), make([]block.Block, len(wires))
	for k, o := range wires {
		bits.Flip(k, p.lambda.Bits.Get(int(o.Wire)))
		macs[k] = p.lambda.M[d][o.Wire]
	}
	if len(bits) == 0 && as.class == circuit.Conditional {
		return // no circuit for that
	}
	h := auth.Digest(p.sid, as.what, p.self, d, macs)
	fr[as.bits], fr[as.mac] = bits, h[:]
}

// openingSize is how many bytes the shares of a class of masks to party d take.
func (p *Party) openingSize(d int, as opening) int {
	switch {
	case as.class == circuit.Conditional:
		return packed(p.mostDisclosed)
	case d == 0:
		return packed(p.ownOutputs)
	default:
		return packed(p.mostPrivate)
	}
}

// unmask verifies the shares of the masks of this party's private outputs that
// all others sent in flight f, and takes the masks off masked. Conditional
// outputs stay false.
func (p *Party) unmask(f int, masked auth.Bits) ([]bool, auth.Opened, error) {
	out := make([]bool, len(p.outputWires(p.self)))
	opened, err := p.unmaskClass(f, masked, privately, true, out)
	return out, opened, err
}

// unmaskDisclosed does the same, at a provider, for its conditional outputs if
// their condition holds. The shares of garblers are verified whether or not it
// does, so that what they send cannot fail by the outcome; party 0's, which knows
// the outcome, only if it does: they are noise otherwise.
func (p *Party) unmaskDisclosed(f int, masked auth.Bits, out []bool) error {
	if p.mostDisclosed == 0 {
		return nil
	}
	wires := outputsOf(p.circuit, p.self, circuit.Conditional)
	_, err := p.unmaskClass(f, masked, conditional, len(wires) > 0 && p.holds(wires[0].If, out), out)
	return err
}

// unmaskClass writes the outputs of a class to their places in out, unless party
// 0 does not tell them.
func (p *Party) unmaskClass(f int, masked auth.Bits, as opening, told bool, out []bool) (auth.Opened, error) {
	wires := outputsOf(p.circuit, p.self, as.class)
	sum := auth.NewBits(len(wires))
	opening := auth.NewOpening(p.sid, as.what, p.self, p.n, p.delta)
	for j, fr := range p.seen[f] {
		if j == p.self {
			continue
		}
		bits, err := cut(fr[as.bits], len(wires))
		if err == nil && (told || j != 0) {
			keys := make([]block.Block, len(wires))
			for k, o := range wires {
				keys[k] = p.outputKeys[j][o.at]
			}
			err = opening.Check(j, bits, keys, fr[as.mac])
			clear(keys)
		}
		if err != nil {
			return auth.Opened{}, p.abort(j, err)
		}
		block.XorBytes(sum, sum, bits)
	}
	if !told {
		return auth.Opened{}, nil
	}
	opened, err := opening.Finish()
	if err != nil {
		return auth.Opened{}, err
	}
	for k, o := range wires {
		out[o.at] = masked.Get(o.at)^sum.Get(k)^p.lambda.Bits.Get(int(o.Wire)) == 1
	}
	return opened, nil
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
