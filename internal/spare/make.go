package spare

import (
	"fmt"
	"io"

	"github.com/angler-dex/angler/internal/mpc"
	"github.com/angler-dex/angler/internal/mpc/block"
	"github.com/angler-dex/angler/internal/mpc/ot"
)

// MessageSize is the length of what either end sends to make a set.
const MessageSize = ot.BaseMessageSize

// Making is one end of a set that is made outside a match: the base OTs of both directions,
// one message either way (package ot has protocol and assumptions). The choices are fresh
// and uniform, for this set alone; in the match that it serves they stand for Δ, which is
// then sent masked by them.
type Making struct{ base *ot.BaseOT }

// Make starts. sid names this set and no other: both ends have it, and contribute to it. end is 0
// at one of them and 1 at the other.
func Make(sid [32]byte, end int, rnd io.Reader) (*Making, error) {
	var choice [block.Size]byte
	defer clear(choice[:])
	if _, err := io.ReadFull(rnd, choice[:]); err != nil {
		return nil, fmt.Errorf("spare set: randomness: %w", err)
	}
	base, err := ot.NewBaseOT(sid, end, 1-end, block.FromBytes(choice[:]), rnd)
	if err != nil {
		return nil, fmt.Errorf("spare set: %w", err)
	}
	return &Making{base}, nil
}

// Message is what goes to the other end.
func (m *Making) Message() []byte { return m.base.Message() }

// Finish makes the set of the other end's message; its errors are that one's fault. If both
// ends come to one ID, they have the two halves of a set. The Making is spent.
func (m *Making) Finish(theirs []byte) (Set, error) {
	sender, receiver, err := m.base.Finish(theirs)
	if err != nil {
		return Set{}, err
	}
	pair := mpc.WarmPair{Sender: sender, Receiver: receiver}
	return Set{ID: idOf(pair), Pair: pair}, nil
}

// Wipe destroys the secrets of a set that comes to nothing.
func (m *Making) Wipe() { m.base.Destroy() }
