//go:build !purego

package ristretto

import (
	"sync"

	"filippo.io/edwards25519"
	"golang.org/x/sys/cpu"
)

// ifma is written by tests alone, which take both paths.
var ifma = cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL && cpu.X86.HasAVX512IFMA

// batch and table have the one form or the other, all of a process the same.
type batch struct {
	generic genericBatch
	wide    point8
}

type table struct {
	generic genericTable
	wide    *table8
}

func (e *batch) fromUniform(b *[Lanes][UniformSize]byte) {
	if ifma {
		e.wide.fromUniform(b)
	} else {
		e.generic.fromUniform(b)
	}
}

func (e *batch) decode(b *[Lanes * Size]byte) bool {
	if ifma {
		return e.wide.decode(b) == 1<<Lanes-1
	}
	return e.generic.decode(b)
}

func (e *batch) encode(dst *[Lanes][Size]byte) {
	if ifma {
		e.wide.encode(dst)
	} else {
		e.generic.encode(dst)
	}
}

func (e *batch) add(a, b *batch) {
	if ifma {
		var c cached8
		c.from(&b.wide)
		e.wide.add(&a.wide, &c)
	} else {
		e.generic.add(&a.generic, &b.generic)
	}
}

func (e *batch) sub(a, b *batch) {
	if ifma {
		var c cached8
		c.from(&b.wide)
		c.negate()
		e.wide.add(&a.wide, &c)
	} else {
		e.generic.sub(&a.generic, &b.generic)
	}
}

func (e *batch) mul(s *edwards25519.Scalar, a *batch) {
	if ifma {
		e.wide.mul(s, &a.wide)
	} else {
		e.generic.mul(s, &a.generic)
	}
}

func newTable(p Element) table {
	if ifma {
		return table{wide: newTable8(p.p)}
	}
	return table{generic: newGenericTable(p)}
}

func (t *table) mul(e *batch, s *[Lanes]*edwards25519.Scalar) {
	if ifma {
		t.wide.mul(&e.wide, s)
	} else {
		t.generic.mul(&e.generic, s)
	}
}

func baseTable() *Table {
	if ifma {
		return wideBaseTable()
	}
	return genericBaseTable()
}

var wideBaseTable = sync.OnceValue(func() *Table {
	return &Table{table{wide: newTable8(edwards25519.NewGeneratorPoint())}}
})

var genericBaseTable = sync.OnceValue(func() *Table { return &Table{table{generic: newGenericBaseTable()}} })
