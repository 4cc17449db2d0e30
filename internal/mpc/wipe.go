package mpc

import (
	"github.com/angler-dex/angler/internal/mpc/auth"
	"github.com/angler-dex/angler/internal/mpc/block"
)

// wipe destroys every secret of the match: Δ, bits, MACs and keys, triples,
// labels, the base sets that it used. What it cannot reach are copies that the
// compiler or the garbage collector made.
func (p *Party) wipe() {
	s := &p.secrets
	for _, b := range s.base {
		burn(b)
	}
	for _, b := range p.cfg.Warm { // the same ones, unless the party never began
		burn(b)
	}
	for _, c := range s.choices {
		clear(c)
	}
	for _, b := range s.baseOT {
		if b != nil {
			b.Destroy()
		}
	}
	if s.extension != nil {
		s.extension.Destroy()
	}
	clear(s.seeds)
	clear(s.coin)
	clear(s.z)
	clear(s.alpha)
	clear(s.inputs)
	s.inputS.destroy()
	if s.a != nil {
		s.a.Destroy()
	}
	if s.b != nil {
		s.b.Destroy()
	}
	if s.zero != nil {
		s.zero.Destroy()
	}
	if s.leaky != nil {
		s.leaky.Destroy()
	}
	if s.lambda != nil {
		s.lambda.Destroy()
	}
	for _, k := range s.outputKeys {
		clear(k)
	}
	if s.sigma != nil {
		s.sigma.Destroy()
	}
	if s.garbler != nil {
		s.garbler.Destroy()
	}
	if s.eval != nil {
		s.eval.Destroy()
	}
	*s = secrets{}
	p.cfg.Warm = nil
	p.cfg.Inputs = nil
	for f := range p.seen {
		p.seen[f] = nil
	}
}

// burn wipes a set of base OTs.
func burn(b auth.Base) {
	if b.Sender != nil {
		clear(b.Sender.Pairs[:])
	}
	if b.Receiver != nil {
		clear(b.Receiver.Seeds[:])
		b.Receiver.Choice = block.Block{}
	}
}
