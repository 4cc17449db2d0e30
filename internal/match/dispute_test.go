package match_test

import (
	"bytes"
	"context"
	"testing"

	"github.com/angler-dex/angler/internal/match"
	"github.com/angler-dex/angler/internal/match/matchtest"
	"github.com/angler-dex/angler/internal/mpc"
)

// spoiler sends one peer a wrong last flight.
type spoiler struct {
	mpc.Network
	peer int
	sid  []byte // of the first frame to it
}

func (s *spoiler) Send(ctx context.Context, to int, chunk []byte) error {
	if to == s.peer && s.sid == nil {
		s.sid = chunk[:flightAt]
	}
	if to == s.peer && bytes.HasPrefix(chunk, s.sid) && chunk[flightAt] == 9 {
		chunk = bytes.Clone(chunk)
		chunk[len(chunk)-1] ^= 1
	}
	return s.Network.Send(ctx, to, chunk)
}

// TestLoserSpoilsTheWinner: a loser that sends the winner a wrong share of its output
// masks keeps it from its result, after the requester has its own. The requester hears
// who names whom.
func TestLoserSpoilsTheWinner(t *testing.T) {
	m := matchtest.New(t)
	winner, other, loser := m.Provider("winner", 5, 10), m.Provider("other", 5, 20), m.NewProvider("loser")
	loser.Prepare = func(prov *match.Provider) {
		prov.Drive(func(ctx context.Context, party *mpc.Party, net mpc.Network) error {
			return mpc.Run(ctx, party, &spoiler{Network: net, peer: 1})
		})
	}
	loser.Start()
	loser.Offer(5, 30)
	r := m.Requester("asker")
	ctx := m.Context()
	out, leave, err := r.Seeker().Play(ctx, m.Request(3, 100), r.Candidates(ctx, winner, other, loser), 3, func(match.Outcome) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Parts) != 1 || out.Parts[0].Member.ID != winner.Key.ID() {
		t.Fatalf("%d parts", len(out.Parts))
	}
	disputes := leave(ctx)
	if want := (match.Dispute{By: winner.Key.ID(), Of: loser.Key.ID()}); len(disputes) != 1 || disputes[0] != want {
		t.Errorf("%v, want %v", disputes, want)
	}
	if reserved, held := winner.Used(); reserved != 0 || held != 0 {
		t.Errorf("the winner has %d reserved, %d held", reserved, held)
	}
}
