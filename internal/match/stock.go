package match

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/mesh"
	"github.com/angler-dex/angler/internal/spare"
)

// Providers of a pool that have met in a roster keep a link and a spare set between
// them, so that their next match has no base OTs among providers, whatever became of
// the sets that earlier ones minted. The lower identity of a pair sees to it: when it
// has nothing else to do and has no set for the other, or not asked for long whether
// the other has its half, it opens a stream on which the two compare what they have
// and, if they have none in common, make one (stock_make.go).
//
// It is a cache: whatever goes wrong costs a set that is not there. What a peer
// may cost us is bounded: strangers are refused unheard, an acquaintance gets base OTs
// made once in stockPause, one at a time, and one with all of them.

// Bounds of the stock.
const (
	maxAcquaintances = 64
	stockEvery       = 2 * time.Second  // between two looks at who lacks a set
	stockPause       = 10 * time.Second // between two sets for one peer, and after the first failure
	stockCheck       = 10 * time.Minute // after which the other end is asked again, and at most between failures
	stockFor         = 24 * time.Hour   // after the last roster with it a peer is forgotten
	stockWithin      = 10 * time.Second // for one exchange
)

// stock is a provider's part in keeping sets with its acquaintances.
type stock struct {
	self   identity.PeerID
	pool   *identity.Pool
	node   *mesh.Node
	spares *spare.Store
	rand   io.Reader
	clock  market.Clock
	log    *slog.Logger
	idle   func() bool
	every  time.Duration
	pause  time.Duration
	one    chan struct{} // the token of whoever makes a set

	mu  sync.Mutex
	met map[identity.PeerID]*acquaintance
}

// acquaintance is an operator of our pool that was in a roster with us. Times are of the
// boot-time clock.
type acquaintance struct {
	record identity.Record
	seen   time.Duration // when its last roster came
	asked  time.Duration // until when it need not be asked whether it has its half, 0 after a match
	wait   time.Duration // after the last failure
	not    time.Duration // no set is made before that
	busy   bool          // one is being made for it
}

// newStock returns the stock of a provider, nil if it keeps none: outside a pool
// anybody could have sets made, and without a store there is no place for them.
func newStock(p *Provider) *stock {
	if p.Pool == nil || p.Spares == nil || p.Mesh == nil {
		return nil
	}
	return &stock{
		self: p.Key.ID(), pool: p.Pool, node: p.Mesh, spares: p.Spares, rand: p.Rand, clock: p.Clock, log: p.Log,
		idle: func() bool { return len(p.slots) == 0 }, every: stockEvery, pause: stockPause,
		one: make(chan struct{}, 1), met: map[identity.PeerID]*acquaintance{},
	}
}

// meet notes the other providers of a roster, whose records it has checked.
func (k *stock) meet(seat *Seat) {
	if k == nil {
		return
	}
	now := k.clock().Since
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, r := range seat.Records {
		if r.ID == k.self {
			continue
		}
		a := k.met[r.ID]
		if a == nil {
			a = &acquaintance{}
			k.met[r.ID] = a
		}
		a.record, a.seen, a.asked, a.wait = r, now, 0, 0
	}
	for len(k.met) > maxAcquaintances {
		var oldest identity.PeerID
		for id, a := range k.met {
			if oldest.IsZero() || cmp.Or(cmp.Compare(a.seen, k.met[oldest].seen), id.Compare(oldest)) < 0 {
				oldest = id
			}
		}
		delete(k.met, oldest)
	}
}

// run keeps the stock until ctx ends.
func (k *stock) run(ctx context.Context) {
	if k == nil || k.every <= 0 {
		return
	}
	tick := time.NewTicker(k.every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		for _, id := range k.wanting() {
			if ctx.Err() != nil || !k.idle() {
				break
			}
			k.tend(ctx, id)
		}
	}
}

// wanting lists whom a set is to be made with, or who is to be asked, or to whom there is no
// link any more, and forgets those that were not met for long.
func (k *stock) wanting() []identity.PeerID {
	have, err := k.spares.Peers()
	if err != nil {
		k.log.Warn("spare sets cannot be listed", "err", err)
		return nil
	}
	linked := map[identity.PeerID]bool{}
	for _, l := range k.node.Links() {
		linked[l.Peer()] = true
	}
	now := k.clock().Since
	k.mu.Lock()
	defer k.mu.Unlock()
	var ids []identity.PeerID
	for id, a := range k.met {
		switch {
		case now-a.seen > stockFor && !a.busy:
			delete(k.met, id)
		case k.self.Compare(id) < 0 && now >= a.not && (have[id] == 0 || now >= a.asked || !linked[id]):
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, identity.PeerID.Compare)
	return ids
}

// tend sees to one acquaintance. Its link stays, whatever comes of it.
func (k *stock) tend(ctx context.Context, id identity.PeerID) {
	a, done := k.begin(id)
	if a == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, stockWithin)
	defer cancel()
	err := k.ask(ctx, id, a.Addrs)
	if err != nil {
		k.log.Debug("no spare set made", "peer", id.Short(), "err", err)
	}
	done(err == nil)
}

// begin claims an acquaintance and the right to make a set with it, unless a set is being
// made already or it is too early for another; nil then.
func (k *stock) begin(id identity.PeerID) (_ *identity.Record, done func(ok bool)) {
	now := k.clock()
	k.mu.Lock()
	defer k.mu.Unlock()
	a := k.met[id]
	if a == nil || a.busy || now.Since < a.not || a.record.Membership == nil || k.pool.Verify(*a.record.Membership, id, identity.RoleOperator, now.Wall) != nil {
		return nil, nil
	}
	select {
	case k.one <- struct{}{}:
	default:
		return nil, nil
	}
	a.busy = true
	record := a.record
	return &record, func(ok bool) {
		<-k.one
		now := k.clock().Since
		k.mu.Lock()
		defer k.mu.Unlock()
		a.busy = false
		if ok {
			a.wait, a.not, a.asked = 0, now+k.pause, now+stockCheck
			return
		}
		a.wait = min(max(2*a.wait, k.pause), stockCheck)
		a.not = now + a.wait
	}
}
