package match

import (
	"context"

	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/mesh"
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

// Accept answers an invitation and reads the roster that follows, as the first
// half of a match.
func (p *Provider) Accept(s *mesh.Stream) {
	var in Invite
	if receive(s, maxInvite, &in) == nil {
		_, _ = p.accept(s, in)
	}
}
