package node

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/angler-dex/angler/internal/control"
	"github.com/angler-dex/angler/internal/dht"
	"github.com/angler-dex/angler/internal/k8s"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match"
	"github.com/angler-dex/angler/internal/mesh"
	"github.com/angler-dex/angler/internal/spare"
)

// Run runs the daemon until ctx ends, and returns when all of it has stopped.
// Errors of the start: control.ErrRunning (another daemon has this socket), a
// port in use, market.ErrLocked (another daemon has the ledger),
// k8s.ErrNoCluster, those of the files.
func Run(ctx context.Context, cfg Config) error {
	d := &daemon{cfg: cfg, started: time.Now(), recent: newRecent(), matched: make(chan struct{}, 1)}
	defer d.close()
	if err := d.openDoors(); err != nil {
		return err
	}
	if err := d.openDHT(); err != nil {
		return err
	}
	if !cfg.DHTOnly {
		if err := d.openProvider(ctx); err != nil {
			if ctx.Err() != nil {
				return nil // told to stop before it had started
			}
			return err
		}
	}
	return d.run(ctx)
}

// daemon is everything that runs, owned by Run.
type daemon struct {
	cfg     Config
	started time.Time
	clock   market.Clock
	recent  *recent
	matched chan struct{} // a match has ended
	gpus    *gpus
	remains remains
	surplus *surplus

	control net.Listener
	metrics net.Listener // nil: not served

	dht      *dht.Node
	ledger   *market.Ledger
	cluster  *k8s.Cluster
	mesh     *mesh.Node
	place    *place
	record   *selfRecord
	spares   *spare.Store // nil: none can be kept
	provider *match.Provider
}

// openDoors binds what the daemon's owner uses, before anything else: a second
// daemon of one state folder ends here, whatever its ports are.
func (d *daemon) openDoors() (err error) {
	if d.control, err = control.Listen(d.cfg.Socket); err != nil {
		return err
	}
	if d.cfg.Metrics == "" {
		return nil
	}
	if d.metrics, err = net.Listen("tcp", d.cfg.Metrics); err != nil {
		return fmt.Errorf("--metrics: %w", err)
	}
	return nil
}

func (d *daemon) openProvider(ctx context.Context) (err error) {
	if d.clock, err = market.SystemClock(); err != nil {
		return err
	}
	if d.cluster, err = k8s.Open(k8s.Config{Kubeconfig: d.cfg.Kubeconfig, Server: d.cfg.APIServer, Now: time.Now, Rand: rand.Reader}); err != nil {
		return err
	}
	if err = d.cluster.Ping(ctx); err != nil {
		// A cluster that is down now may be up when a match is won.
		d.cfg.Log.Warn("the cluster does not answer", "err", err)
	}
	house, err := d.house(ctx)
	if err != nil {
		return err
	}
	d.gpus = &gpus{
		house: house, provider: d.cfg.Key.ID().String(), enforce: d.cluster.CanEnforceGPU, log: d.cfg.Log, verdict: map[string]error{},
	}
	d.surplus = newSurplus(d.cfg, d.cluster, d.clock)
	d.ledger, err = market.Open(market.Config{
		Path: d.cfg.LedgerPath, Provider: d.cfg.Key.ID(), Clock: d.clock, Capacity: d.cfg.Capacity, Unfit: d.gpus.unfit, Surplus: d.surplus.units,
	})
	if err != nil {
		return err
	}
	d.mesh, err = mesh.Listen(mesh.Config{Key: d.cfg.Key, Addr: d.cfg.Listen, Idle: linkIdle, Log: d.cfg.Log.With("part", "mesh")})
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	d.openPlace()
	if err = d.openRecord(); err != nil {
		return err
	}
	d.spares, err = spare.OpenHere(d.cfg.SparesDir, d.cfg.Key.ID(), d.cfg.Log.With("part", "spare"))
	if err != nil {
		d.cfg.Log.Warn("matches will start from nothing", "err", err)
	}
	d.provider = match.NewProvider(match.ProviderConfig{
		Key: d.cfg.Key, Pool: d.cfg.Pool, Mesh: d.mesh, Ledger: d.ledger, Cluster: d.cluster, House: d.gpus.house, Record: d.record.get, Spares: d.spares,
		MinRoster: d.cfg.MinRoster, Matches: d.cfg.MaxMatches, Each: d.cfg.MaxEach, HoldFor: market.HoldTime, Rand: rand.Reader, Clock: d.clock,
		Log: d.cfg.Log.With("part", "match"), Observe: d.observe, Archive: d.archive,
	})
	d.provider.Handle()
	backer := &match.Backer{Pool: d.cfg.Pool, Mesh: d.mesh, Now: d.wall, Log: d.cfg.Log.With("part", "match")}
	d.mesh.Handle(match.KindDialBack, backer.Serve)
	d.mesh.Handle(match.KindReferral, backer.Refer)
	return nil
}

