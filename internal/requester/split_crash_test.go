package requester_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match/matchtest"
	"github.com/angler-dex/angler/internal/requester"
)

// death is how a requester dies in a test: at its nth write, which still
// happens or does not. From then on nothing that it does reaches anybody.
type death struct {
	at      int
	written bool
}

var errDead = errors.New("the requester is dead")

// dies arms the bench.
func (s *splitBench) dies(d death) (died func() bool) {
	writes, dead := 0, false
	s.client.Store.Tamper(func(write func() error) error {
		if dead {
			return errDead
		}
		writes++
		if writes != d.at {
			return write()
		}
		dead = true
		if d.written {
			if err := write(); err != nil {
				s.TB.Error(err)
			}
		}
		s.r.Stop() // every link is closed
		return errDead
	})
	return func() bool { return dead }
}

// A requester that is killed between any two writes of a claim, or of a release,
// finds a lease that is whole or that nothing is left of when it goes on, be it
// at once or when what was not confirmed has died.
func TestRequesterDies(t *testing.T) {
	moments := []bool{false, true}
	if testing.Short() {
		moments = moments[:1]
	}
	for _, late := range moments {
		for _, spoilt := range []bool{false, true} {
			for at := 1; ; at++ {
				alive := false
				for _, written := range []bool{false, true} {
					name := fmt.Sprintf("late %v, one fails %v, write %d, written %v", late, spoilt, at, written)
					t.Run(name, func(t *testing.T) { alive = !dieAt(t, death{at: at, written: written}, late, spoilt) })
				}
				if alive || t.Failed() {
					break
				}
			}
		}
	}
}

// dieAt claims and releases a lease of three parts, dies in between, and goes on.
func dieAt(t *testing.T, d death, late, spoilt bool) bool {
	matchtest.CheckLeaks(t)
	s, l := newSplit(t, 3)
	if spoilt {
		s.at[1].Cluster.After(refuseToProvision)
	}
	s.client.Patience.Connect = soon
	died := s.dies(d)
	l, err := s.client.Claim(s.Context(), l)
	if err == nil {
		_, err = s.client.Release(s.Context(), l)
	}
	if !died() {
		if spoilt == (err == nil) {
			t.Errorf("undisturbed: %v", err)
		}
		return false
	}
	if !errors.Is(err, errDead) {
		t.Errorf("error %v", err)
	}
	s.restart()
	s.client.Patience = s.Patience
	if late {
		polls := 0
		waitFor(t, "what is due to have ended", func() bool {
			if polls%200 == 0 && polls < 1000 { // a claim under way may be granted only now
				s.Clock.Pass(3*time.Minute + market.Grace)
			}
			polls++
			return !slices.ContainsFunc(s.rows(l), func(row market.State) bool { return !row.Terminal() && row != market.Active })
		})
	}
	l, err = s.client.Claim(s.Context(), s.stored())
	switch l.State {
	case requester.Active:
		if err != nil || spoilt {
			t.Errorf("active, error %v", err)
		}
		s.checkWhole(l)
		if l, err = s.client.Release(s.Context(), l); err != nil {
			t.Fatal(err)
		}
		s.checkNothing(l, requester.Released)
	case requester.Lost:
		if !late && !spoilt {
			t.Errorf("lost in time: %v", err)
		}
		s.checkNothing(l, requester.Lost)
	case requester.Releasing, requester.Released:
		end := requester.Released
		if l.Reason != "" {
			end = requester.Lost
		}
		if l, err = s.client.Release(s.Context(), l); err != nil {
			t.Fatal(err)
		}
		s.checkNothing(l, end)
	default:
		t.Errorf("it is %s: %v", l.State, err)
	}
	return true
}
