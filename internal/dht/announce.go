package dht

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	replicas      = 8                      // nodes that take an announcement, at least
	replicasMost  = 64                     // at most, where a crowd of nodes has gathered at the key
	announceAlpha = 4                      // keys announced at the same time
	announceLimit = 30 * time.Second       // for one announcement
	keysEvery     = 500 * time.Millisecond // how often KeepAnnounced looks at its keys
	failedMin     = 2 * time.Second        // until the next try after a failure,
	failedMax     = time.Minute            // doubled up to this
)

// warmUp are the waits after the first announcements of a key. A network that
// is just growing has new nearest nodes soon.
var warmUp = []time.Duration{15 * time.Second, time.Minute}

var errNotTaken = errors.New("no node took the announcement")

// announced is what Stats tells about announcements.
type announced struct {
	mu    sync.Mutex
	keys  int
	last  time.Time
	nodes int
}

// Announce says, to the 8 nodes nearest to the key that take it, that this
// node's address offers something under the key at the given port (the QUIC
// port, always told explicitly). A node that is itself among the nearest keeps
// the announcement too. It returns an error when nobody took it.
func (n *Node) Announce(ctx context.Context, key Key, port int) error {
	if port < 1 || port > 65535 {
		return fmt.Errorf("announce: port %d is not in 1 … 65535", port)
	}
	if err := n.serving(ctx); err != nil {
		return err
	}
	taken, lonely := 0, error(nil)
	for _, s := range n.sides { // one after the other: most nodes have one
		answers, err := n.walk(ctx, s, key, "get_peers", nil)
		if err != nil && !errors.Is(err, ErrNoBootstrap) {
			return fmt.Errorf("announce: %w", err)
		}
		lonely = errors.Join(lonely, err)
		taken += n.announceTo(ctx, s, answers, key, port)
		if n.keepOwn(s, answers, key, port) {
			taken++
		}
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case taken == 0 && lonely != nil:
		return fmt.Errorf("announce: %w", lonely)
	case taken == 0:
		return fmt.Errorf("announce: %w", errNotTaken)
	}
	n.announced.mu.Lock()
	defer n.announced.mu.Unlock()
	n.announced.last, n.announced.nodes = n.cfg.Now(), taken
	return nil
}

// announceTo tells the nearest nodes that gave a token, and the next ones in
// place of those that refuse, until replicas have taken it, and so have all
// within the distance in which that many nodes are expected: where more have
// gathered, the others are told too, and before the crowd. Liars are told, but
// do not count.
func (n *Node) announceTo(ctx context.Context, s *side, to []answer, key Key, port int) int {
	reach := s.table.reach(replicas)
	within := countFunc(to, func(a answer) bool {
		d := key.distance(a.id)
		return a.hasToken && bytes.Compare(d[:], reach[:]) < 0
	})
	to = spread(to, key, func(a answer) Key { return a.id }, s.table.density())
	most := max(replicas, within)
	var mu sync.Mutex
	taken, told := 0, 0
	for len(to) > 0 && taken < most && told < replicasMost && ctx.Err() == nil {
		var group errgroup.Group
		batch := min(most-taken, replicasMost-told)
		for batch > 0 && len(to) > 0 {
			a := to[0]
			to = to[1:]
			if !a.hasToken {
				continue
			}
			batch--
			told++
			group.Go(func() error {
				_, err := n.ask(ctx, a.addr, message{method: "announce_peer", infoHash: key, port: int64(port), token: a.token})
				if err != nil {
					n.cfg.Log.Debug("announcement not taken", "err", err)
					return nil
				}
				mu.Lock()
				defer mu.Unlock()
				if !n.liars.has(a.addr) {
					taken++
				}
				return nil
			})
		}
		_ = group.Wait() // the functions return no errors
	}
	return taken
}

// keepOwn stores our own announcement here if we are among the nearest.
func (n *Node) keepOwn(s *side, answers []answer, key Key, port int) bool {
	ip, ok := n.ownIP(s)
	if !ok || n.cfg.Passive || len(answers) >= replicas && nearer(key, answers[replicas-1].id, s.ID()) < 0 {
		return false
	}
	return n.store.add(key, netip.AddrPortFrom(ip, uint16(port)))
}

// KeepAnnounced announces the keys and keeps them announced until ctx ends,
// whose error it returns: again soon after the first time, then about every
// Config.Reannounce, each wait drawn anew, so that announcements do not come
// in step; sooner after a failure. keys is called about twice a second; a new
// key is announced at once, one that is gone is left to expire.
func (n *Node) KeepAnnounced(ctx context.Context, keys func() []Key, port int) error {
	plan := make(map[Key]*turn)
	for {
		current := make(map[Key]*turn)
		for _, key := range keys() {
			if current[key] = plan[key]; plan[key] == nil {
				current[key] = &turn{at: n.cfg.Now()}
			}
		}
		plan = current
		n.announced.mu.Lock()
		n.announced.keys = len(plan)
		n.announced.mu.Unlock()

		var group errgroup.Group
		group.SetLimit(announceAlpha)
		for key, t := range plan {
			if !n.cfg.Now().Before(t.at) {
				group.Go(func() error {
					limited, cancel := context.WithTimeout(ctx, announceLimit)
					defer cancel()
					err := n.Announce(limited, key, port)
					if err != nil && ctx.Err() == nil {
						n.cfg.Log.Warn("announcing failed, will try again", "key", key, "err", err)
					}
					t.next(n, err == nil)
					return nil
				})
			}
		}
		_ = group.Wait() // the functions return no errors
		if isClosed(n.stopping) {
			return ErrStopped
		}
		if !pause(ctx, keysEvery) {
			return ctx.Err()
		}
	}
}

// turn is when a key is announced next.
type turn struct {
	at             time.Time
	done, failures int
}

func (t *turn) next(n *Node, ok bool) {
	wait := n.cfg.Reannounce
	switch {
	case !ok:
		wait = min(failedMin<<min(t.failures, 10), failedMax, wait)
		t.failures++
	case t.done < len(warmUp):
		wait = min(warmUp[t.done], wait)
	}
	if ok {
		t.done++
		t.failures = 0
	}
	t.at = n.cfg.Now().Add(n.dice.around(wait))
}