func (d *daemon) openRecord() error {
	addrs := d.cfg.Advertise
	if len(addrs) == 0 {
		var err error
		if addrs, err = reachable(d.mesh.Addr()); err != nil {
			return err
		}
	}
	d.record = &selfRecord{
		key: d.cfg.Key, addrs: addrs, place: d.place, membership: d.cfg.Membership, now: d.wall,
		classes:  func() []string { return announced(d.ledger) },
		policies: func() []string { return entered(d.ledger) },
	}
	_, err := d.record.get() // what cannot be signed is told at the start
	return err
}

func (d *daemon) wall() time.Time { return d.clock().Wall }

// run runs every part; the first that fails ends the others.
func (d *daemon) run(ctx context.Context) error {
	ctx, end := context.WithCancel(ctx)
	defer end()
	g, ctx := errgroup.WithContext(ctx)
	part := func(name string, f func(context.Context) error) {
		g.Go(func() error {
			if err := f(ctx); err != nil && ctx.Err() == nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			return nil
		})
	}
	part("dht", d.dht.Run)
	part("place", d.watchDHT)
	part("control socket", func(ctx context.Context) error {
		return control.Serve(ctx, d.control, d, d.cfg.Log.With("part", "control"))
	})
	if d.metrics != nil {
		part("metrics", d.serveMetrics)
	}
	if d.provider != nil {
		part("mesh", d.mesh.Run)
		part("provider", d.provider.Run)
		part("neighbours", d.neighbours)
		part("rest", d.rest)
		part("offers", d.watchOffers)
		part("gpus", d.gpus.run)
		part("surplus", func(ctx context.Context) error {
			return d.surplus.run(ctx, func() bool { return d.cfg.Acquire != nil || d.ledger.FollowsCluster() })
		})
		if d.cfg.Acquire != nil {
			part("acquire", d.acquire)
		}
		part("remains", d.watchRemains)
		if d.cfg.Operator != "" {
			part("operator", d.operate)
		}
		part("drain", func(ctx context.Context) error { return d.leave(ctx, end) })
		part("announce", func(ctx context.Context) error {
			return d.dht.KeepAnnounced(ctx, d.keys, d.port())
		})
	}
	d.ready()
	return g.Wait()
}

func (d *daemon) ready() {
	at := Addresses{DHT: d.dht.Addr()}
	if d.mesh != nil {
		at.QUIC = d.mesh.Addr()
	}
	said := []any{"id", d.cfg.Key.ID(), "quic", at.QUIC, "dht", at.DHT}
	if d.metrics != nil {
		said = append(said, "metrics", d.metrics.Addr())
	}
	d.cfg.Log.Info("ready", said...)
	if d.cfg.Ready != nil {
		d.cfg.Ready(at)
	}
}

func (d *daemon) poolName() string {
	if d.cfg.Pool == nil {
		return ""
	}
	return d.cfg.Pool.Name
}

// close closes what outlives run, or what a start that failed had opened: the
// ledger, and the socket last, whose lock is this daemon's claim on both.
func (d *daemon) close() {
	if d.metrics != nil {
		_ = d.metrics.Close() // again, where it was served
	}
	if d.ledger != nil {
		if err := d.ledger.Close(); err != nil {
			d.cfg.Log.Error("ledger", "err", err)
		}
	}
	if d.control != nil {
		_ = d.control.Close() // again, where it was served
	}
}
