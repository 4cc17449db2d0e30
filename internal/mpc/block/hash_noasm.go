//go:build purego || !amd64

package block

type fixedKey = genericKey

func newFixedKey(start Block) fixedKey { return newGenericKey(start) }
