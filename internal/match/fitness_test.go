package match_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/match"
	"github.com/angler-dex/angler/internal/match/matchtest"
	"github.com/angler-dex/angler/internal/mesh"
)

// A provider whose cluster fails takes part and enters nothing, so that others
// win; once the cluster answers, it wins again.
func TestUnfitProviderEntersNothing(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	cheap, dear := m.Provider("cheap", 40, 100), m.Provider("dear", 40, 900)
	r := m.Requester("asker")
	req := m.Request(8, 1000)

	cheap.Cluster.Before(func(context.Context, matchtest.Op, string) error { return matchtest.ErrRefused })
	first := mustPlay(t, m, r, req, cheap, dear)
	if first.Parts[0].Member.ID != cheap.Key.ID() {
		t.Fatal("the cheaper one did not win")
	}
	err := r.Over(m.Context(), cheap, func(link *mesh.Link) error {
		_, err := match.ClaimLease(m.Context(), link, deal(r, req, first), m.Clock.Now)
		return err
	})
	if _, refused := errors.AsType[*match.RefusedError](err); !refused {
		t.Fatalf("claim at a cluster that refuses: %v", err)
	}
	if out := mustPlay(t, m, r, req, cheap, dear); out.Parts[0].Member.ID != dear.Key.ID() {
		t.Error("a provider whose cluster refuses won again")
	}

	cheap.Cluster.Before(nil)
	limit, cancel := context.WithTimeout(m.Context(), 30*time.Second)
	defer cancel()
	won := func(out match.Outcome) bool { return out.Matched() && out.Parts[0].Member.ID == cheap.Key.ID() }
	for !won(mustPlay(t, m, r, req, cheap, dear)) { // the other one is full some day
		if limit.Err() != nil {
			t.Fatal("it never came back")
		}
	}
}
