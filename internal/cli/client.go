package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/angler-dex/angler/internal/control"
	"github.com/angler-dex/angler/internal/coord"
	"github.com/angler-dex/angler/internal/dht"
	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/mesh"
	"github.com/angler-dex/angler/internal/requester"
	"github.com/angler-dex/angler/internal/spare"
)

// clientConfig says what a requester's client is made of.
type clientConfig struct {
	key        *identity.Key
	pool       *identity.Pool
	membership *identity.Membership
	store      *requester.Store
	cell       string     // of the requester
	auto       bool       // its cell is to be found out
	precision  int        // of a cell that is found out
	where      whereFlags // in which it looks for providers
	bootstrap  []string
	search     bool // it will look for providers
	memory     bool // it remembers whom it met: one-time sets, addresses, round trips
	verbose    bool
	progress   func(requester.Event)
}

// withClient makes a client that lives as long as f: a mesh node that only dials, and, if it searches, a way into the DHT.
func (a *app) withClient(ctx context.Context, cfg clientConfig, f func(context.Context, *requester.Client) error) error {
	log := slog.New(slog.DiscardHandler)
	if cfg.verbose {
		log = slog.New(slog.NewTextHandler(a.io.Err, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	c := &requester.Client{
		Key: cfg.key, Pool: cfg.pool, Membership: cfg.membership, Store: cfg.store, Rand: a.rand, Now: a.now, Log: log, Progress: cfg.progress,
		Reputation: requester.OpenReputation(a.paths.reputation()),
	}
	var err error
	if cfg.memory {
		defer a.remember(c, log)()
	}
	if c.Mesh, err = mesh.Listen(mesh.Config{Key: cfg.key, Addr: ":0", DialOnly: true, Log: log.With("part", "mesh")}); err != nil {
		return err
	}
	runs := []func(context.Context) error{c.Mesh.Run}
	if cfg.search {
		stop, run, err := a.finder(ctx, c, cfg, log)
		if err != nil {
			return errors.Join(err, c.Mesh.Close())
		}
		defer stop()
		if run != nil {
			runs = append(runs, run)
		}
	}
	return alongside(ctx, runs, func(ctx context.Context) error { return f(ctx, c) })
}

// remember gives a client what earlier ones have left. What cannot be read is a new beginning. The function that it returns
// keeps what this one adds.
func (a *app) remember(c *requester.Client, log *slog.Logger) (keep func()) {
	note := func(err error) {
		if err != nil {
			log.Warn("beginning anew", "err", err)
		}
	}
	place := filepath.Join(a.paths.state, "requester.coordinate")
	var err error
	c.Spares, err = spare.OpenHere(a.paths.spares(), c.Key.ID(), log.With("part", "spare"))
	note(err)
	c.Space, err = coord.Load(place)
	note(err)
	c.Book, err = requester.OpenBook(filepath.Join(a.paths.state, "providers.json"))
	note(err)
	c.Pace, err = requester.OpenPace(filepath.Join(a.paths.state, "pace.json"))
	note(err)
	return func() {
		if err := c.Space.Save(place); err != nil {
			log.Info("not kept", "err", err)
		}
	}
}

// alongside runs f while the others run, ends them with it, and joins them. A part that fails early ends f.
func alongside(ctx context.Context, runs []func(context.Context) error, f func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	g, inner := errgroup.WithContext(ctx)
	for _, run := range runs {
		g.Go(func() error {
			if err := run(inner); err != nil && inner.Err() == nil {
				return err
			}
			return nil
		})
	}
	err := f(inner)
	cancel()
	if werr := g.Wait(); werr != nil && (err == nil || errors.Is(err, context.Canceled)) {
		err = werr
	}
	return err
}

// finder gives a client its way to providers: a file of addresses; the local daemon's place in the DHT if it is in the same
// pool; else a node of its own, which run runs.
func (a *app) finder(ctx context.Context, c *requester.Client, cfg clientConfig, log *slog.Logger) (stop func(), run func(context.Context) error, err error) {
	stop = func() {}
	if c.Finder, err = cfg.where.fixed(ctx); err != nil || c.Finder != nil {
		return stop, nil, err
	}
	own := cfg.cell
	if cfg.auto {
		own = c.Book.Cell(cfg.precision)
	}
	if len(cfg.bootstrap) == 0 {
		if d, cell := a.daemonOf(ctx, cfg.pool.Name); d != nil {
			if cfg.auto && cell != "" {
				own = cell
			}
			var cells []string
			cells, err = cfg.where.cells(own, cfg.precision)
			c.Finder = daemonFinder{d, cfg.pool.Name, cells}
			return d.Close, nil, err
		}
		cfg.bootstrap = cfg.pool.Bootstrap
	}
	cells, err := cfg.where.cells(own, cfg.precision)
	if err != nil {
		return stop, nil, err
	}
	if len(cfg.bootstrap) == 0 {
		return stop, nil, fmt.Errorf("%w: pool %s names none; give one, for example --bootstrap dht.example.org:7401", dht.ErrNoBootstrap, cfg.pool.Name)
	}
	conn, err := net.ListenPacket("udp", ":0")
	if err != nil {
		return stop, nil, err
	}
	n, err := dht.New(dht.Config{
		Conn: conn, Bootstrap: cfg.bootstrap, Passive: true, TablePath: filepath.Join(a.paths.state, "requester.table"), Log: log.With("part", "dht"),
	})
	if err != nil {
		return stop, nil, errors.Join(err, conn.Close())
	}
	c.Finder = requester.DHTFinder{Node: n, Pool: cfg.pool.Name, Cells: cells, Deserted: func(err error) {
		a.talk.warn("%v; going on with saved nodes", err)
	}}
	return stop, n.Run, nil
}

// daemonOf returns the local daemon and its cell if there is one and it is in the pool.
func (a *app) daemonOf(ctx context.Context, pool string) (*control.Client, string) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	d, err := a.daemon(ctx)
	if err != nil {
		return nil, ""
	}
	s, err := d.Status(ctx)
	if err != nil || s.Pool != pool {
		d.Close()
		return nil, ""
	}
	return d, s.Cell
}

// daemonFinder looks providers up through the local daemon.
type daemonFinder struct {
	daemon *control.Client
	pool   string
	cells  []string
}

// Find implements requester.Finder.
func (f daemonFinder) Find(ctx context.Context, class market.Class, found func(netip.AddrPort) bool) error {
	err := f.daemon.Lookup(ctx, control.Lookup{Pool: f.pool, Class: class.String(), Cells: f.cells}, func(h control.Found) bool { return found(h.Addr) })
	if errors.Is(err, control.ErrNoBootstrap) {
		return fmt.Errorf("%w: %w", dht.ErrNoBootstrap, err)
	}
	return err
}
