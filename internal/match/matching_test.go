package match

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/identity"
)

// No requester takes all places of a provider: the last are for others, and what
// one gives free is for itself or for anybody.
func TestSharesOfTheMatches(t *testing.T) {
	p := NewProvider(ProviderConfig{Matches: 6, Each: 2, Patience: Patience{Slot: time.Millisecond}})
	ann, bob := identity.PeerID{1}, identity.PeerID{2}
	ctx := t.Context()
	take := func(who identity.PeerID) func() {
		t.Helper()
		vacate, err := p.occupy(ctx, who)
		if err != nil {
			t.Fatal(err)
		}
		return vacate
	}
	first, second := take(ann), take(ann)
	if _, err := p.occupy(ctx, ann); !errors.Is(err, errShare) {
		t.Errorf("a third place: %v", err)
	}
	third := take(bob)
	if p.Matching() != 3 {
		t.Errorf("%d places are taken", p.Matching())
	}
	first()
	first() // the last words of a match call it again
	first = take(ann)
	rest := []func(){take(identity.PeerID{3}), take(identity.PeerID{4}), take(identity.PeerID{5})}
	if _, err := p.occupy(ctx, identity.PeerID{6}); !errors.Is(err, errBusy) {
		t.Errorf("a place beyond all: %v", err)
	}
	for _, vacate := range append(rest, first, second, third) {
		vacate()
	}
	if p.Matching() != 0 || len(p.shares.of) != 0 {
		t.Errorf("%d places and %d requesters are left", p.Matching(), len(p.shares.of))
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	vacate := take(ann)
	again := take(ann)
	if _, err := p.occupy(gone, ann); err == nil {
		t.Error("a place for somebody who has gone")
	}
	vacate()
	again()
	if len(p.shares.of) != 0 {
		t.Error("somebody who has gone is remembered")
	}
	for matches, each := range map[int]int{0: 2, 1: 2, 4: 2, 8: 4} {
		if got := NewProvider(ProviderConfig{Matches: matches}).shares.each; got != each {
			t.Errorf("of %d matches %d are one requester's, want %d", matches, got, each)
		}
	}
}
