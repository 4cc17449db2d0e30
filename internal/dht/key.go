package dht

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// Key is a point of the DHT's 160-bit space: what is announced and looked up,
// and what a node is called.
type Key [20]byte

// String is the key in lower-case hexadecimal.
func (k Key) String() string { return hex.EncodeToString(k[:]) }

// ClassKey is the key under which providers of a class in a cell of a pool
// announce themselves: the first 20 bytes of SHA-256 over the strings
// "angler/1", pool, cell and class, each preceded by its length in bytes as a
// 32-bit big-endian number, so that no two tuples share an encoding. The cell
// "" is the whole world. The class is given in its canonical text.
//
// Keys are public: who knows the pool's name and a class can compute them.
func ClassKey(pool, cell, class string) Key {
	h := sha256.New()
	for _, s := range []string{"angler/1", pool, cell, class} {
		var n [4]byte
		binary.BigEndian.PutUint32(n[:], uint32(len(s)))
		h.Write(n[:])
		h.Write([]byte(s))
	}
	return Key(h.Sum(nil)[:len(Key{})])
}

// distance is the XOR metric of Kademlia.
func (k Key) distance(o Key) Key {
	var d Key
	for i := range d {
		d[i] = k[i] ^ o[i]
	}
	return d
}

// nearer orders a before b (negative) when a is closer to the target.
func nearer(target, a, b Key) int {
	da, db := target.distance(a), target.distance(b)
	return bytes.Compare(da[:], db[:])
}
