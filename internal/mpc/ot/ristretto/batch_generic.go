package ristretto

import "filippo.io/edwards25519"

// genericBatch is a batch without wide registers.
type genericBatch [Lanes]Element

func (e *genericBatch) fromUniform(b *[Lanes][UniformSize]byte) {
	for k := range e {
		e[k] = FromUniform(&b[k])
	}
}

func (e *genericBatch) decode(b *[Lanes * Size]byte) bool {
	for k := range e {
		var err error
		if e[k], err = Decode(b[k*Size:][:Size]); err != nil {
			return false
		}
	}
	return true
}

func (e *genericBatch) encode(dst *[Lanes][Size]byte) {
	for k := range e {
		dst[k] = e[k].Encode()
	}
}

func (e *genericBatch) add(a, b *genericBatch) {
	for k := range e {
		e[k] = a[k].Add(b[k])
	}
}

func (e *genericBatch) sub(a, b *genericBatch) {
	for k := range e {
		e[k] = a[k].Sub(b[k])
	}
}

func (e *genericBatch) mul(s *edwards25519.Scalar, a *genericBatch) {
	for k := range e {
		e[k] = a[k].Mul(s)
	}
}

// genericTable has no multiples but those of the generator, which edwards25519 keeps.
type genericTable struct {
	p    Element
	base bool
}

func (t *genericTable) mul(e *genericBatch, s *[Lanes]*edwards25519.Scalar) {
	for k := range e {
		if t.base {
			e[k] = BaseMul(s[k])
		} else {
			e[k] = t.p.Mul(s[k])
		}
	}
}

func newGenericTable(p Element) genericTable { return genericTable{p: p} }

func newGenericBaseTable() genericTable {
	return genericTable{p: Element{edwards25519.NewGeneratorPoint()}, base: true}
}
