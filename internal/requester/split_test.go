package requester_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match/matchtest"
	"github.com/angler-dex/angler/internal/requester"
)

// splitBench is a client that has won a lease in parts, one at each provider:
// the first has the largest.
type splitBench struct {
	*bench
	at []*matchtest.Provider
}

// newSplit starts providers and has the client win a lease of a part at each,
// as a match would have left it.
func newSplit(t testing.TB, parts int) (*splitBench, requester.Lease) {
	t.Helper()
	m := matchtest.New(t)
	s := &splitBench{}
	for k := range parts {
		s.at = append(s.at, m.Provider(fmt.Sprint("p", k+1), 100, market.Price(10+k)))
	}
	s.bench = newBench(t, m, "asker", s.at...)
	return s, s.win()
}

func (s *splitBench) win() requester.Lease {
	s.TB.Helper()
	var sid [32]byte
	if _, err := rand.Read(sid[:]); err != nil {
		s.TB.Fatal(err)
	}
	ask := market.Ask{Requester: s.r.Key.ID(), Member: true, Class: s.Class(), Policy: market.DefaultPolicy, Duration: time.Hour}
	l := requester.Lease{
		ID: requester.SplitID(sid), SID: sid[:], State: requester.Claiming, Class: ask.Class, Duration: ask.Duration, Policy: ask.Policy,
		Roster: []byte{1}, Created: s.Clock.Now(),
	}
	for k, p := range s.at {
		bid, err := p.Ledger.Hold(sid, ask, time.Minute)
		if err != nil {
			s.TB.Fatal(err)
		}
		row, err := p.Ledger.Win(sid, market.Quantity(20-k), bid.Price)
		if err != nil {
			s.TB.Fatal(err)
		}
		record, err := p.Record()
		if err != nil {
			s.TB.Fatal(err)
		}
		l.Parts = append(l.Parts, requester.Part{
			ID: row.ID, State: requester.Claiming, Quantity: row.Quantity, Price: row.Price, Provider: p.Key.ID(), Record: record,
		})
	}
	if len(l.Parts) == 1 {
		l.ID = l.Parts[0].ID
	}
	if err := s.client.Store.Put(l); err != nil {
		s.TB.Fatal(err)
	}
	return l
}

// rows are the states of the parts to their providers.
func (s *splitBench) rows(l requester.Lease) []market.State {
	var states []market.State
	for k, p := range s.at {
		states = append(states, p.Lease(l.Parts[k].ID).State)
	}
	return states
}

// checkWhole asserts that all parts are active, for both sides.
func (s *splitBench) checkWhole(l requester.Lease) {
	s.TB.Helper()
	s.check(l, requester.Active)
	for k, row := range s.rows(l) {
		if row != market.Active || l.Parts[k].State != requester.Active {
			s.TB.Errorf("part %d is %s, to its provider %s", k+1, l.Parts[k].State, row)
		}
	}
	if text, err := l.Kubeconfig(requester.Access{}); err != nil || strings.Count(string(text), "namespace: ") != len(s.at) {
		s.TB.Errorf("kubeconfig: %v", err)
	}
}

// checkNothing asserts that nothing is left of a lease, once what was never
// confirmed has died.
func (s *splitBench) checkNothing(l requester.Lease, want requester.State) {
	s.TB.Helper()
	s.check(l, want)
	for k, part := range l.Parts {
		if part.Grant != nil || part.State != requester.Released && part.State != requester.Lost {
			s.TB.Errorf("part %d is %s", k+1, part.State)
		}
	}
	s.Clock.Pass(2*time.Minute + market.Grace)
	for k, p := range s.at {
		waitFor(s.TB, fmt.Sprintf("part %d to be over", k+1), func() bool {
			reserved, held := p.Used()
			return reserved == 0 && held == 0 && len(p.Cluster.Leases()) == 0
		})
		p.CheckCapacity()
	}
	if _, err := l.Kubeconfig(requester.Access{}); err == nil {
		s.TB.Error("what is over has a kubeconfig")
	}
}

