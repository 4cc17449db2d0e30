package match

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/mesh"
	"github.com/angler-dex/angler/internal/mpc"
	"github.com/angler-dex/angler/internal/spare"
)

// Two parties that have met may hold a one-time set of base OTs, minted by an
// earlier match of both. Whoever opens their session stream takes its newest one
// and names it; the other end takes the one of that name and answers whether it
// could. Either has deleted its half durably before it says so. Unless both have
// it the pair starts cold, and what was taken is wiped. An answer that is a lie
// makes the two ends compute from different seeds, which ends the match at the
// check of the first flights, as any other lie does.

// What the opener of a session stream is answered, if it has named a set.
const (
	setMissing byte = 0
	setTaken   byte = 1
)

var errSetAnswer = errors.New("neither yes nor no to a spare set")

// spares are the sets that a match uses, by party; the zero Set where a pair
// starts cold.
type spares []spare.Set

// warm gives the sets to the computation.
func (s spares) warm() map[int]mpc.WarmPair {
	w := map[int]mpc.WarmPair{}
	for party, set := range s {
		if set.Pair != (mpc.WarmPair{}) {
			w[party] = set.Pair
		}
	}
	return w
}

// warm is what the computation begins with: it gets no F1 of those whose set
// there is.
func (n *network) warm(s spares) map[int]mpc.WarmPair {
	w := s.warm()
	for party := range w {
		n.arrived(party)
	}
	return w
}

// wipe destroys what no match has used up.
func (s spares) wipe() {
	for _, set := range s {
		set.Wipe()
	}
}

// openSession heads a session stream, by which this party and one set of the
// two's, if there is any, are introduced. The set is used if agreed says so.
func openSession(ctx context.Context, s *mesh.Stream, sid [32]byte, self int, store *spare.Store) (spare.Set, error) {
	set, _ := store.Newest(s.Peer())
	if err := writeSessionHeader(ctx, s, sid, self, set.ID); err != nil {
		set.Wipe()
		return spare.Set{}, err
	}
	return set, nil
}

// agreed reads what the peer says of the set that was named to it, if one was,
// and returns that set if both ends have it.
func agreed(ctx context.Context, s *mesh.Stream, named spare.Set) (spare.Set, error) {
	if named.ID == (spare.ID{}) {
		return spare.Set{}, nil
	}
	defer interrupt(ctx, s.SetReadDeadline)()
	var answer [1]byte
	_, err := io.ReadFull(s, answer[:])
	switch {
	case err != nil:
		err = fmt.Errorf("answer about a spare set: %w", err)
	case answer[0] == setTaken:
		return named, nil
	case answer[0] != setMissing:
		err = errSetAnswer
	}
	named.Wipe()
	return spare.Set{}, err
}

// answerSet takes the set that a peer has named on its stream, if it named one,
// and says whether it was there.
func answerSet(ctx context.Context, s *mesh.Stream, named spare.ID, store *spare.Store) (spare.Set, error) {
	if named == (spare.ID{}) {
		return spare.Set{}, nil
	}
	set, ok := store.Take(s.Peer(), named)
	answer := setMissing
	if ok {
		answer = setTaken
	}
	defer interrupt(ctx, s.SetWriteDeadline)()
	if _, err := s.Write([]byte{answer}); err != nil {
		set.Wipe()
		return spare.Set{}, err
	}
	return set, nil
}

// keep stores what a match has minted that is through at this party, for those
// that can be through with it, too.
func keep(store *spare.Store, party *mpc.Party, peer func(int) identity.PeerID) {
	minted := map[identity.PeerID]mpc.WarmPair{}
	for j, pair := range party.Minted() {
		if !slices.Contains(party.Unreached(), j) {
			minted[peer(j)] = pair
		}
	}
	store.Put(minted)
}
