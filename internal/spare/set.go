package spare

import (
	"bytes"
	"crypto/sha256"
	"errors"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/mpc"
	"github.com/angler-dex/angler/internal/mpc/block"
	"github.com/angler-dex/angler/internal/mpc/ot"
)

// ID names a set; both ends compute the same. It is no secret. The zero ID
// names none.
type ID [32]byte

// Set is what one end of a pair holds: both directions, minted together. The
// zero Set is none.
type Set struct {
	ID   ID
	Pair mpc.WarmPair
}

// Wipe destroys the secrets of a set that will serve no match.
func (s Set) Wipe() {
	if r := s.Pair.Receiver; r != nil {
		clear(r.Seeds[:])
		r.Choice = block.Block{}
	}
	if t := s.Pair.Sender; t != nil {
		clear(t.Pairs[:])
	}
}

// idOf names a pair of sets by the ids of its directions, in an order that does
// not depend on which end asks.
func idOf(p mpc.WarmPair) ID {
	a, b := p.Receiver.ID, p.Sender.ID
	if bytes.Compare(a[:], b[:]) > 0 {
		a, b = b, a
	}
	h := sha256.New()
	h.Write([]byte("angler/1 spare set"))
	h.Write(a[:])
	h.Write(b[:])
	return ID(h.Sum(nil))
}

const (
	magic    = "angler spare 1\r\n"
	idSize   = 32
	headSize = len(magic) + 3*idSize
	fileSize = headSize + idSize + block.Size + ot.Base*block.Size + idSize + ot.Base*2*block.Size + sha256.Size
)

// head is what a file says of itself before its secrets.
type head struct {
	host       Host
	self, peer identity.PeerID
}

// errNotASet is all that is said of a file that is none.
var errNotASet = errors.New("not a set")

// encode writes a set's file.
func encode(h head, p mpc.WarmPair) []byte {
	b := make([]byte, 0, fileSize)
	b = append(b, magic...)
	b = append(b, h.host[:]...)
	b = append(b, h.self[:]...)
	b = append(b, h.peer[:]...)
	b = append(b, p.Receiver.ID[:]...)
	b = p.Receiver.Choice.Append(b)
	for _, s := range p.Receiver.Seeds {
		b = s.Append(b)
	}
	b = append(b, p.Sender.ID[:]...)
	for _, s := range p.Sender.Pairs {
		b = s[1].Append(s[0].Append(b))
	}
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

// parseHead reads the beginning of a file, at least headSize bytes.
func parseHead(b []byte) (h head, err error) {
	if len(b) < headSize || string(b[:len(magic)]) != magic {
		return head{}, errNotASet
	}
	b = b[len(magic):]
	copy(h.host[:], b)
	copy(h.self[:], b[idSize:])
	copy(h.peer[:], b[2*idSize:])
	return h, nil
}

// parse reads a whole file. What it accepts, encode writes.
func parse(b []byte) (head, Set, error) {
	h, err := parseHead(b)
	if err != nil || len(b) != fileSize {
		return head{}, Set{}, errNotASet
	}
	if sum := sha256.Sum256(b[:fileSize-sha256.Size]); !bytes.Equal(sum[:], b[fileSize-sha256.Size:]) {
		return head{}, Set{}, errNotASet
	}
	b = b[headSize:]
	id := func() (id [idSize]byte) {
		b = b[copy(id[:], b):]
		return id
	}
	next := func() block.Block {
		v := block.FromBytes(b)
		b = b[block.Size:]
		return v
	}
	r, s := new(ot.BaseReceiver), new(ot.BaseSender)
	r.ID = id()
	r.Choice = next()
	for k := range r.Seeds {
		r.Seeds[k] = next()
	}
	s.ID = id()
	for k := range s.Pairs {
		s.Pairs[k][0] = next()
		s.Pairs[k][1] = next()
	}
	pair := mpc.WarmPair{Receiver: r, Sender: s}
	return h, Set{ID: idOf(pair), Pair: pair}, nil
}
