package mpc

import (
	"errors"
	"fmt"

	"github.com/angler-dex/angler/internal/mpc/auth"
	"github.com/angler-dex/angler/internal/mpc/block"
	"github.com/angler-dex/angler/internal/mpc/garble"
	"github.com/angler-dex/angler/internal/mpc/oracle"
)

// f7 garbles, once α and the MACs of e, f, g have passed. The garblers' rows go
// to their recipients; those for party 0 are fixed by it before F8.
func (p *Party) f7(out outgoing) error {
	if err := p.f7Triples(); err != nil {
		return err
	}
	p.a.Destroy()
	p.leaky.Destroy()
	p.a, p.leaky, p.buckets = nil, nil, nil
	if p.self == 0 {
		return nil
	}
	labels, err := p.zeroLabels()
	if err != nil {
		return err
	}
	p.garbler = garble.NewGarbler(p.clear.verified, p.garbleInput(), labels)
	for d, rows := range p.garbler.Rows() {
		if d == 0 {
			out[d][fHalves] = rows
		} else {
			out[d][fGarbled] = rows
		}
	}
	return nil
}

// garbleInput is what garblers and evaluator work with. The hash starts from
// the echoes of F2 … F5: the masks of all inputs are fixed.
func (p *Party) garbleInput() garble.Input {
	start := oracle.Seed("garble start", p.sid[:], p.echoes[2][:], p.echoes[3][:], p.echoes[4][:], p.echoes[5][:])
	return garble.Input{Circuit: p.circuit, Self: p.self, Parties: p.n, Delta: p.delta, Start: start, Lambda: p.lambda, Sigma: p.sigma, Workers: p.cfg.Workers}
}

// f8 passes the release gate: merged rows, s_w, the active labels, the tags of the
// own outputs' labels and the requester's λ_out go to party 0.
func (p *Party) f8(out outgoing) error {
	gate, err := p.clear.open(p.sid)
	if err != nil {
		return err
	}
	if p.self == 0 {
		return nil
	}
	var others [][]byte
	for j, fr := range p.seen[7] {
		if j != 0 && j != p.self {
			others = append(others, fr[fGarbled])
		}
	}
	out[0][fTable] = p.garbler.Table(others...)
	p.drop(7, fGarbled)
	out[0][fInputS], out[0][fInputMAC], out[0][fLabels] = p.releaseInputs(gate)
	out[0][fTags] = p.garbler.Tags()
	p.releaseMasks(gate, &out[0], 0)
	return nil
}

// f9 sends each provider what unmasks its outputs: everybody its shares of the
// masks, party 0, once it has evaluated, the masked outputs, their active
// labels and the signature or noise, and noise for its share of a conditional
// output's mask unless the condition holds. F8 reaches party 0 alone, so nothing but
// party 0's own share keeps a provider's masks from it until its rows are in.
func (p *Party) f9(out outgoing) error {
	gate, err := p.clear.open(p.sid)
	if err != nil {
		return err
	}
	if p.self == 0 {
		if err := p.result(gate, out); err != nil {
			return err
		}
	}
	for d := 1; d < p.n; d++ {
		if d != p.self {
			p.releaseMasks(gate, &out[d], d)
		}
	}
	return nil
}

// result evaluates at party 0, verifies its outputs, and fills its part of F9.
func (p *Party) result(gate released, out outgoing) error {
	lambda, labels, held, err := p.takeInputs()
	if err != nil {
		return err
	}
	tables := garble.Tables{Lambda: lambda, Labels: labels, Halves: p.column(7, fHalves), Rows: p.column(8, fTable), Tags: p.column(8, fTags)}
	p.eval, err = garble.Evaluate(p.clear.verified, p.sid, p.garbleInput(), tables)
	if err != nil {
		return p.abort(unknown, err)
	}
	wires := p.outputWires(0)
	masked := auth.NewBits(len(wires))
	for k, w := range wires {
		masked.Flip(k, p.eval.Lambda.Get(int(w)))
	}
	outputs, opened, err := p.unmask(8, masked)
	if err != nil {
		return err
	}
	release, err := gate.result(p.sid, held, p.eval, opened)
	if err != nil {
		return err
	}
	if err = p.releaseResult(release, outputs, out); err != nil {
		return err
	}
	if err = p.decide(outputs); err != nil { // nothing fails after it
		return err
	}
	p.mint()
	return nil
}

