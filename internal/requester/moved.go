package requester

import (
	"context"
	"net/netip"
	"slices"

	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match"
)

// maxMoved bounds the addresses at which a provider that has moved is looked
// for.
const maxMoved = 64

// trace links to the provider of a part at the addresses that it had. If it is
// not there any more, and there is a finder, it is looked for among those who
// serve the class: only who proves its identity is shown ours, so whoever else
// answers at what was found learns nothing but an address.
func (c *Client) trace(ctx context.Context, class market.Class, p Part, addrs []netip.AddrPort) (match.Opener, error) {
	within := c.Patience.WithDefaults().Connect
	first, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	link, err := c.Mesh.Connect(first, p.Provider, addrs)
	if err == nil {
		return link, nil
	}
	if c.Finder == nil || ctx.Err() != nil {
		return nil, err
	}
	var found []netip.AddrPort
	looking, stop := context.WithTimeout(ctx, within)
	defer stop()
	findErr := c.Finder.Find(looking, class, func(a netip.AddrPort) bool {
		if !slices.Contains(addrs, a) && !slices.Contains(found, a) {
			found = append(found, a)
		}
		return len(found) < maxMoved
	})
	if len(found) == 0 {
		if findErr != nil {
			c.log().Info("provider not looked for", "provider", p.Provider.Short(), "err", findErr)
		}
		return nil, err
	}
	again, cancelAgain := context.WithTimeout(ctx, within)
	defer cancelAgain()
	link, movedErr := c.Mesh.Connect(again, p.Provider, found)
	if movedErr != nil {
		return nil, err // the first error tells where it was expected
	}
	c.log().Info("provider has moved", "provider", p.Provider.Short())
	return link, nil
}
