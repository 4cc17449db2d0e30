//go:build !purego

package block

// roundKeys is the key schedule of AES-128 (FIPS 197, 5.2), in the order of the rounds.
type roundKeys [11]Block

// fixedKey is the key of a hash: its schedule, or where the machine has no AES
// instructions the generic key.
type fixedKey struct {
	rk      roundKeys
	generic *genericKey
}

func newFixedKey(start Block) (k fixedKey) {
	if machine.aes {
		expandKey(&k.rk, &start)
	} else {
		g := newGenericKey(start)
		k.generic = &g
	}
	return k
}

// sumN and sumTweaks: dst may be a whole operand, since each group of blocks is
// read before it is written.
func (k *fixedKey) sumN(dst, tweaks, xs []Block) {
	switch {
	case k.generic != nil:
		k.generic.sumN(dst, tweaks, xs)
	case len(dst) == 0:
	case machine.vaes:
		tmmoVAES(&k.rk, &dst[0], &tweaks[0], &xs[0], len(dst))
	default:
		tmmoAES(&k.rk, &dst[0], &tweaks[0], &xs[0], len(dst))
	}
}

func (k *fixedKey) sumTweaks(dst, tweaks []Block, x Block) {
	switch {
	case k.generic != nil:
		k.generic.sumTweaks(dst, tweaks, x)
	case len(dst) == 0:
	case machine.vaes:
		tmmoTweaksVAES(&k.rk, &dst[0], &tweaks[0], &x, len(dst))
	default:
		tmmoTweaksAES(&k.rk, &dst[0], &tweaks[0], &x, len(dst))
	}
}

//go:noescape
func expandKey(rk *roundKeys, key *Block)

// The four kernels take n ≥ 1 blocks at each of dst, tweaks and (tmmo) x.

//go:noescape
func tmmoAES(rk *roundKeys, dst, tweaks, x *Block, n int)

//go:noescape
func tmmoTweaksAES(rk *roundKeys, dst, tweaks, x *Block, n int)

//go:noescape
func tmmoVAES(rk *roundKeys, dst, tweaks, x *Block, n int)

//go:noescape
func tmmoTweaksVAES(rk *roundKeys, dst, tweaks, x *Block, n int)
