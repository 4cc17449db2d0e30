package dht

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"
)

var (
	// ErrNoBootstrap says that no bootstrap node and no remembered node
	// answers: this node is alone.
	ErrNoBootstrap = errors.New("no bootstrap node answers")
	// ErrStopped is returned by calls on a node whose Run has ended.
	ErrStopped = errors.New("dht node has stopped")
)

const (
	askTries      = 3                // packets per question
	joinTries     = 4                // of a ping while joining: an overloaded bootstrap node drops some
	resendMost    = 4 * time.Second  // until a question is repeated, at most
	saveEvery     = 5 * time.Minute  // the routing table
	sweepEvery    = time.Minute      // the peer store
	freshEvery    = time.Second      // a node of the table is asked whether it is there
	freshFor      = 90 * time.Second // not again before
	maintainFrom  = time.Minute      // after the start: joining has filled the table by then
	failedFor     = time.Minute      // how long a silent node is doubted
	liarsFor      = 10 * time.Minute // how long the word of a node counts nothing
	pingBackEvery = 10 * time.Minute // per address that queries us
	pingBackers   = 4                // pings back, and looks after the table, at the same time
)

// Node is a node of the DHT. New makes it, Run runs it. The other methods may
// be called from any goroutine; where they need the network they wait until Run
// has tried to join it.
type Node struct {
	cfg     Config
	conn    net.PacketConn
	local   netip.AddrPort
	sides   []*side // by family, one or two
	base    Key     // the id, before an address bounds it
	dice    *dice
	store   *peerStore
	visits  *visits
	limiter *rate.Limiter
	usual   usual

	failing   *recent // did not answer
	liars     *recent // told of nodes that do not exist
	pinged    *recent
	newcomers chan netip.AddrPort
	moved     chan struct{} // our id has changed
	joining   joining
	announced announced

	received, dropped, refused, readErrs, sent atomic.Uint64

	started  atomic.Bool
	stopping chan struct{} // closed when Run is ending
}

// New prepares a node: it reads the saved routing table and starts nothing. A
// table that cannot be read is reported to the log and otherwise ignored.
func New(cfg Config) (*Node, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	d, err := newDice(cfg.Rand)
	if err != nil {
		return nil, err
	}
	local := addrPortOf(cfg.Conn.LocalAddr())
	n := &Node{
		cfg:       cfg,
		conn:      cfg.Conn,
		local:     local,
		dice:      d,
		store:     newPeerStore(cfg.Limits, cfg.Now, d.shuffle),
		visits:    newVisits(cfg.Now),
		limiter:   rate.NewLimiter(rate.Limit(cfg.SendRate), cfg.SendBurst),
		failing:   newRecent(failedFor, 4096, cfg.Now),
		liars:     newRecent(liarsFor, 1024, cfg.Now),
		pinged:    newRecent(pingBackEvery, 4096, cfg.Now),
		newcomers: make(chan netip.AddrPort, 256),
		moved:     make(chan struct{}, 1),
		joining:   newJoining(),
		stopping:  make(chan struct{}),
	}
	var saved savedTable
	if cfg.TablePath != "" {
		if saved, err = loadTable(cfg.TablePath); err != nil {
			cfg.Log.Warn("starting without the saved routing table", "err", err)
		}
	}
	n.joining.saved = saved.nodes
	// The id of the last run is kept, so that others' tables stay right, except
	// by passive nodes, which nobody need recognise.
	n.base = cfg.ID
	if n.base == (Key{}) && !cfg.Passive {
		n.base = saved.id
	}
	if n.base == (Key{}) {
		n.base = d.key()
	}
	n.openSides(familiesOf(local))
	return n, nil
}

// ID is the node's place in the key space (of a node in two families that are
// public, its place among the IPv4 nodes).
func (n *Node) ID() Key { return n.sides[0].ID() }

// Addr is the local address of the node's socket.
func (n *Node) Addr() netip.AddrPort { return n.local }

// Run serves until ctx ends, joins the network and keeps trying, maintains the
// routing table, pings newcomers back, and saves the table from time to time
// and at the end. It closes the socket and waits for all that it started. It
// returns nil when ctx ends, and an error if the socket was closed under it. A
// node runs once.
func (n *Node) Run(ctx context.Context) error {
	if n.started.Swap(true) {
		return errors.New("dht: the node has run already")
	}
	for _, s := range n.sides {
		if err := n.openServer(s); err != nil {
			return fmt.Errorf("dht: %w", err)
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return n.read(ctx) })
	group.Go(func() error { n.keepJoined(ctx); return nil })
	group.Go(func() error { n.keepHouse(ctx); return nil })
	if !n.cfg.Passive {
		for _, s := range n.sides {
			group.Go(func() error { n.maintainTable(ctx, s); return nil })
		}
		for range pingBackers {
			group.Go(func() error { n.keepFresh(ctx); return nil })
			group.Go(func() error { n.pingBack(ctx); return nil })
		}
	}
	<-ctx.Done()
	close(n.stopping)
	for _, s := range n.sides {
		s.server.Load().close()
	}
	_ = n.conn.Close() // ends read; again, if it was closed under us
	err := group.Wait()
	n.save()
	return err
}

// pingBack asks those who have questioned us. Only who answers gets into the
// table and is told to others: whoever forges source addresses does not.
func (n *Node) pingBack(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case addr := <-n.newcomers:
			if _, err := n.ask(ctx, addr, message{method: "ping"}); err != nil {
				n.cfg.Log.Debug("newcomer does not answer", "err", err)
			}
		}
	}
}

// keepFresh asks the nodes of the routing table in turn whether they are still
// there, a few a second and none more than once in freshFor: what this
// node tells others is seldom older than a minute.
func (n *Node) keepFresh(ctx context.Context) {
	for pause(ctx, n.dice.around(freshEvery)) {
		for _, s := range n.sides {
			if c, ok := s.table.stalest(n.cfg.Now().Add(-freshFor)); ok {
				if _, err := n.ask(ctx, c.addr, message{method: "ping"}); err != nil {
					n.cfg.Log.Debug("a node of the table does not answer", "err", err)
				}
			}
		}
	}
}

// maintainTable runs the library's maintenance of its table. It is started only
// once there is a node in it: with an empty one each of its rounds leaves a
// goroutine behind. Nodes that started together do not begin it together.
func (n *Node) maintainTable(ctx context.Context, s *side) {
	for pause(ctx, n.dice.around(maintainFrom)) {
		if server := s.server.Load(); server.NumNodes() > 0 {
			server.TableMaintainer() // returns after close, when the node ends or its id has changed
		}
	}
}

// keepHouse saves the table and sweeps the peer store.
func (n *Node) keepHouse(ctx context.Context) {
	for age := sweepEvery; pause(ctx, sweepEvery); age += sweepEvery {
		n.store.sweep()
		if age >= saveEvery {
			n.save()
			age = 0
		}
	}
}

// serving waits for Run to have started and to have tried to join.
func (n *Node) serving(ctx context.Context) error {
	select {
	case <-n.joining.decided:
	case <-n.stopping:
	case <-ctx.Done():
		return ctx.Err()
	}
	if isClosed(n.stopping) {
		return ErrStopped
	}
	return ctx.Err()
}

// pause waits and reports whether ctx is still alive.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