func TestSplitLease(t *testing.T) {
	matchtest.CheckLeaks(t)
	s, l := newSplit(t, 3)
	l, err := s.client.Claim(s.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	s.checkWhole(l)
	if l.Quantity() != 20+19+18 {
		t.Errorf("%d units", l.Quantity())
	}
	if again, failed := s.client.Claim(s.Context(), l); failed != nil || again.State != requester.Active {
		t.Errorf("claimed again: %v", failed)
	}
	if l, err = s.client.Release(s.Context(), l); err != nil {
		t.Fatal(err)
	}
	if again, err := s.client.Release(s.Context(), l); err != nil || again.State != requester.Released {
		t.Errorf("released again: %v", err)
	}
	s.checkNothing(l, requester.Released)
	checkSecrets(t, s.Market, nil, s.at...)
}

// No part is confirmed before the last grant is stored.
func TestNothingIsConfirmedBeforeAllIsGranted(t *testing.T) {
	matchtest.CheckLeaks(t)
	s, l := newSplit(t, 3)
	s.at[2].Cluster.After(func(context.Context, matchtest.Op, string) error {
		waitFor(t, "the others' grants", func() bool {
			rows := s.rows(l)
			return rows[0] == market.Provisional && rows[1] == market.Provisional
		})
		return nil
	})
	stored := false
	s.client.Store.Tamper(func(write func() error) error {
		if !stored {
			if rows := s.rows(l); slices.Contains(rows, market.Active) {
				t.Errorf("before the grants are stored the parts are %v", rows)
			}
		}
		stored = true
		return write()
	})
	l, err := s.client.Claim(s.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	s.checkWhole(l)
}

// If one part is not provided, whatever its provider does in place of it, the
// others are given back.
func TestOnePartFails(t *testing.T) {
	for name, spoil := range map[string]func(s *splitBench, l requester.Lease){
		"the cluster refuses": func(s *splitBench, _ requester.Lease) {
			s.at[1].Cluster.Before(func(_ context.Context, op matchtest.Op, _ string) error {
				if op == matchtest.Provision {
					return matchtest.ErrRefused
				}
				return nil
			})
		},
		"another deal than was agreed": func(s *splitBench, l requester.Lease) {
			l.Parts[1].Price++
			put(s.bench, l)
		},
		"nobody has it": func(s *splitBench, l requester.Lease) {
			if err := s.at[1].Match.End(s.Context(), l.Parts[1].ID, "test"); err != nil {
				s.TB.Fatal(err)
			}
		},
		"it is torn down when all is granted": func(s *splitBench, l requester.Lease) {
			var once sync.Once
			s.client.Store.Tamper(func(write func() error) error {
				err := write()
				once.Do(func() { // the first write says that all is granted
					if failed := s.at[1].Match.End(s.Context(), l.Parts[1].ID, "test"); failed != nil {
						s.TB.Error(failed)
					}
				})
				return err
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			matchtest.CheckLeaks(t)
			s, l := newSplit(t, 3)
			spoil(s, l)
			l, err := s.client.Claim(s.Context(), l)
			failure, ok := errors.AsType[*requester.ProvisionError](err)
			if !ok || failure.Winners != 3 || !slices.Equal(failure.Providers, []identity.PeerID{s.at[1].Key.ID()}) {
				t.Errorf("error %v", err)
			}
			if l.Reason == "" || l.Parts[1].Reason == "" || l.Parts[0].Reason != "" {
				t.Errorf("lost because %q, the part because %q", l.Reason, l.Parts[1].Reason)
			}
			s.checkNothing(l, requester.Lost)
		})
	}
}

// While a provider cannot be reached the lease may be claimed again; within two
// minutes it becomes whole.
func TestPartIsAway(t *testing.T) {
	matchtest.CheckLeaks(t)
	s, l := newSplit(t, 3)
	s.at[2].Stop()
	s.client.Patience.Connect = atOnce
	l, err := s.client.Claim(s.Context(), l)
	if failure, ok := errors.AsType[*requester.ProvisionError](err); !ok || !slices.Equal(failure.Providers, []identity.PeerID{s.at[2].Key.ID()}) {
		t.Fatalf("error %v", err)
	}
	s.check(l, requester.Claiming)
	if rows := s.rows(l)[:2]; !slices.Equal(rows, []market.State{market.Provisional, market.Provisional}) {
		t.Errorf("the others are %v", rows)
	}
	s.at[2].Start()
	s.client.Patience = s.Patience
	if l, err = s.client.Claim(s.Context(), s.stored()); err != nil {
		t.Fatal(err)
	}
	s.checkWhole(l)
}

// A release that does not reach all providers says so and is taken up again.
func TestPartialRelease(t *testing.T) {
	matchtest.CheckLeaks(t)
	s, l := newSplit(t, 3)
	l, err := s.client.Claim(s.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	s.at[0].Stop()
	s.client.Patience.Connect = atOnce
	l, err = s.client.Release(s.Context(), l)
	if err == nil || !strings.Contains(err.Error(), s.at[0].Key.ID().Short()) || strings.Contains(err.Error(), s.at[1].Key.ID().Short()) {
		t.Errorf("error %v", err)
	}
	s.check(l, requester.Releasing)
	if l.Parts[0].State != requester.Active || l.Parts[1].State != requester.Released || l.Parts[1].Grant != nil {
		t.Errorf("parts are %v", l.Parts)
	}
	s.at[0].Start()
	s.client.Patience = s.Patience
	s.restart()
	if l, err = s.client.Release(s.Context(), s.stored()); err != nil {
		t.Fatal(err)
	}
	s.checkNothing(l, requester.Released)
}

// A provider that takes forever over its part holds nobody up: when one is known
// to have failed, the rest is given back.
func TestHastyWithTheRest(t *testing.T) {
	matchtest.CheckLeaks(t)
	s, l := newSplit(t, 3)
	begun, known := make(chan struct{}), make(chan struct{})
	s.at[0].Cluster.Before(func(_ context.Context, op matchtest.Op, _ string) error {
		if op == matchtest.Provision {
			close(begun)
			<-known
		}
		return nil
	})
	s.at[1].Cluster.Before(func(_ context.Context, op matchtest.Op, _ string) error {
		if op == matchtest.Provision {
			<-begun
			return matchtest.ErrRefused
		}
		return nil
	})
	var once sync.Once
	s.client.Store.Tamper(func(write func() error) error {
		once.Do(func() { close(known) })
		return write()
	})
	l, err := s.client.Claim(s.Context(), l)
	if failure, ok := errors.AsType[*requester.ProvisionError](err); !ok || !slices.Equal(failure.Providers, []identity.PeerID{s.at[1].Key.ID()}) {
		t.Errorf("error %v", err)
	}
	s.checkNothing(l, requester.Lost)
}
