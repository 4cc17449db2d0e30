package mpctest

import (
	"math/rand/v2"

	"github.com/angler-dex/angler/internal/mpc/circuit"
	"github.com/angler-dex/angler/internal/mpc/circuit/circuittest"
)

// Fixed is a function whose circuit does not depend on the coin. Nothing is
// claimed.
type Fixed struct{ Circuit *circuit.Circuit }

// RandomFunction draws a random circuit.
func RandomFunction(seed uint64, parties, inputs, ands, outputs int) Fixed {
	return Fixed{circuittest.Random(rand.New(rand.NewPCG(seed, 'f')), parties, inputs, ands, outputs)}
}

// RandomConditional draws one in which some of the providers' outputs are
// conditional.
func RandomConditional(seed uint64, parties, inputs, ands, outputs int) Fixed {
	rng := rand.New(rand.NewPCG(seed, 'c'))
	return Fixed{circuittest.WithConditions(rng, circuittest.Random(rng, parties, inputs, ands, outputs), outputs)}
}

func (f Fixed) Parties() int                            { return f.Circuit.Parties }
func (f Fixed) Leaves() int                             { return 0 }
func (f Fixed) Build([]int) (*circuit.Circuit, error)   { return f.Circuit, nil }
func (f Fixed) Claims(_, _ []bool) map[int][]byte       { return nil }
func (f Fixed) Terms(_ int, _, _ []bool) ([]byte, bool) { return nil, false }

// Auction is a placement function of small numbers, so that ties, exact fits
// and no-matches are frequent: of the providers whose capacity is at least the
// quantity, the one with the lowest price wins, among equals the first in the
// order of the leaves, if its price is at most the ceiling.
//
// Inputs: party 0 quantity and ceiling, a provider price and capacity. Outputs:
// party 0 one bit a provider, whether it won, and the price; a provider whether
// it won, and conditional on that the quantity, an input of party 0, and the
// price, an output of it. Party 0 signs (quantity, price).
type Auction struct{ Providers, PriceBits, QuantityBits int }

func (a Auction) Parties() int { return a.Providers + 1 }
func (a Auction) Leaves() int  { return a.Providers }

// Build makes the circuit: a linear search for the best.
func (a Auction) Build(order []int) (*circuit.Circuit, error) {
	b := circuit.New(a.Parties())
	quantity, ceiling := b.InputWord(0, a.QuantityBits), b.InputWord(0, a.PriceBits)
	price, capacity := make([]circuit.Word, a.Providers), make([]circuit.Word, a.Providers)
	for k := range a.Providers {
		price[k], capacity[k] = b.InputWord(k+1, a.PriceBits), b.InputWord(k+1, a.QuantityBits)
	}
	best := append(append(circuit.Word{}, ceiling...), circuit.False) // price, then "does not fit"
	won := make(circuit.Word, a.Providers)
	for at, k := range order {
		key := append(append(circuit.Word{}, price[k]...), b.Less(capacity[k], quantity))
		better := b.Less(key, best)
		if at == 0 {
			better = b.LessEq(key, best)
		} else {
			none := b.Not(b.Any(pick(won, order[:at])))
			better = b.Or(better, b.And(none, b.Equal(key, best)))
		}
		best = b.MuxWord(better, key, best)
		for _, before := range order[:at] {
			won[before] = b.And(won[before], b.Not(better))
		}
		won[k] = better
	}
	paid := b.MaskWord(b.Any(won), best[:a.PriceBits])
	b.OutputWord(0, won)
	b.OutputWord(0, paid)
	for k := range a.Providers {
		b.Output(k+1, won[k])
		b.OutputWordIf(k+1, won[k], quantity)
		b.OutputWordIf(k+1, won[k], paid)
	}
	return b.Build()
}

func pick(w circuit.Word, at []int) circuit.Word {
	var p circuit.Word
	for _, k := range at {
		p = append(p, w[k])
	}
	return p
}

// Claims is the winner with quantity and price.
func (a Auction) Claims(inputs, outputs []bool) map[int][]byte {
	for k, won := range outputs[:a.Providers] {
		if won {
			return map[int][]byte{k + 1: terms(inputs[:a.QuantityBits], outputs[a.Providers:])}
		}
	}
	return nil
}

// Terms is what a winner wants signed: the quantity it learned at the price it
// asked.
func (a Auction) Terms(_ int, inputs, outputs []bool) ([]byte, bool) {
	return terms(outputs[1:1+a.QuantityBits], inputs[:a.PriceBits]), outputs[0]
}

func terms(words ...[]bool) []byte {
	var t []byte
	for _, w := range words {
		var v byte
		for k, b := range w {
			if b {
				v |= 1 << k
			}
		}
		t = append(t, v)
	}
	return t
}
