package dht

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	joinRetryMin = time.Second      // after a round in which nobody answered
	joinRetryMax = 30 * time.Second // doubled up to this
	greetEvery   = time.Minute      // the bootstrap nodes, so that a restarted one learns of us
	resolveLimit = 5 * time.Second  // for all bootstrap names
	joinPings    = 32               // pings at the same time
	fewNodes     = 8                // with fewer, bootstrap and saved nodes are asked too
)

// refreshAfter are the waits between walks to the node's own neighbourhood:
// soon after joining, when others are still joining too, then rarely.
var refreshAfter = []time.Duration{3 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute}

// joining is what is known about the way into the network.
type joining struct {
	ready   chan struct{} // closed when the node has joined
	decided chan struct{} // closed when the first round has ended
	// closed when the node has looked at its own neighbourhood, or given up
	surveyed chan struct{}

	mu        sync.Mutex
	bootstrap []netip.AddrPort // as last resolved
	saved     []contact        // from the last run; those that failed are dropped
	err       error            // why the last round failed
	deserted  error            // why no bootstrap node is there, if none was in the last round
	founder   bool             // a bootstrap node itself, or without any: may be alone
}

func newJoining() joining {
	return joining{ready: make(chan struct{}), decided: make(chan struct{}), surveyed: make(chan struct{})}
}

// Ready waits until the node has joined the network or has tried to. It
// returns nil if any bootstrap or remembered node has ever answered, or if
// this node founds the network; otherwise the verdict of the last attempt, an
// error that wraps ErrNoBootstrap. Run goes on trying all the same.
func (n *Node) Ready(ctx context.Context) error {
	select {
	case <-n.joining.decided:
	case <-n.stopping:
		return ErrStopped
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-n.joining.ready:
		return nil
	default:
		n.joining.mu.Lock()
		defer n.joining.mu.Unlock()
		return n.joining.err
	}
}

// decide records the end of an attempt: err is nil when the node has joined.
func (j *joining) decide(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.err = err
	if err == nil && !isClosed(j.ready) {
		close(j.ready)
	}
	if !isClosed(j.decided) {
		close(j.decided)
	}
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// keepJoined joins, tries again while nobody answers, and greets the bootstrap
// nodes from then on. Non-passive nodes also walk to their own neighbourhood.
func (n *Node) keepJoined(ctx context.Context) {
	retry, refreshed := joinRetryMin, 0
	var greet, refresh time.Time
	for {
		wait := retry
		if now := n.cfg.Now(); !isClosed(n.joining.ready) || !now.Before(greet) {
			n.joinRound(ctx)
			if !isClosed(n.joining.surveyed) {
				if n.cfg.Passive && isClosed(n.joining.ready) {
					n.survey(ctx)
				}
				close(n.joining.surveyed)
			}
			greet = now.Add(n.dice.around(greetEvery))
			retry = min(2*retry, joinRetryMax)
		}
		if isClosed(n.joining.ready) {
			retry, wait = joinRetryMin, joinRetryMin
			switch now := n.cfg.Now(); {
			case n.cfg.Passive:
			case refresh.IsZero():
				refresh = now.Add(n.dice.around(refreshAfter[0]))
			case !now.Before(refresh):
				n.refreshTable(ctx)
				refreshed = min(refreshed+1, len(refreshAfter)-1)
				refresh = now.Add(n.dice.around(refreshAfter[refreshed]))
			}
		}
		select { // as pause does
		case <-time.After(wait):
		case <-n.moved:
			for _, s := range n.sides {
				if err := n.openServer(s); err != nil {
					n.cfg.Log.Error("no server for the new id", "err", err)
				}
			}
			n.refreshTable(ctx) // to become known under the new id
		case <-ctx.Done():
			return
		}
	}
}

// joinRound pings the bootstrap nodes and, while the table is nearly empty,
// the saved ones, and decides.
func (n *Node) joinRound(ctx context.Context) {
	named, err := n.resolveBootstrap(ctx)
	var saved []netip.AddrPort
	if n.tableSize() < fewNodes {
		n.joining.mu.Lock()
		for _, c := range n.joining.saved {
			if n.side(c.addr.Addr()) != nil && !slices.Contains(named, c.addr) {
				saved = append(saved, c.addr)
			}
		}
		n.joining.mu.Unlock()
	}
	others, self := n.greet(ctx, append(slices.Clip(named), saved...))
	if ctx.Err() != nil {
		return
	}
	founder := !n.cfg.Passive && (self || len(n.cfg.Bootstrap) == 0)
	var deserted error
	if !founder && !slices.ContainsFunc(others, func(a netip.AddrPort) bool { return slices.Contains(named, a) }) {
		deserted = n.desertion(named, err)
	}
	n.joining.mu.Lock()
	n.joining.founder, n.joining.deserted = founder, deserted
	n.joining.mu.Unlock()
	switch {
	case len(others) > 0:
		if !n.cfg.Passive && !isClosed(n.joining.ready) {
			n.refreshTable(ctx)
		}
		n.joining.decide(nil)
	case founder:
		n.joining.decide(nil)
	case isClosed(n.joining.ready):
	case deserted == nil: // a passive node without any
		n.joining.decide(fmt.Errorf("%w: none is named (saved nodes asked: %d)", ErrNoBootstrap, len(saved)))
	case len(saved) == 0:
		n.joining.decide(deserted)
	default:
		n.joining.decide(fmt.Errorf("%w, nor does a saved node (asked: %d)", deserted, len(saved)))
	}
}

// desertion says that no bootstrap node is there: their names do not resolve, or
// they do not answer. It is nil if there are none.
func (n *Node) desertion(named []netip.AddrPort, resolving error) error {
	switch {
	case resolving != nil:
		return fmt.Errorf("%w: %w", ErrNoBootstrap, resolving)
	case len(n.cfg.Bootstrap) > 0:
		return fmt.Errorf("%w: %s (addresses asked: %d)", ErrNoBootstrap, strings.Join(n.cfg.Bootstrap, ", "), len(named))
	}
	return nil
}

// greet pings the targets and says which others answered, and whether this
// node itself did, which makes it one of the bootstrap nodes.
func (n *Node) greet(ctx context.Context, targets []netip.AddrPort) (others []netip.AddrPort, self bool) {
	var mu sync.Mutex
	var group errgroup.Group
	group.SetLimit(joinPings)
	for _, addr := range targets {
		group.Go(func() error {
			r, err := n.askTimes(ctx, joinTries, addr, message{method: "ping"})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				n.cfg.Log.Debug("no answer while joining", "err", err)
			case n.isOwn(r.id):
				self = true
			default:
				others = append(others, addr)
				if n.cfg.Passive {
					n.joining.decide(nil) // a requester need not wait for the rest
				}
			}
			return nil
		})
	}
	_ = group.Wait() // the functions return no errors
	if len(others) > 0 {
		n.forgetFailed()
	}
	return others, self
}

