package requester

import (
	"context"
	"net/netip"

	"github.com/angler-dex/angler/internal/dht"
	"github.com/angler-dex/angler/internal/market"
)

// Finder streams addresses at which providers of a class may listen, until the
// search is complete, ctx ends, or found returns false. found is called from
// one goroutine at a time.
type Finder interface {
	Find(ctx context.Context, class market.Class, found func(netip.AddrPort) bool) error
}

// DHTFinder finds through a DHT node of one's own.
type DHTFinder struct {
	Node  *dht.Node
	Pool  string
	Cells []string // geohash prefixes; "" is the whole world
}

// Find looks the class up under every cell. The error is dht.ErrNoBootstrap
// if no node of the DHT answers.
func (f DHTFinder) Find(ctx context.Context, class market.Class, found func(netip.AddrPort) bool) error {
	if err := f.Node.Ready(ctx); err != nil {
		return err
	}
	var keys []dht.Key
	for _, cell := range f.Cells {
		keys = append(keys, dht.ClassKey(f.Pool, cell, class.String()))
	}
	return f.Node.Lookup(ctx, keys, found)
}

// Fixed is a Finder of addresses that are known already.
type Fixed []netip.AddrPort

// Find reports the addresses.
func (f Fixed) Find(_ context.Context, _ market.Class, found func(netip.AddrPort) bool) error {
	for _, a := range f {
		if !found(a) {
			break
		}
	}
	return nil
}
