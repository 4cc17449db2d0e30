//go:build purego || !amd64

package ristretto

import "sync"

type (
	batch = genericBatch
	table = genericTable
)

func newTable(p Element) table { return newGenericTable(p) }

// baseTable is the table of the generator.
var baseTable = sync.OnceValue(func() *Table { return &Table{newGenericBaseTable()} })
