package block

import (
	"math/bits"
	"sync"
)

// foldScratches keep the memory of a fold from one to the next.
var foldScratches = sync.Pool{New: func() any { return new([]byte) }}

// foldGeneric walks over the leaves as a binary counter with the sum of a
// finished subtree at each of its 1 bits: when two subtrees of height b meet, the
// right one is added to v_b. So 2^k streams cost 2·2^k additions of columns, and
// not k/2·2^k.
func foldGeneric(v []byte, stride int, u []byte, seeds []Block, nonce Block) {
	n, k := len(u), bits.Len(uint(len(seeds)))-1
	room := foldScratches.Get().(*[]byte)
	if len(*room) < (k+1)*n {
		*room = make([]byte, (k+1)*n)
	}
	scratch := (*room)[:(k+1)*n]
	defer func() {
		clear(scratch)
		foldScratches.Put(room)
	}()
	for b := range k {
		clear(v[b*stride:][:n])
	}
	right := scratch[k*n:][:n]
	sum := func(b int) []byte { // of the finished subtree of height b
		if b == k {
			return u
		}
		return scratch[b*n:][:n]
	}
	var g PRG
	for y, seed := range seeds {
		g.Reset(seed, nonce)
		if y&1 == 0 {
			g.Fill(sum(0))
			continue
		}
		g.Fill(right)
		for b := 0; y>>b&1 == 1; b++ {
			vb, both := v[b*stride:][:n], right
			XorBytes(vb, vb, right)
			if y>>(b+1)&1 == 0 {
				both = sum(b + 1)
			}
			XorBytes(both, right, sum(b))
		}
	}
}