// releaseResult makes party 0's part of F9 to each provider: of the same size to
// all, the signature to whom there is a claim for, noise to the others.
func (p *Party) releaseResult(release resultReleased, outputs []bool, out outgoing) error {
	claims := p.function.Claims(p.inputs, outputs)
	for d := 1; d < p.n; d++ {
		masked, labels := make(auth.Bits, packed(p.mostOutputs)), make([]byte, 0, p.mostOutputs*block.Size)
		for k, w := range p.outputWires(d) {
			masked.Flip(k, p.eval.Lambda.Get(int(w)))
			labels = p.eval.Active(w, d).Append(labels)
		}
		if err := p.disclose(release, &out[d], d, outputs); err != nil {
			return err
		}
		noise, err := p.random(SignatureSize)
		if err != nil {
			return err
		}
		if terms, ok := claims[d]; ok {
			if noise, err = p.cfg.Sign(p.claim(d, terms)); err != nil {
				return fmt.Errorf("mpc: signature: %w", err)
			}
			if len(noise) != SignatureSize {
				return fmt.Errorf("mpc: signature of %d bytes", len(noise))
			}
		}
		out[d][fMasked], out[d][fOutLabels], out[d][fSignature] = masked, labels[:cap(labels)], noise
	}
	return nil
}

// claim is what party 0 signs for a provider: the session, everything that was
// broadcast, for whom, and the terms.
func (p *Party) claim(provider int, terms []byte) []byte {
	t := p.Transcript()
	msg := append([]byte("angler/1 mpc claim"), p.sid[:]...)
	msg = append(msg, t[:]...)
	msg = append(msg, oracle.Party(provider)...)
	return append(msg, terms...)
}

// Transcript is the hash of everything that was broadcast, F2 to F6: the same
// at all parties. It is fixed by the step that takes F6.
func (p *Party) Transcript() [digest]byte {
	parts := [][]byte{p.sid[:]}
	for f := firstEchoed; f <= lastEchoed; f++ {
		parts = append(parts, p.echoes[f][:])
	}
	return oracle.Sum("transcript", parts...)
}

// finish takes F9 at a provider: the labels that party 0 could only have from
// evaluating, the shares of all others under their MACs, and the signature.
func (p *Party) finish(outgoing) error {
	fr, wires := p.seen[9][0], p.outputWires(p.self)
	masked, err := cut(fr[fMasked], len(wires))
	if err != nil {
		return p.abort(0, err)
	}
	var bad uint64
	for k, w := range wires {
		want := p.garbler.Label0[w].Xor(p.delta.Mask(masked.Get(k)))
		diff := want.Xor(block.FromBytes(fr[fOutLabels][k*block.Size:]))
		bad |= diff.Lo | diff.Hi
	}
	if bad != 0 || !zero(fr[fOutLabels][len(wires)*block.Size:]) {
		return p.abort(0, errors.New("an output label is wrong"))
	}
	outputs, _, err := p.unmask(9, masked)
	if err != nil {
		return err
	}
	if err := p.unmaskDisclosed(9, masked, outputs); err != nil {
		return err
	}
	terms, won := p.function.Terms(p.self, p.inputs, outputs)
	if won && !p.cfg.Verify(p.claim(p.self, terms), fr[fSignature]) {
		return p.abort(0, errors.New("the signature does not fit the outcome"))
	}
	if err := p.decide(outputs); err != nil {
		return err
	}
	p.mint()
	p.finished()
	return nil
}

// decide hands the verified outputs over.
func (p *Party) decide(outputs []bool) error {
	if p.cfg.Decide != nil {
		if err := p.cfg.Decide(outputs); err != nil {
			return fmt.Errorf("mpc: decision: %w", err)
		}
	}
	p.outputs = outputs
	return nil
}

// mint makes the base OTs of a later match with each peer, after the party's
// own last check.
func (p *Party) mint() {
	p.minted = make(map[int]WarmPair, p.n-1)
	for j := range p.n {
		if j != p.self {
			p.minted[j] = p.b.Mint(p.sid, j, p.delta)
		}
	}
}
