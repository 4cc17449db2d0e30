package requester

import (
	"context"
	"net/netip"

	"github.com/angler-dex/angler/internal/dht"
	"github.com/angler-dex/angler/internal/identity"
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
	Cells []string // geohash cells to look around, "" is the whole world

	// Deserted is told why no bootstrap node is there, while saved nodes do
	// instead, if that is known by the end of a search; may be nil.
	Deserted func(error)
}

// Find looks the class up in rings around each cell, the nearest first. The
// error is dht.ErrNoBootstrap if no node of the DHT answers.
func (f DHTFinder) Find(ctx context.Context, class market.Class, found func(netip.AddrPort) bool) error {
	if err := f.Node.Ready(ctx); err != nil {
		return err
	}
	var rings [][]dht.Key
	for _, cell := range f.Cells {
		rings = append(rings, dht.Rings(f.Pool, cell, class.String())...)
	}
	err := f.Node.Search(ctx, dht.Search{Rings: rings, Found: found})
	if deserted := f.Node.Stats().Deserted; deserted != nil && f.Deserted != nil {
		f.Deserted(deserted)
	}
	return err
}

// expects is a Finder of those whom the user has named: nobody else is asked.
type expects interface {
	// expect says who is to answer at an address; zero: anybody.
	expect(at netip.AddrPort) identity.PeerID
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

func (f Fixed) expect(netip.AddrPort) identity.PeerID { return identity.PeerID{} }

// Pinned is Fixed with who has to be at some of the addresses: whoever else
// answers there is not asked.
type Pinned struct {
	Fixed
	IDs map[netip.AddrPort]identity.PeerID
}

func (f Pinned) expect(at netip.AddrPort) identity.PeerID { return f.IDs[at] }
