package requester

import (
	"slices"
	"testing"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/match"
)

// TestDisputedWinnerIsNotLeftOutAlone: a loser that spoils a winner's result does not get
// rid of it: it goes as well, or instead if few are left. A winner that names nobody goes.
func TestDisputedWinnerIsNotLeftOutAlone(t *testing.T) {
	id := func(n int) identity.PeerID { return identity.PeerID{byte(n)} }
	for _, tc := range []struct {
		name       string
		candidates int
		least      int
		winners    []identity.PeerID
		disputes   []match.Dispute
		want       []identity.PeerID
	}{
		{"no dispute", 3, 1, []identity.PeerID{id(1)}, nil, []identity.PeerID{id(1)}},
		{"another's dispute", 3, 1, []identity.PeerID{id(1)}, []match.Dispute{{By: id(2), Of: id(1)}}, []identity.PeerID{id(1)}},
		{"both go", 3, 1, []identity.PeerID{id(1)}, []match.Dispute{{By: id(1), Of: id(3)}}, []identity.PeerID{id(3), id(1)}},
		{"the winner stays", 2, 1, []identity.PeerID{id(1)}, []match.Dispute{{By: id(1), Of: id(2)}}, []identity.PeerID{id(2)}},
		{"one spoils two", 4, 1, []identity.PeerID{id(1), id(2)}, []match.Dispute{{By: id(1), Of: id(3)}, {By: id(2), Of: id(3)}}, []identity.PeerID{id(3), id(1), id(2)}},
		{"one spoils two, and one may stay", 4, 2, []identity.PeerID{id(1), id(2)}, []match.Dispute{{By: id(1), Of: id(3)}, {By: id(2), Of: id(3)}}, []identity.PeerID{id(3), id(1)}},
		{"two name each other", 3, 1, []identity.PeerID{id(1), id(2)}, []match.Dispute{{By: id(1), Of: id(2)}, {By: id(2), Of: id(1)}}, []identity.PeerID{id(2), id(1)}},
	} {
		r := &request{candidates: make([]match.Candidate, tc.candidates), least: tc.least}
		if got := r.atFault(tc.winners, tc.disputes); !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v", tc.name, got)
		}
	}
}
