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
	cell       string
	bootstrap  []string
	search     bool // it will look for providers
	spares     bool // it keeps one-time sets for later matches
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
	}
	var err error
	if cfg.spares {
		if c.Spares, err = spare.OpenHere(a.paths.spares(), cfg.key.ID(), log.With("part", "spare")); err != nil {
			log.Warn("matches will start from nothing", "err", err)
		}
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

// finder gives a client its way to providers: the local daemon's place in the DHT if it is in the same pool, else a node of its
// own, which run runs.
func (a *app) finder(ctx context.Context, c *requester.Client, cfg clientConfig, log *slog.Logger) (stop func(), run func(context.Context) error, err error) {
	cells := []string{cfg.cell}
	if len(cfg.bootstrap) == 0 {
		if d := a.daemonOf(ctx, cfg.pool.Name); d != nil {
			c.Finder = daemonFinder{d, cfg.pool.Name, cells}
			return d.Close, nil, nil
		}
		cfg.bootstrap = cfg.pool.Bootstrap
	}
	if len(cfg.bootstrap) == 0 {
		return nil, nil, fmt.Errorf("%w: pool %s names none; give one, for example --bootstrap dht.example.org:7401", dht.ErrNoBootstrap, cfg.pool.Name)
	}
	conn, err := net.ListenPacket("udp", ":0")
	if err != nil {
		return nil, nil, err
	}
	n, err := dht.New(dht.Config{
		Conn: conn, Bootstrap: cfg.bootstrap, Passive: true, TablePath: filepath.Join(a.paths.state, "requester.table"), Log: log.With("part", "dht"),
	})
	if err != nil {
		return nil, nil, errors.Join(err, conn.Close())
	}
	c.Finder = requester.DHTFinder{Node: n, Pool: cfg.pool.Name, Cells: cells}
	return func() {}, n.Run, nil
}

// daemonOf returns the local daemon if there is one and it is in the pool.
func (a *app) daemonOf(ctx context.Context, pool string) *control.Client {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	d, err := a.daemon(ctx)
	if err != nil {
		return nil
	}
	if s, err := d.Status(ctx); err != nil || s.Pool != pool {
		d.Close()
		return nil
	}
	return d
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