// forgetFailed drops saved nodes that do not answer. It is called only when
// others did: otherwise it is our own connection that is down.
func (n *Node) forgetFailed() {
	n.joining.mu.Lock()
	defer n.joining.mu.Unlock()
	n.joining.saved = slices.DeleteFunc(n.joining.saved, func(c contact) bool { return n.failing.has(c.addr) })
}

// resolveBootstrap looks the bootstrap names up. The last known addresses
// serve while a name does not resolve.
func (n *Node) resolveBootstrap(ctx context.Context) ([]netip.AddrPort, error) {
	ctx, cancel := context.WithTimeout(ctx, resolveLimit)
	defer cancel()
	var addrs []netip.AddrPort
	var errs []error
	for _, entry := range n.cfg.Bootstrap {
		found, err := resolve(ctx, entry, familiesOf(n.local))
		if err != nil {
			errs = append(errs, err)
		}
		addrs = append(addrs, found...)
	}
	n.joining.mu.Lock()
	defer n.joining.mu.Unlock()
	if len(errs) == 0 {
		n.joining.bootstrap = nil
	}
	for _, a := range addrs {
		if !slices.Contains(n.joining.bootstrap, a) {
			n.joining.bootstrap = append(n.joining.bootstrap, a)
		}
	}
	return slices.Clone(n.joining.bootstrap), errors.Join(errs...)
}

func (n *Node) founds() bool {
	n.joining.mu.Lock()
	defer n.joining.mu.Unlock()
	return n.joining.founder
}

// survey walks to the node's own id, in each family: how dense nodes lie there
// tells what is usual.
func (n *Node) survey(ctx context.Context) {
	for _, s := range n.sides {
		if _, err := n.walk(ctx, s, s.ID(), "find_node", nil); err != nil {
			n.cfg.Log.Debug("looking at our neighbourhood", "err", err)
		}
	}
}

// refreshTable walks, in each family, to the node's own id, which makes it
// known where it belongs, and to a random one.
func (n *Node) refreshTable(ctx context.Context) {
	var walks sync.WaitGroup
	walks.Go(func() { n.survey(ctx) })
	for _, s := range n.sides {
		walks.Go(func() {
			if _, err := n.walk(ctx, s, n.dice.key(), "find_node", nil); err != nil {
				n.cfg.Log.Debug("refreshing the routing table", "err", err)
			}
		})
	}
	walks.Wait()
}

func (n *Node) tableSize() (nodes int) {
	for _, s := range n.sides {
		of, _ := s.table.size()
		nodes += of
	}
	return nodes
}

func (n *Node) isOwn(id Key) bool {
	return slices.ContainsFunc(n.sides, func(s *side) bool { return s.ID() == id })
}
