package dht

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"

	"golang.org/x/sync/errgroup"
)

// walksAtOnce bounds the walks that one Lookup has in flight.
const walksAtOnce = 8

// errEnough ends a Lookup whose caller has what it wants.
var errEnough = errors.New("enough found")

// Lookup looks for those who announced themselves under any of the keys and
// calls found with each address once, as soon as a node tells it. Calls to
// found do not overlap, and the lookup waits for them, so found should hand the
// address on rather than dial it; when it returns false, the lookup ends. The
// result is the union over the keys and over the independent paths of each
// walk, and over what this node stores itself.
//
// It returns nil when the search is over, whatever it found, the context's
// error when that ended first, and an error that wraps ErrNoBootstrap when no
// node answered (unless this is the first node of its network). Addresses are
// hints from strangers: whoever stands behind one must prove who it is.
func (n *Node) Lookup(ctx context.Context, keys []Key, found func(netip.AddrPort) bool) error {
	if err := n.serving(ctx); err != nil {
		return err
	}
	outer := ctx
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)

	var mu sync.Mutex
	told := make(map[netip.AddrPort]bool)
	tell := func(peers []netip.AddrPort) {
		mu.Lock()
		defer mu.Unlock()
		for _, p := range peers {
			if ctx.Err() != nil {
				return
			}
			if usable(p, false) && !told[p] {
				told[p] = true
				if !found(p) {
					cancel(errEnough)
				}
			}
		}
	}

	var group errgroup.Group
	group.SetLimit(walksAtOnce)
	var answered int
	var lonely error
	asked := make(map[Key]bool)
	for _, key := range keys {
		if asked[key] {
			continue
		}
		asked[key] = true
		group.Go(func() error {
			tell(n.store.sample(key, n.cfg.Limits.PerKey))
			_, err := n.walk(ctx, key, "get_peers", tell)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil, errors.Is(err, ErrNoBootstrap) && n.founds():
				answered++
				return nil
			case errors.Is(err, ErrNoBootstrap):
				lonely = err
				return nil
			}
			return err
		})
	}
	err := group.Wait()
	switch {
	case errors.Is(context.Cause(ctx), errEnough):
		return nil
	case outer.Err() != nil:
		return outer.Err()
	case err != nil:
		return fmt.Errorf("lookup: %w", err)
	case answered == 0 && lonely != nil:
		return fmt.Errorf("lookup: %w", lonely)
	}
	return nil
}
