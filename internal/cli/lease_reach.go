package cli

import (
	"context"
	"log/slog"
	"net/netip"

	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/requester"
)

// atProviders runs f with a client that speaks for the identity of a lease. It reaches the providers where they said last that
// they are; one that is not there any more is looked for in the pool.
func (a *app) atProviders(ctx context.Context, store *requester.Store, l requester.Lease, f func(context.Context, *requester.Client) error) error {
	key, err := a.leaseKey(l.ID)
	if err != nil {
		return err
	}
	return a.withClient(ctx, clientConfig{key: key, store: store}, func(ctx context.Context, c *requester.Client) error {
		if j, err := a.poolOnly(); err == nil { // else there is no pool to look in
			c.Finder = lateFinder{app: a, cfg: clientConfig{pool: &j.Pool, store: store}}
		}
		return f(ctx, c)
	})
}

// lateFinder makes its way into the DHT when it is needed first, which for a lease is seldom.
type lateFinder struct {
	app *app
	cfg clientConfig
}

// Find implements requester.Finder.
func (l lateFinder) Find(ctx context.Context, class market.Class, found func(netip.AddrPort) bool) error {
	var c requester.Client
	stop, run, err := l.app.finder(ctx, &c, l.cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer stop()
	var runs []func(context.Context) error
	if run != nil {
		runs = append(runs, run)
	}
	return alongside(ctx, runs, func(ctx context.Context) error { return c.Finder.Find(ctx, class, found) })
}
