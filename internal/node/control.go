package node

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"

	"github.com/angler-dex/angler/internal/control"
	"github.com/angler-dex/angler/internal/dht"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match"
)

var errDHTOnly = control.New(control.ErrUnsupported, "this daemon is a DHT node only (angler serve --dht-only): it has no offers and no leases")

// provides refuses what only a provider has.
func (d *daemon) provides() error {
	if d.provider == nil {
		return errDHTOnly
	}
	return nil
}

// Offers implements control.Daemon.
func (d *daemon) Offers(context.Context) ([]control.Offer, error) {
	if err := d.provides(); err != nil {
		return nil, err
	}
	offers, faults := []control.Offer{}, d.ledger.Faults()
	for _, o := range d.ledger.Offers() {
		offers = append(offers, d.follow(showOffer(o, faults)))
	}
	return offers, nil
}

// PutOffer implements control.Daemon.
func (d *daemon) PutOffer(ctx context.Context, o control.Offer) (control.Offer, error) {
	if err := d.provides(); err != nil {
		return control.Offer{}, err
	}
	if len(o.Allow) == 0 {
		o.Allow = d.cfg.Allow
	}
	offer, err := readOffer(o)
	if err == nil {
		if err = d.gpus.check(ctx, offer.Unit); err != nil && !errors.Is(err, match.ErrNotProvisionable) {
			return control.Offer{}, control.New(control.ErrUnavailable, err.Error())
		}
	}
	if err == nil && offer.Surplus != nil {
		d.surplus.look(ctx) // so that what the answer says of it is of now
	}
	if err == nil {
		err = d.ledger.PutOffer(offer)
	}
	if err != nil {
		return control.Offer{}, invalid(err)
	}
	return d.offer(offer.Normalize().Name)
}

// SetPaused implements control.Daemon.
func (d *daemon) SetPaused(_ context.Context, name string, paused bool) (control.Offer, error) {
	if err := d.provides(); err != nil {
		return control.Offer{}, err
	}
	if err := d.ledger.SetPaused(name, paused); err != nil {
		return control.Offer{}, invalid(err)
	}
	return d.offer(name)
}

// RemoveOffer implements control.Daemon.
func (d *daemon) RemoveOffer(_ context.Context, name string) error {
	if err := d.provides(); err != nil {
		return err
	}
	return invalid(d.ledger.RemoveOffer(name))
}

func (d *daemon) offer(name string) (control.Offer, error) {
	o, ok := d.ledger.Offer(name)
	if !ok {
		return control.Offer{}, invalid(market.ErrNoOffer)
	}
	return d.follow(showOffer(o, d.ledger.Faults())), nil
}

// Leases implements control.Daemon: newest first.
func (d *daemon) Leases(context.Context) ([]control.Lease, error) {
	if err := d.provides(); err != nil {
		return nil, err
	}
	leases := []control.Lease{}
	for _, l := range slices.Backward(d.ledger.Leases()) {
		leases = append(leases, d.showLease(l))
	}
	return leases, nil
}

// Lease implements control.Daemon.
func (d *daemon) Lease(_ context.Context, prefix string) (control.Lease, error) {
	l, err := d.find(prefix)
	if err != nil {
		return control.Lease{}, err
	}
	return d.showLease(l), nil
}

// ReleaseLease implements control.Daemon.
func (d *daemon) ReleaseLease(ctx context.Context, prefix string) (control.Lease, error) {
	l, err := d.find(prefix)
	if err != nil {
		return control.Lease{}, err
	}
	if err := d.provider.End(ctx, l.ID, "released by its operator"); err != nil {
		return control.Lease{}, control.New(control.ErrUnavailable, "lease "+l.ID.Short()+": "+err.Error())
	}
	return d.Lease(ctx, l.ID.String())
}

func (d *daemon) find(prefix string) (market.Lease, error) {
	if err := d.provides(); err != nil {
		return market.Lease{}, err
	}
	var hits []market.Lease
	for _, l := range d.ledger.Leases() {
		if prefix != "" && strings.HasPrefix(l.ID.String(), prefix) {
			hits = append(hits, l)
		}
	}
	switch len(hits) {
	case 0:
		return market.Lease{}, invalid(market.ErrNoLease)
	case 1:
		return hits[0], nil
	}
	return market.Lease{}, control.New(control.ErrConflict, "more than one lease begins with "+prefix)
}

// Lookup implements control.Daemon: a requester on this machine uses the
// daemon's place in the DHT.
func (d *daemon) Lookup(ctx context.Context, q control.Lookup, found func(control.Found) bool) error {
	if q.Pool != d.poolName() {
		return control.New(control.ErrInvalid, "this daemon is in another pool")
	}
	class, err := market.ParseClass(q.Class)
	if err != nil {
		return invalid(err)
	}
	var rings [][]dht.Key
	for _, cell := range q.Cells {
		if !dht.ValidCell(cell) {
			return control.New(control.ErrInvalid, "not a geohash cell")
		}
		rings = append(rings, dht.Rings(q.Pool, cell, class.String())...)
	}
	if err := d.dht.Ready(ctx); err != nil {
		return unavailable(err)
	}
	return unavailable(d.dht.Search(ctx, dht.Search{Rings: rings, Found: func(a netip.AddrPort) bool { return found(control.Found{Addr: a}) }}))
}

func unavailable(err error) error {
	if errors.Is(err, dht.ErrNoBootstrap) {
		return control.New(control.ErrNoBootstrap, err.Error())
	}
	return err
}

// invalid gives a fault of the market the code that it has at the socket.
func invalid(err error) error {
	var field *market.FieldError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, market.ErrNoOffer), errors.Is(err, market.ErrNoLease):
		return control.New(control.ErrNotFound, err.Error())
	case errors.As(err, &field), errors.Is(err, match.ErrNotProvisionable):
		return control.New(control.ErrInvalid, err.Error())
	case errors.Is(err, market.ErrTooMany):
		return control.New(control.ErrConflict, err.Error())
	}
	return err
}
