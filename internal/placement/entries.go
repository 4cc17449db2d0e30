package placement

import "github.com/angler-dex/angler/internal/mpc/circuit"

// entries are the inputs of a circuit under construction.
type entries struct {
	lessOne circuit.Word // quantity − 1
	maximum circuit.Word
	capOne  circuit.Word // most units from one provider − 1; nil without the parameter cap
	wants   []circuit.Word
	offers  []offerEntry // by party − 1
}

// offerEntry is one provider's part of them.
type offerEntry struct {
	have     circuit.Word // units; of a split units − 1
	any      circuit.Bit  // of a split: whether it has a unit at all
	curve    curve
	further  []circuit.Word
	handicap circuit.Word // the requester enters it; nil without the parameter handicap
}

// enter declares the inputs, in the order in which RequestInputs and OfferInputs encode them.
func (f function) enter(b *circuit.Builder) entries {
	p := f.policy
	e := entries{lessOne: b.InputWord(0, QuantityBits), maximum: b.InputWord(0, PriceBits), offers: make([]offerEntry, f.providers)}
	if p.Cap {
		e.capOne = b.InputWord(0, QuantityBits)
	}
	if p.Handicap {
		for k := range e.offers {
			e.offers[k].handicap = b.InputWord(0, PriceBits)
		}
	}
	for range p.Further {
		e.wants = append(e.wants, b.InputWord(0, QuantityBits))
	}
	for k := range e.offers {
		o := &e.offers[k]
		o.have = b.InputWord(k+1, QuantityBits)
		if p.splits() {
			o.any = b.Input(k + 1)
		}
		o.curve.base = b.InputWord(k+1, PriceBits)
		for range p.laterSteps() {
			o.curve.steps = append(o.curve.steps, stepEntry{
				fromOne: b.InputWord(k+1, QuantityBits), change: b.InputWord(k+1, PriceBits),
			})
		}
		for range p.Further {
			o.further = append(o.further, b.InputWord(k+1, QuantityBits))
		}
	}
	return e
}

// laterSteps is how many steps after its first a supply curve of the policy has.
func (p Policy) laterSteps() int {
	if p.Tiers {
		return MaxSteps - 1
	}
	return 0
}

// lacks says whether an offer has too little of some further dimension: 17 ANDs a dimension, one fewer in all.
func (e entries) lacks(b *circuit.Builder, o offerEntry) circuit.Bit {
	short := circuit.False
	for k, want := range e.wants {
		short = b.Or(short, b.Less(o.further[k], want))
	}
	return short
}

// rank is what offers of a price are compared by: 32 ANDs and a bit more with a handicap, so that nothing overflows.
func (o offerEntry) rank(b *circuit.Builder, price circuit.Word) circuit.Word {
	if o.handicap == nil {
		return price
	}
	sum, carry := b.AddCarry(price, o.handicap, circuit.False)
	return append(sum, carry)
}

// curve is a provider's price by quantity: the base, changed (by XOR) at each step.
type curve struct {
	base  circuit.Word
	steps []stepEntry
}

// stepEntry is a step after the first: from fromOne + 1 units the price changes by an XOR.
type stepEntry struct{ fromOne, change circuit.Word }

// at is the price of a unit if one more than lessOne are taken: 48 ANDs for each step after the first.
func (c curve) at(b *circuit.Builder, lessOne circuit.Word) circuit.Word {
	price := c.base
	for _, s := range c.steps {
		price = b.XorWord(price, b.MaskWord(b.LessEq(s.fromOne, lessOne), s.change))
	}
	return price
}

// sum adds up words of which at most one is not 0.
func sum(b *circuit.Builder, words []circuit.Word) circuit.Word {
	total := make(circuit.Word, len(words[0]))
	for _, w := range words {
		total = b.XorWord(total, w)
	}
	return total
}

// choose gives the word whose bit is set, of at most one: as many ANDs as the words have bits.
func choose(b *circuit.Builder, which []circuit.Bit, words []circuit.Word) circuit.Word {
	masked := make([]circuit.Word, len(words))
	for k := range words {
		masked[k] = b.MaskWord(which[k], words[k])
	}
	return sum(b, masked)
}
