package ot

import (
	"crypto/sha256"

	"github.com/angler-dex/angler/internal/mpc/block"
)

// ExtReceiver is the side *from* of an extension, the holder of the bits x. It
// has done all its work when it exists; its methods read.
//
// Protocol: SoftSpoken OT (Roy22, eprint 2022/192): small-field VOLEs over
// GF(2^k) from punctured PRFs, joined by the repetition code of length 128/k
// (subspace VOLE, section 3.2), with chosen x. For tree i with u_i and columns v_c (fold), it
// sends u_i ⊕ x; column c of M is v_c.
type ExtReceiver struct {
	layout
	oracle  oracle
	x       []byte
	message []byte
	hash    [32]byte
	rows    []block.Block
	pairs   []block.Block // pairs of narrow rows
}

// NewExtReceiver extends base to rows correlated OTs with the bits x: rows bits,
// packed, padding ignored. Behind them are the bits of pairs pairs of narrow rows,
// which are authenticated in NarrowColumns columns: all first ones, all second
// ones. from is its own index, to the peer's. k (1, 2, 4 or 8) trades bytes, 128/k a
// bit, for work, 2^k/k.
//
// It panics on parameters that no match has. A base set is used once.
func NewExtReceiver(sid [32]byte, k int, base *BaseSender, from, to, rows, pairs int, x []byte) *ExtReceiver {
	l := newLayout(k, rows, pairs)
	r := &ExtReceiver{layout: l, oracle: newOracle(sid, from, to), x: make([]byte, l.longest())}
	copy(r.x, x[:l.longest()])
	r.x[l.wide()-1] &= l.lastByte()

	room := borrow(l)
	defer room.giveBack()
	p := newPPRF(k, &r.oracle, base.ID)
	seeds := room.seeds[:]
	for c := range base.Pairs {
		seeds[2*c], seeds[2*c+1] = base.Pairs[c][0], base.Pairs[c][1]
	}
	p.seeds(seeds)
	r.message = make([]byte, MessageSize(k, rows, pairs))
	corrections, check, u := l.parts(r.message)
	corrections = corrections[:0]
	digest := r.oracle.stream("pprf check")

	leaves, tags, columns := room.leaves, room.tags, room.columns
	for i := range l.trees() {
		corrections = p.expand(leaves, corrections, i, seeds[2*i*k:][:2*k])
		if k > 1 {
			p.tags(tags, leaves, i)
			sum := sumTags(tags)
			copy(check[i*leafTagSize:], sum[:])
			digest.Write(tags)
		}
		p.streams(leaves, i)
		var ui []byte
		ui, u = u[:l.column(i)], u[l.column(i):]
		p.fold(columns[i*k*l.stride():], l.stride(), ui, leaves)
		block.XorBytes(ui, ui, r.x)
		ui[l.wide()-1] &= l.lastByte()
	}
	if k > 1 {
		digest.Sum(check[l.trees()*leafTagSize : l.trees()*leafTagSize])
	}
	r.hash = r.oracle.extension(l, base.ID, r.message)
	r.rows = make([]block.Block, rows)
	block.Transpose(r.rows, columns, l.stride(), rows)
	r.pairs = l.transposePairs(columns)
	return r
}

// Message returns what goes to the peer, MessageSize bytes (its layout is there).
func (r *ExtReceiver) Message() []byte { return r.message }

// Hash returns h, which binds this party to base set and message. χ is drawn
// from the hashes of all its extensions.
func (r *ExtReceiver) Hash() [32]byte { return r.hash }

// XTilde returns x̃ = Σ χ_r·x_r over the rows lo ≤ r < hi. len(chi) = hi − lo.
func (r *ExtReceiver) XTilde(lo, hi int, chi []block.Block) block.Block {
	bits := r.x[lo/8:]
	if lo%8 != 0 {
		bits = make([]byte, (hi-lo+7)/8)
		for k := lo; k < hi; k++ {
			bits[(k-lo)/8] |= r.x[k/8] >> (k % 8) & 1 << ((k - lo) % 8)
		}
	}
	return block.InnerProductBits(bits, chi[:hi-lo])
}

// Tilde returns the hash of the 128 columns' t̃_c = Σ χ_r·M_r.Bit(c) over the rows
// lo ≤ r < hi. len(chi) = hi − lo.
func (r *ExtReceiver) Tilde(lo, hi int, chi []block.Block) [32]byte {
	sums := block.ColumnSums(r.rows[lo:hi], chi[:hi-lo])
	return r.oracle.tilde(lo, hi, &sums)
}

// XTildePairs returns Σ χ_r·x_r over the first narrow rows of the pairs, and over
// the second ones. len(chi) is the number of pairs.
func (r *ExtReceiver) XTildePairs(chi []block.Block) (x [2]block.Block) {
	for h := range x {
		x[h] = block.InnerProductBits(r.x[r.wide()+h*r.narrow():], chi[:r.layout.pairs])
	}
	return x
}

// TildePairs returns the hash of the t̃_c of the narrow rows' columns, those of the
// first rows and those of the second.
func (r *ExtReceiver) TildePairs(chi []block.Block) [32]byte {
	sums := block.ColumnSums(r.pairs, chi[:r.layout.pairs])
	return r.oracle.tildePairs(&sums)
}

// Rows returns M, under the peer's Choice.
func (r *ExtReceiver) Rows() []block.Block { return r.rows }

// Pairs returns M of the pairs of narrow rows, under the first bits of the peer's
// Choice: the first row of a pair in the lower 48 bits, the second from bit 64 on.
func (r *ExtReceiver) Pairs() []block.Block { return r.pairs }

// Destroy wipes the bits x and lets go of the rows, which are whose took them.
func (r *ExtReceiver) Destroy() {
	clear(r.x)
	r.rows, r.pairs = nil, nil
}

func (o *oracle) extension(l layout, id [32]byte, message []byte) (sum [32]byte) {
	h := o.stream("extension")
	h.Write(id[:])
	h.Write([]byte{byte(l.k)})
	h.Write(u32(l.rows))
	h.Write(u32(l.pairs))
	h.Write(message)
	h.Sum(sum[:0])
	return sum
}

func (o *oracle) tilde(lo, hi int, sums *[Base]block.Block) [32]byte {
	var room [2304]byte // 128 sums and some 80 bytes
	b := append(append(o.prefix(room[:0], "tilde"), u32(lo)...), u32(hi)...)
	for c := range sums {
		b = sums[c].Append(b)
	}
	return sha256.Sum256(b)
}

func (o *oracle) tildePairs(sums *[Base]block.Block) [32]byte {
	var room [2304]byte
	b := o.prefix(room[:0], "tilde pairs")
	for c := range NarrowColumns {
		b = sums[narrowHigh+c].Append(sums[c].Append(b))
	}
	return sha256.Sum256(b)
}
