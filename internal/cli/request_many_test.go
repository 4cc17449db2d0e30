package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match/matchtest"
	"github.com/angler-dex/angler/internal/requester"
)

// Many jobs of a CI ask at once, and wait, for what has room for some of them: as many leases as there is room, clean failures
// of the others, and never more reserved than there is. The one that is given back meanwhile goes to one that waits.
func TestManyWaitAtOnce(t *testing.T) {
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	const room, jobs = 4, 12
	p := m.Provider("p", room, 10)
	var mu sync.Mutex
	var won []requester.Lease
	var givenBack bool
	var others []error
	var all sync.WaitGroup
	for n := range jobs {
		r := m.Requester(fmt.Sprint("job", n))
		store, err := requester.OpenStore(filepath.Join(t.TempDir(), "leases"))
		if err != nil {
			t.Fatal(err)
		}
		c := &requester.Client{
			Key: r.Key, Mesh: r.Node, Finder: requester.Fixed{p.Wire.Addr()}, Pool: m.Pool, Membership: &r.Membership, Store: store,
			Rand: rand.Reader, Now: m.Clock.Now, Log: m.Log.For(r.Name), Patience: m.Patience,
		}
		a := newApp(IOStreams{Out: io.Discard, Err: io.Discard})
		a.talk.quiet = true
		all.Go(func() {
			l, err := a.tryUntil(m.Context(), 12*time.Second, func(ctx context.Context) (requester.Lease, error) {
				return c.Request(ctx, m.Request(1, 100), requester.Bounds{Deadline: time.Minute})
			})
			mu.Lock()
			defer mu.Unlock()
			if reserved, held := p.Used(); reserved+held > room {
				t.Errorf("%d units are reserved and %d held of %d", reserved, held, room)
			}
			if err != nil {
				others = append(others, err)
				return
			}
			won = append(won, l)
			if !givenBack { // the first is soon done
				givenBack = true
				if _, err := c.Release(m.Context(), l); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if len(won) != room+1 || len(others) != jobs-room-1 {
		t.Errorf("%d leases, %d failures", len(won), len(others))
	}
	for _, err := range others {
		if !errors.Is(err, requester.ErrNoFit) {
			t.Errorf("a failure that is not clean: %v", err)
		}
	}
	if reserved, held := p.Used(); reserved != room || held != 0 {
		t.Errorf("in the end %d units are reserved, %d held", reserved, held)
	}
	for _, row := range p.Ledger.Leases() {
		if row.State != market.Active && row.State != market.Released {
			t.Errorf("a lease is %s", row.State)
		}
	}
	p.CheckCapacity()
}
