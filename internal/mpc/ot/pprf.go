package ot

import (
	"crypto/subtle"
	"encoding/binary"

	"github.com/angler-dex/angler/internal/mpc/block"
)

// A punctured pseudorandom function by trees of seeds (GGM; Roy22, base OTs
// from a PPRF): *from* knows all 2^k leaves of a tree, *to* all but the one at its
// k bits of Δ.
//
// Base OT c = k·tree + b stands for bit b of the leaf index and for the
// level k−b of the tree, the root being level 0: the highest bit is decided
// first, so that a level lies in memory in the order of the leaves. The holder
// of Δ has seed Pairs[c][Δ_c] and is to get the side 1−Δ_c of its level.
// Hence:
//
//	level 1:     node_v = Pairs[c][1−v]                           (no correction)
//	level 2…k:   correction_v = Pairs[c][1−v] ⊕ ⊕{nodes of side v}   v = 0, 1
//
// Nodes expand by block.Hash with the start point RO(session, pair, base set) and a
// tweak of their place: for uniform secret seeds that is a PRF of the tweak.
//
// Consistency (Roy22, the PPRF check; one digest for all trees instead of one
// a tree): a leaf goes to a tag of 256 bits, the tags of a tree XOR to t̃,
// and the digest covers all tags in order. The holder of Δ computes the tags
// that it can, the last one of each tree by t̃, and compares the digest. A digest
// fixes the tags, hence the set of values of each tree's k bits that are
// accepted; if two values of a tree are, then by collision resistance every
// leaf that both know is the same for both, so all accepted values agree on one
// tree of 2^k leaves, and a cheat has gained a guess which values are accepted
// (see the package's comment). A tag shows nothing of its leaf to whoever does not
// know it.
//
// A tag is two hashes of the leaf, by block.Hash under two keys of its own, which a
// random oracle draws from (session, pair, k, set); the tweak is the leaf's place. In the
// ideal-cipher model the two permutations are independent of each other and of those
// of nodes and streams. Collision resistance, of one place with tweak t: H_i(x) =
// f_i(π_i(x) ⊕ t) ⊕ t with f_i(b) = π_i(b) ⊕ b, and an evaluation of π_i, either way,
// sets one value of f_i, uniform but for 2^-128 each. After q evaluations at most
// q²/2^129 pairs x ≠ x′ collide under key 1, and nothing that chose them says anything about π_2, under which
// such a pair collides with 2^-128: q²/2^257 in all, as for a hash of 256 bits. Hiding:
// the holder of Δ sees one tag of a leaf that it lacks; that the two hashes and the
// streams' seed come of this leaf and not of random bits shows only to who evaluates
// a permutation at the leaf, or at its image: p·2T/2^128 with p evaluations and T trees.

const leafTagSize = 2 * block.Size

func treeCorrections(k int) int { return (k - 1) * 2 * block.Size }

// pprf is the hashes of one extension's trees, with scratch: one user at a time.
type pprf struct {
	k      int
	nodes  *block.Hash    // of seeds, nodes and streams
	leaves [2]*block.Hash // of tags
	nonce  block.Block    // domain of the leaf streams
	tweaks [256]block.Block
	half   [256]block.Block // of a tree's tags
}

func newPPRF(k int, o *oracle, id [32]byte) *pprf {
	d := o.sum("pprf", []byte{byte(k)}, id[:])
	e := o.sum("pprf leaf", []byte{byte(k)}, id[:])
	p := &pprf{k: k, nodes: block.NewHash(block.FromBytes(d[:]))}
	p.nonce.Lo = binary.LittleEndian.Uint64(d[16:])
	for v := range p.leaves {
		p.leaves[v] = block.NewHash(block.FromBytes(e[v*block.Size:]))
	}
	return p
}

// seeds turns the seeds of a base set into those of this extension, in place: session,
// pair and set are in the key, and the tweak names base OT and branch. seeds[2c+v] is
// Pairs[c][v].
func (p *pprf) seeds(seeds []block.Block) {
	for c := range seeds {
		p.tweaks[c] = tweak(0, 0, c)
	}
	p.nodes.SumN(seeds, p.tweaks[:len(seeds)], seeds)
}

// chosen does the same for one seed of each base OT, choice naming the branch.
func (p *pprf) chosen(seeds *[Base]block.Block, choice block.Block) {
	for c := range seeds {
		p.tweaks[c] = tweak(0, 0, 2*c)
		p.tweaks[c].Lo |= choice.Bit(c)
	}
	p.nodes.SumN(seeds[:], p.tweaks[:Base], seeds[:])
	clear(p.tweaks[:Base])
}

// tweak of node index at level of tree; level k+1 is the seed of a leaf's stream, and
// level 0 has the seeds of the base OTs.
func tweak(tree, level, index int) block.Block {
	return block.Block{Lo: uint64(tree)<<32 | uint64(level)<<16 | uint64(index)}
}

