package match

import (
	"context"

	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/mpc"
	"github.com/angler-dex/angler/internal/wire"
)

// Drive replaces what takes the provider's party through the flights.
func (p *Provider) Drive(d func(context.Context, *mpc.Party, mpc.Network) error) { p.drive = d }

// Signatures returns both sides' signatures under a lease's receipt.
func Signatures(l market.Lease) (provider, requester []byte) {
	var d deed
	if err := wire.Decode(l.Receipt, maxReply, &d); err != nil {
		return nil, nil
	}
	return d.Signed, d.Requester
}
