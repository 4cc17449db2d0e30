//go:build purego || !amd64

package block

type keystream = genericStream
