package match_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match"
	"github.com/angler-dex/angler/internal/match/matchtest"
	"github.com/angler-dex/angler/internal/mesh"
)

// "50 one-unit requests at once with --wait at a provider with room for 20:
// exactly 20 leases, 30 clean failures, never more than 20 reserved." A request
// that waits tries again for as long as there may be room, and gives up cleanly.
func TestBurst(t *testing.T) {
	t.Run("a unit a match", func(t *testing.T) { burst(t, 1) })
	t.Run("all that there is", func(t *testing.T) { burst(t, 0) }) // others find none meanwhile, and wait
}

func burst(t *testing.T, perMatch market.Quantity) {
	t.Helper()
	requests, room := 50, market.Quantity(20)
	if testing.Short() {
		requests, room = 10, 4
	}
	matchtest.CheckLeaks(t)
	m := matchtest.New(t)
	p := m.NewProvider("p")
	p.Start()
	offer := market.Offer{Name: "offer", Unit: m.Class(), Ceiling: room, PerMatch: perMatch, Price: 10}
	if err := p.Ledger.PutOffer(offer); err != nil {
		t.Fatal(err)
	}
	ctx := m.Context()
	most, stop := watchReserved(ctx, p)
	defer stop()
	var leases, failures atomic.Int64
	var all sync.WaitGroup
	for n := range requests {
		r := m.Requester(fmt.Sprint("asker-", n))
		all.Go(func() {
			won, err := waitFor1(ctx, m, r, p, func() bool { return leases.Load() >= int64(room) })
			switch {
			case err != nil:
				t.Errorf("%s: %v", r.Name, err)
			case won:
				leases.Add(1)
			default:
				failures.Add(1)
			}
		})
	}
	all.Wait()
	stop()
	if leases.Load() != int64(room) || failures.Load() != int64(requests)-int64(room) {
		t.Errorf("%d leases and %d clean failures, of %d requests for %d units", leases.Load(), failures.Load(), requests, room)
	}
	if most() > room {
		t.Errorf("%d units were reserved or held at once, of %d", most(), room)
	}
	if reserved, held := p.Used(); reserved != room || held != 0 {
		t.Errorf("%d units reserved, %d held", reserved, held)
	}
	if n := len(p.Cluster.Leases()); n != int(room) {
		t.Errorf("%d namespaces for %d leases", n, room)
	}
	p.CheckCapacity()
}

// watchReserved looks again and again how many units are reserved and held, until
// it is told to stop.
func watchReserved(ctx context.Context, p *matchtest.Provider) (most func() market.Quantity, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var peak atomic.Uint32
	var watching sync.WaitGroup
	watching.Go(func() {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			u := p.Ledger.Usage() // one look at both
			taken, err := u.Reserved.Plus(u.Held)
			if err == nil {
				peak.Store(max(peak.Load(), uint32(taken["cpu"]/1000)))
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	})
	return func() market.Quantity { return market.Quantity(peak.Load()) }, sync.OnceFunc(func() {
		cancel()
		watching.Wait()
	})
}

// waitFor1 is a request for one unit that waits: it plays until it wins and has
// its lease, or until a match that began when all was gone finds nothing.
func waitFor1(ctx context.Context, m *matchtest.Market, r *matchtest.Requester, p *matchtest.Provider, gone func() bool) (won bool, err error) {
	req := m.Request(1, 20)
	for {
		late := gone()
		out, err := play(m.TB, m, r, req, p)
		switch {
		case err != nil && ctx.Err() != nil:
			return false, err
		case err == nil && out.Matched():
			return true, r.Over(ctx, p, func(link *mesh.Link) error {
				d := deal(r, req, out)
				g, claimErr := match.ClaimLease(ctx, link, d, m.Clock.Now)
				if claimErr != nil {
					return claimErr
				}
				return match.ConfirmLease(ctx, link, d.Lease, match.SignReceipt(r.Key, g.Receipt))
			})
		case late && err == nil:
			return false, nil
		}
		select {
		case <-time.After(rand.N(100 * time.Millisecond)): // as a request does, with jitter
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
}
