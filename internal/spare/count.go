package spare

import (
	"encoding/hex"
	"os"
	"strings"

	"github.com/angler-dex/angler/internal/identity"
)

// Of lists the sets that are kept for a peer, by their ids, in no order. The answer
// is old when it comes: whoever wants a set takes it.
func (s *Store) Of(peer identity.PeerID) ([]ID, error) {
	var ids []ID
	err := s.names(func(p identity.PeerID, id ID) {
		if p == peer {
			ids = append(ids, id)
		}
	})
	return ids, err
}

// Peers is how many sets are kept for whom.
func (s *Store) Peers() (map[identity.PeerID]int, error) {
	peers := map[identity.PeerID]int{}
	err := s.names(func(p identity.PeerID, _ ID) { peers[p]++ })
	return peers, err
}

// names calls f for each set that the folder has by its name.
func (s *Store) names(f func(identity.PeerID, ID)) error {
	if s == nil {
		return nil
	}
	entries, err := os.ReadDir(s.Dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), suffix)
		who, what, dash := strings.Cut(name, "-")
		if !ok || !dash || len(what) != 2*idSize {
			continue
		}
		peer, err := identity.ParsePeerID(who)
		if err != nil {
			continue
		}
		if id, err := hex.DecodeString(what); err == nil {
			f(peer, ID(id))
		}
	}
	return nil
}
