package ot

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"hash"

	"github.com/angler-dex/angler/internal/mpc/block"
)

// oracle is a domain of the random oracle: everything that is hashed within one
// direction of one pair in one session begins with these bytes. All inputs of
// one label have one length or carry their length, so the encoding is
// prefix-free, which is what SHA-2 needs to stand for a random oracle.
type oracle struct{ pair [40]byte }

func newOracle(sid [32]byte, from, to int) oracle {
	var o oracle
	copy(o.pair[:], sid[:])
	binary.LittleEndian.PutUint32(o.pair[32:], uint32(from))
	binary.LittleEndian.PutUint32(o.pair[36:], uint32(to))
	return o
}

// short is room for the inputs of most hashes.
type short [320]byte

// prefix appends "angler/1 ot <label>", its length before it, and the pair.
func (o *oracle) prefix(b []byte, label string) []byte {
	const project = "angler/1 ot "
	b = append(b, byte(len(project)+len(label)))
	b = append(b, project...)
	b = append(b, label...)
	return append(b, o.pair[:]...)
}

func (o *oracle) sum(label string, parts ...[]byte) [32]byte {
	var room short
	b := o.prefix(room[:0], label)
	for _, p := range parts {
		b = append(b, p...)
	}
	return sha256.Sum256(b)
}

func (o *oracle) block(label string, parts ...[]byte) block.Block {
	h := o.sum(label, parts...)
	return block.FromBytes(h[:])
}

func (o *oracle) wide(label string, parts ...[]byte) [64]byte {
	var room short
	b := o.prefix(room[:0], label)
	for _, p := range parts {
		b = append(b, p...)
	}
	return sha512.Sum512(b)
}

func (o *oracle) stream(label string) hash.Hash {
	h := sha256.New()
	h.Write(o.prefix(nil, label))
	return h
}

func u32(v int) []byte { return binary.LittleEndian.AppendUint32(nil, uint32(v)) }