// grow sets level[2j] and level[2j+1] to the children of level[j], j < n.
func (p *pprf) grow(level []block.Block, tree, depth, n int) {
	// From the last on: a node is read before its place is taken.
	for j := 2*n - 1; j >= 0; j-- {
		level[j], p.tweaks[j] = level[j/2], tweak(tree, depth, j)
	}
	p.nodes.SumN(level[:2*n], p.tweaks[:2*n], level[:2*n])
}

func sides(level []block.Block) (s [2]block.Block) {
	for j := range level {
		s[j&1] = s[j&1].Xor(level[j])
	}
	return s
}

// expand computes the leaves of a tree and appends its corrections. seeds are
// those of the tree's k base OTs, both of each.
func (p *pprf) expand(leaves []block.Block, corrections []byte, tree int, seeds []block.Block) []byte {
	b := p.k - 1
	leaves[0], leaves[1] = seeds[2*b+1], seeds[2*b]
	for depth := 2; depth <= p.k; depth++ {
		b--
		p.grow(leaves, tree, depth, 1<<(depth-1))
		s := sides(leaves[:1<<depth])
		corrections = seeds[2*b+1].Xor(s[0]).Append(corrections)
		corrections = seeds[2*b].Xor(s[1]).Append(corrections)
	}
	return corrections
}

// puncture computes all leaves but the one at the index that the k lowest bits
// of delta name, from the tree's corrections and the chosen seeds. At that
// index stands a public value. It touches the same memory for every delta.
func (p *pprf) puncture(leaves []block.Block, corrections []byte, tree int, delta uint64, seeds []block.Block) {
	b := p.k - 1
	bit := delta >> uint(b) & 1
	leaves[0], leaves[1] = seeds[b].Mask(bit), seeds[b].Mask(bit^1)
	path := bit // the index of the unknown node of the level
	for depth := 2; depth <= p.k; depth++ {
		b--
		bit = delta >> uint(b) & 1
		p.grow(leaves, tree, depth, 1<<(depth-1))
		level := leaves[:1<<depth]
		s := sides(level)
		left, right := block.FromBytes(corrections), block.FromBytes(corrections[block.Size:])
		corrections = corrections[2*block.Size:]
		// Side 1−bit: its correction, less the seed, less the other nodes of it, is the
		// node that the unknown parent should have there. What grew there instead is in
		// the sum as well, so adding all this to it leaves the right node.
		known := left.Xor(s[0]).Mask(bit).Xor(right.Xor(s[1]).Mask(bit ^ 1)).Xor(seeds[b])
		path = path<<1 | bit
		for j := range level {
			level[j] = level[j].Xor(known.Mask(equal(uint64(j), path^1)))
		}
	}
}

// equal returns 1 if a = b, else 0, for a, b < 2^31.
func equal(a, b uint64) uint64 {
	return uint64(subtle.ConstantTimeEq(int32(a), int32(b)))
}

// tags computes the tags of a tree's leaves, leafTagSize bytes each.
func (p *pprf) tags(dst []byte, leaves []block.Block, tree int) {
	n := len(leaves)
	for y := range leaves {
		p.tweaks[y] = tweak(tree, p.k, y)
	}
	for v, h := range p.leaves {
		h.SumN(p.half[:n], p.tweaks[:n], leaves)
		for y, t := range p.half[:n] {
			t.Put(dst[y*leafTagSize+v*block.Size:])
		}
	}
}

// sumTags returns ⊕ of the tags.
func sumTags(tags []byte) (sum [leafTagSize]byte) {
	for ; len(tags) > 0; tags = tags[leafTagSize:] {
		subtle.XORBytes(sum[:], sum[:], tags[:leafTagSize])
	}
	return sum
}

// completeTags sets the tag at index path, whatever stands there, so that the
// tags XOR to sum.
func completeTags(tags []byte, path uint64, sum []byte) {
	var last [leafTagSize]byte
	copy(last[:], sum)
	for y := 0; y*leafTagSize < len(tags); y++ {
		t := tags[y*leafTagSize:][:leafTagSize]
		known := equal(uint64(y), path) - 1 // 0 at the path, else all ones
		for k := 0; k < leafTagSize; k += 8 {
			v := binary.LittleEndian.Uint64(t[k:]) & known
			binary.LittleEndian.PutUint64(t[k:], v)
			binary.LittleEndian.PutUint64(last[k:], binary.LittleEndian.Uint64(last[k:])^v)
		}
	}
	for y := 0; y*leafTagSize < len(tags); y++ {
		addMasked(tags[y*leafTagSize:][:leafTagSize], last[:], equal(uint64(y), path))
	}
}

// streams turns leaves into the seeds of their streams, in place.
func (p *pprf) streams(leaves []block.Block, tree int) {
	for y := range leaves {
		p.tweaks[y] = tweak(tree, p.k+1, y)
	}
	p.nodes.SumN(leaves, p.tweaks[:len(leaves)], leaves)
}
