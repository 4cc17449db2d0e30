package dht

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/anacrolix/dht/v2"
	"github.com/anacrolix/dht/v2/bep44"
	"github.com/anacrolix/dht/v2/krpc"
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
	askTries      = 2                // packets per question
	joinTries     = 4                // of a ping while joining: an overloaded bootstrap node drops some
	saveEvery     = 5 * time.Minute  // the routing table
	sweepEvery    = time.Minute      // the peer store
	heardFor      = time.Hour        // how long a node that answered is trusted to be there
	failedFor     = time.Minute      // how long a silent node is doubted
	pingBackEvery = 10 * time.Minute // per address that queries us
	pingBackers   = 4                // pings back at the same time
)

// Node is a node of the DHT. New makes it, Run runs it. The other methods may
// be called from any goroutine; where they need the network they wait until Run
// has tried to join it.
type Node struct {
	cfg   Config
	conn  *guardedConn
	local netip.AddrPort
	reach families
	wants []krpc.Want
	id    Key
	dice  *dice
	store *peerStore

	heard     *recent // answered us
	failing   *recent // did not
	pinged    *recent
	newcomers chan netip.AddrPort
	outside   outside
	joining   joining
	announced announced

	started  chan struct{} // closed when server is set
	stopping chan struct{} // closed when Run is ending
	server   *dht.Server
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
		conn:      newGuardedConn(cfg.Conn, cfg.Public),
		local:     local,
		reach:     familiesOf(local),
		dice:      d,
		store:     newPeerStore(cfg.Limits, cfg.Now, d.shuffle),
		heard:     newRecent(heardFor, 4096, cfg.Now),
		failing:   newRecent(failedFor, 4096, cfg.Now),
		pinged:    newRecent(pingBackEvery, 4096, cfg.Now),
		newcomers: make(chan netip.AddrPort, 256),
		joining:   newJoining(),
		started:   make(chan struct{}),
		stopping:  make(chan struct{}),
	}
	if n.reach.v4 {
		n.wants = append(n.wants, krpc.WantNodes)
	}
	if n.reach.v6 {
		n.wants = append(n.wants, krpc.WantNodes6)
	}
	var saved savedTable
	if cfg.TablePath != "" {
		if saved, err = loadTable(cfg.TablePath); err != nil {
			cfg.Log.Warn("starting without the saved routing table", "err", err)
		}
	}
	n.joining.saved = saved.nodes
	n.id = n.chooseID(saved.id)
	return n, nil
}

// chooseID keeps the id of the last run, so that others' tables stay right,
// except for passive nodes, which nobody need recognise, and where it does not
// fit a public address.
func (n *Node) chooseID(last Key) Key {
	id := krpc.ID(last)
	if n.cfg.Passive || id.IsZero() {
		id = krpc.ID(n.dice.key())
	}
	if n.cfg.Public && n.cfg.PublicIP.IsValid() {
		ip := net.IP(n.cfg.PublicIP.Unmap().AsSlice())
		if !dht.NodeIdSecure(id, ip) {
			dht.SecureNodeId(&id, ip)
		}
	}
	return Key(id)
}

// ID is the node's place in the key space.
func (n *Node) ID() Key { return n.id }

// Addr is the local address of the node's socket.
func (n *Node) Addr() netip.AddrPort { return n.local }

// Run serves until ctx ends, joins the network and keeps trying, maintains the
// routing table, pings newcomers back, and saves the table from time to time
// and at the end. It closes the socket and waits for all that it started. It
// returns nil when ctx ends, and an error if the socket was closed under it. A
// node runs once.
func (n *Node) Run(ctx context.Context) error {
	select {
	case <-n.started:
		return errors.New("dht: the node has run already")
	default:
	}
	server, err := dht.NewServer(n.serverConfig())
	if err != nil {
		return fmt.Errorf("dht: %w", err)
	}
	n.server = server
	close(n.started)

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return n.watchSocket(ctx) })
	group.Go(func() error { n.keepJoined(ctx); return nil })
	group.Go(func() error { n.keepHouse(ctx); return nil })
	if !n.cfg.Passive {
		group.Go(func() error { n.maintainTable(ctx); return nil })
		for range pingBackers {
			group.Go(func() error { n.pingBack(ctx); return nil })
		}
	}
	<-ctx.Done()
	close(n.stopping)
	server.Close() // before the socket: the library panics on an end it does not expect
	_ = n.conn.Close()
	err = group.Wait()
	n.save()
	return err
}

func (n *Node) serverConfig() *dht.ServerConfig {
	return &dht.ServerConfig{
		NodeId:           krpc.ID(n.id),
		Conn:             n.conn,
		Passive:          n.cfg.Passive,
		StartingNodes:    n.startingNodes,
		NoSecurity:       !n.cfg.Public,
		OnQuery:          n.onQuery,
		QueryResendDelay: func() time.Duration { return n.cfg.Resend },
		PeerStore:        n.store,
		Store:            bep44.NewMemory(), // never reached: see onQuery
		Logger:           libraryLogger(n.cfg.Log),
		DefaultWant:      n.wants,
		SendLimiter:      rate.NewLimiter(rate.Limit(n.cfg.SendRate), n.cfg.SendBurst),
	}
}

// watchSocket ends the node when somebody else has closed its socket.
func (n *Node) watchSocket(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-n.conn.broken:
		return fmt.Errorf("dht: socket: %w", err)
	}
}

// maintainTable runs the library's maintenance. It is started only once there
// is a node in the table (nodes are replaced there but never removed): with an
// empty one each of its rounds leaves a goroutine behind.
func (n *Node) maintainTable(ctx context.Context) {
	for n.server.NumNodes() == 0 {
		if !pause(ctx, time.Second) {
			return
		}
	}
	n.server.TableMaintainer() // returns after server.Close
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
