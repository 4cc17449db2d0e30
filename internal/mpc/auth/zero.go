package auth

import (
	"encoding/binary"

	"github.com/angler-dex/angler/internal/mpc/block"
	"github.com/angler-dex/angler/internal/mpc/oracle"
)

// ZeroShares makes sharings of zero: values, one a party, whose XOR over all
// parties is zero and which are otherwise uniform. A pair's key is the hash of
// a seed from either side; each use has its own label.
type ZeroShares struct {
	sid  [32]byte
	keys [][32]byte // by peer; own unused
	self int
}

// NewZeroShares derives the pair keys: mine[j] is the seed sent to party j,
// theirs[j] the one that came from it.
func NewZeroShares(sid [32]byte, self int, mine, theirs []block.Block) *ZeroShares {
	z := &ZeroShares{sid: sid, keys: make([][32]byte, len(mine)), self: self}
	for j := range mine {
		if j == self {
			continue
		}
		lo, hi, a, b := self, j, mine[j].Bytes(), theirs[j].Bytes()
		if j < self {
			lo, hi, a, b = hi, lo, b, a
		}
		z.keys[j] = oracle.Sum("zero pair", sid[:], oracle.Party(lo), oracle.Party(hi), a[:], b[:])
	}
	return z
}

// Blocks returns this party's shares of n zeros for the use named by label and
// index.
func (z *ZeroShares) Blocks(n int, label string, index int) []block.Block {
	sum, s := make([]block.Block, n), make([]block.Block, n)
	for j := range z.keys {
		if j == z.self {
			continue
		}
		z.stream(j, label, index).Blocks(s)
		block.XorInto(sum, s)
	}
	clear(s)
	return sum
}

// Words returns this party's shares of n zeros of 64 bits each.
func (z *ZeroShares) Words(n int, label string) []uint64 {
	sum := make([]uint64, n)
	var buf [512]byte
	for j := range z.keys {
		if j == z.self {
			continue
		}
		s := z.stream(j, label, 0)
		for at := 0; at < n; at += len(buf) / 8 {
			s.Fill(buf[:])
			for k := range sum[at:min(n, at+len(buf)/8)] {
				sum[at+k] ^= binary.LittleEndian.Uint64(buf[8*k:])
			}
		}
	}
	clear(buf[:])
	return sum
}

func (z *ZeroShares) stream(j int, label string, index int) *block.PRG {
	return block.NewPRG(oracle.Seed("zero", z.sid[:], z.keys[j][:], []byte(label), oracle.Party(index)))
}

// Destroy wipes the pair keys.
func (z *ZeroShares) Destroy() { clear(z.keys) }
