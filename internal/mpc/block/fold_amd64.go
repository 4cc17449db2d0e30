//go:build !purego

package block

import (
	"math/bits"
	"sync"
)

// foldKeys are the key schedules of the leaves in groups of four: of a group, round
// after round, the round keys of the four.
type foldKeys [64][11][4]Block

var foldKeyRooms = sync.Pool{New: func() any { return new(foldKeys) }}

func foldStreams(v []byte, stride int, u []byte, seeds []Block, nonce Block) {
	hi, lo := bits.ReverseBytes64(nonce.Lo), bits.ReverseBytes64(nonce.Hi)
	// The kernel counts in the lower half of the counter alone.
	if !machine.vaes || len(seeds) < 4 || lo > -uint64(len(u))-256 && lo != 0 {
		foldGeneric(v, stride, u, seeds, nonce)
		return
	}
	groups := len(seeds) / 4
	keys := foldKeyRooms.Get().(*foldKeys)
	foldKeysVAES(keys, &seeds[0], groups)
	foldVAES(&v[0], stride, &u[0], len(u), keys, groups, hi, lo)
	clear(keys[:groups])
	foldKeyRooms.Put(keys)
}

// foldKeysVAES expands groups·4 keys.
//
//go:noescape
func foldKeysVAES(dst *foldKeys, seeds *Block, groups int)

// foldVAES folds n ≥ 1 bytes of the streams of groups·4 leaves, groups being 1, 2, 4, … 64.
//
//go:noescape
func foldVAES(v *byte, stride int, u *byte, n int, keys *foldKeys, groups int, hi, lo uint64)
