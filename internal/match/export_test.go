package match

import (
	"context"
	"time"

	"github.com/angler-dex/angler/internal/identity"
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

// Every sets how often the provider sweeps.
func (p *Provider) Every(d time.Duration) { p.every = d }

// Ask sends one request about a lease.
func Ask(ctx context.Context, link Opener, req LeaseRequest) (LeaseReply, error) {
	return askLease(ctx, link, req)
}

// Sweepers is how many leases a sweep ends at once.
const Sweepers = sweepers

// LyingAbout answers every claim with a grant and a receipt that were edited.
func LyingAbout(key *identity.Key, ca []byte, d Deal, edit func(*LeaseReply, *Receipt)) mesh.Handler {
	return func(_ context.Context, s *mesh.Stream) {
		var req LeaseRequest
		if receive(s, maxLease, &req) != nil {
			return
		}
		r := d.receipt()
		r.Manifest = make([]byte, 32)
		reply := LeaseReply{Status: StatusGranted, Grant: &Grant{
			Server: "https://cluster.example:6443", CA: ca, Namespace: "n", Token: "t", Expires: time.Now().Add(time.Hour).Unix(),
		}}
		edit(&reply, &r)
		if reply.Receipt == nil {
			reply.Receipt = r.Encode()
		}
		reply.Signed = SignReceipt(key, reply.Receipt)
		_ = send(s, reply)
	}
}
