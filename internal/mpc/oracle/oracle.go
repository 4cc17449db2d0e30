// Package oracle is the random oracle of the match: SHA-256 over a label and
// length-prefixed parts, so that two calls agree only if label and every part
// do. Each use in the protocol has a label of its own, and the session id is
// the first part of every call.
package oracle

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"hash"

	"github.com/angler-dex/angler/internal/mpc/block"
)

const domain = "angler/1 mpc "

// Size is the length of an output in bytes.
const Size = sha256.Size

// SaltSize is the length of the salt at the head of a committed value.
const SaltSize = 32

// Sum returns RO(label, parts…).
func Sum(label string, parts ...[]byte) [Size]byte {
	return finish(start(label, parts))
}

// Seed returns the first 128 bits of RO(label, parts…): a seed, a key or the
// start point of a hash.
func Seed(label string, parts ...[]byte) block.Block {
	s := Sum(label, parts...)
	return block.FromBytes(s[:])
}

// SumBlocks returns RO(label, parts…, blocks), the blocks being one last part
// in their little-endian encoding.
func SumBlocks(label string, blocks []block.Block, parts ...[]byte) [Size]byte {
	h := start(label, parts)
	length(h, len(blocks)*block.Size)
	var buf [64 * block.Size]byte
	for len(blocks) > 0 {
		n := min(64, len(blocks))
		for k, b := range blocks[:n] {
			b.Put(buf[k*block.Size:])
		}
		h.Write(buf[:n*block.Size])
		blocks = blocks[n:]
	}
	clear(buf[:])
	return finish(h)
}

// Commit returns the commitment to salted, whose first SaltSize bytes are a
// fresh random salt. It contains who commits (role), when (flight) and to what
// (label), so that nobody can pass another's commitment off as its own.
func Commit(sid [32]byte, flight, role int, label string, salted []byte) [Size]byte {
	return Sum("commit", sid[:], []byte{byte(flight)}, Party(role), []byte(label), salted[:SaltSize], salted[SaltSize:])
}

// Opens tells whether salted opens the commitment.
func Opens(commitment []byte, sid [32]byte, flight, role int, label string, salted []byte) bool {
	want := Commit(sid, flight, role, label, salted)
	return subtle.ConstantTimeCompare(commitment, want[:]) == 1
}

// Party encodes the index of a party.
func Party(i int) []byte { return binary.LittleEndian.AppendUint16(nil, uint16(i)) }

func start(label string, parts [][]byte) hash.Hash {
	h := sha256.New()
	length(h, len(domain)+len(label))
	h.Write([]byte(domain))
	h.Write([]byte(label))
	for _, p := range parts {
		length(h, len(p))
		h.Write(p)
	}
	return h
}

func length(h hash.Hash, n int) {
	var l [8]byte
	binary.LittleEndian.PutUint64(l[:], uint64(n))
	h.Write(l[:])
}

func finish(h hash.Hash) (out [Size]byte) {
	h.Sum(out[:0])
	return out
}
