package match

import (
	"context"
	"time"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/k8s/manifest"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/mesh"
	"github.com/angler-dex/angler/internal/wire"
)

// answerWithinPoll is how long a claim waits for its namespace before it is
// answered with StatusPending.
const answerWithinPoll = 20 * time.Second

// provisionWithin bounds the making of one namespace.
const provisionWithin = 2 * time.Minute

// deed is what the ledger keeps of a granted lease, to answer a repeated claim
// with the same words: grant, receipt, and the signatures of both sides.
type deed struct {
	Grant     *Grant `cbor:"1,keyasint,omitempty"`
	Receipt   []byte `cbor:"2,keyasint"`
	Signed    []byte `cbor:"3,keyasint"`
	Requester []byte `cbor:"4,keyasint,omitempty"` // after it confirmed
}

// serveLease answers one request about one lease.
func (p *Provider) serveLease(ctx context.Context, s *mesh.Stream) {
	defer s.Close()
	within(s, inviteWithin)
	var req LeaseRequest
	if err := receive(s, maxLease, &req); err != nil || len(req.Lease) != 32 {
		s.Reset()
		return
	}
	within(s, answerWithinPoll+writeWithin)
	ctx, cancel := context.WithTimeout(ctx, answerWithinPoll)
	defer cancel()
	reply := p.answer(ctx, req, s.Peer())
	if err := send(s, reply); err != nil {
		p.Log.Debug("reply not delivered", "peer", s.Peer().Short(), "err", err)
	}
}

// answer decides on a request by where the ledger says that the lease stands.
// Somebody else's lease is answered as one that does not exist.
func (p *Provider) answer(ctx context.Context, req LeaseRequest, peer identity.PeerID) LeaseReply {
	id := market.LeaseID(req.Lease)
	lease, ok := p.Ledger.Lease(id)
	if !ok || lease.Requester != peer {
		if p.mayStillWin(id, peer) {
			return LeaseReply{Status: StatusPending}
		}
		return LeaseReply{Status: StatusRefused}
	}
	switch req.Action {
	case Claim:
		return p.claim(ctx, lease)
	case Confirm:
		return p.confirm(lease, req.Receipt)
	case Release:
		return p.release(ctx, lease)
	}
	return LeaseReply{Status: StatusRefused}
}

// claim provisions a reservation and answers with the grant, or with what came
// of it before.
func (p *Provider) claim(ctx context.Context, lease market.Lease) LeaseReply {
	if lease.State == market.Reserved || lease.State == market.Provisioning {
		p.do(ctx, lease.ID, p.provision)
		lease, _ = p.Ledger.Lease(lease.ID)
	}
	switch {
	case lease.State.Usable():
		return granted(lease)
	case lease.State.Terminal() || lease.State == market.Expiring:
		return ended(lease)
	}
	return LeaseReply{Status: StatusPending}
}

func granted(lease market.Lease) LeaseReply {
	var d deed
	if err := decodeDeed(lease, &d); err != nil {
		return LeaseReply{Status: StatusPending}
	}
	return LeaseReply{Status: StatusGranted, Grant: d.Grant, Receipt: d.Receipt, Signed: d.Signed}
}

// ended tells why there is nothing to grant any more.
func ended(lease market.Lease) LeaseReply {
	if lease.Granted.IsZero() {
		return LeaseReply{Status: StatusFailed}
	}
	return LeaseReply{Status: StatusGone}
}

// confirm makes a provisional lease active; a late one is answered "gone".
func (p *Provider) confirm(lease market.Lease, signature []byte) LeaseReply {
	switch lease.State {
	case market.Active:
		return LeaseReply{Status: StatusConfirmed}
	case market.Provisional:
	case market.Reserved, market.Provisioning:
		return LeaseReply{Status: StatusRefused} // there is no grant yet that could be stored
	default:
		return ended(lease)
	}
	var d deed
	if err := decodeDeed(lease, &d); err != nil {
		p.Log.Error("lease has no deed", "lease", lease.ID.Short(), "err", err)
		return LeaseReply{Status: StatusRefused}
	}
	if _, err := OpenReceipt(d.Receipt, signature, lease.Requester); err != nil {
		return LeaseReply{Status: StatusRefused}
	}
	d.Requester = signature
	_, err := p.Ledger.Advance(lease.ID, market.Active, func(l *market.Lease) { d.store(l) })
	if err != nil {
		p.Log.Error("lease not confirmed", "lease", lease.ID.Short(), "err", err)
		if now, _ := p.Ledger.Lease(lease.ID); now.State != market.Active {
			return ended(now)
		}
	}
	return LeaseReply{Status: StatusConfirmed}
}

// release ends a lease whose requester has no more use for it.
func (p *Provider) release(ctx context.Context, lease market.Lease) LeaseReply {
	if err := p.End(ctx, lease.ID, "released by its requester"); err != nil {
		p.Log.Error("lease not released", "lease", lease.ID.Short(), "err", err)
	}
	if now, _ := p.Ledger.Lease(lease.ID); !now.State.Terminal() {
		return LeaseReply{Status: StatusPending}
	}
	return LeaseReply{Status: StatusGone}
}

// provision makes the namespace of a reserved lease and grants it. Each step is
// in the ledger before its effect; a failure is undone before it is reported.
func (p *Provider) provision(ctx context.Context, lease market.Lease) error {
	if lease.State == market.Reserved {
		next, err := p.Ledger.Advance(lease.ID, market.Provisioning, nil)
		if err != nil {
			return err
		}
		lease = next
	}
	if lease.State != market.Provisioning {
		return nil
	}
	spec, err := specOf(lease, p.Key.ID())
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, provisionWithin)
	defer cancel()
	grant, err := p.Cluster.Provision(limited, spec)
	if ctx.Err() != nil {
		return ctx.Err() // we are going down: the next start undoes it
	}
	if err != nil {
		_, endErr := p.Ledger.Advance(lease.ID, market.Expiring, func(l *market.Lease) { l.Reason = "provisioning failed" })
		if endErr != nil {
			return endErr
		}
		return p.undo(ctx, lease.ID, err)
	}
	hash, err := manifest.Hash(spec)
	if err != nil {
		return err
	}
	receipt := Receipt{
		SID: lease.SID[:], Lease: lease.ID[:], Provider: p.Key.ID(), Requester: lease.Requester, Class: lease.Class.String(),
		Quantity: uint16(lease.Quantity), Price: uint32(lease.Price), Seconds: uint64(lease.Duration / time.Second),
		Manifest: hash[:], Issued: p.now().Unix(),
	}.Encode()
	d := deed{Grant: grantOf(grant), Receipt: receipt, Signed: SignReceipt(p.Key, receipt)}
	_, err = p.Ledger.Advance(lease.ID, market.Provisional, func(l *market.Lease) {
		l.Namespace, l.Manifest = grant.Namespace, hash
		d.store(l)
	})
	return err
}

// store writes the deed into a lease: the grant, which is a credential and is
// erased at the end, apart from the receipt, which is kept.
func (d deed) store(l *market.Lease) {
	l.Grant = wire.Encode(d.Grant)
	d.Grant = nil
	l.Receipt = wire.Encode(d)
}

func decodeDeed(l market.Lease, d *deed) error {
	if err := wire.Decode(l.Receipt, maxReply, d); err != nil {
		return err
	}
	d.Grant = new(Grant)
	return wire.Decode(l.Grant, maxReply, d.Grant)
}
