package requester

import (
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/k8s"
	"github.com/angler-dex/angler/internal/market"
)

func TestExpire(t *testing.T) {
	s := testStore(t)
	for _, state := range []State{Granted, Active, Releasing, Claiming, Released, Lost, Expired} {
		l := testSplit(1)
		l.State = state
		end := l.Created.Add(time.Hour)
		for k := range l.Parts {
			p := &l.Parts[k]
			p.State, p.Expires, p.Receipt, p.Grant = state, end.Add(-time.Duration(k)*time.Minute), []byte("r"), &k8s.Grant{Token: "t"}
			if state == Releasing {
				p.State = []State{Released, Active, Active}[k]
			}
		}
		if err := s.Put(l); err != nil {
			t.Fatal(err)
		}
		if _, _, ok, err := s.Expire(l, end.Add(market.Grace-time.Second)); ok || err != nil {
			t.Errorf("%s: over before its time, error %v", state, err)
		}
		got, kept, ok, err := s.Expire(l, end.Add(market.Grace))
		want := state == Granted || state == Active || state == Releasing
		if err != nil || ok != want || ok && got.State != Expired {
			t.Errorf("%s: expired %v, %s, error %v", state, ok, got.State, err)
		}
		if n := map[State]int{Active: 3, Releasing: 2}[state]; len(kept) != n {
			t.Errorf("%s: %d have kept their word, want %d", state, len(kept), n)
		}
		if l.Parts[1].Grant == nil {
			t.Error("the lease that was given has changed")
		}
		if !ok {
			continue
		}
		stored, err := s.Get(l.ID.String())
		if err != nil || stored.State != Expired || stored.Parts[1].Grant != nil {
			t.Errorf("%s: stored %v, error %v", state, stored, err)
		}
	}
}
