package match

import (
	"context"
	"crypto/sha256"
	"time"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/mesh"
)

// answerWithinPoll is how long a request waits for what it asks for before it
// is answered with StatusPending.
const answerWithinPoll = 20 * time.Second

// serveLease answers one request about one lease.
func (p *Provider) serveLease(ctx context.Context, s *mesh.Stream) {
	within(s, readWithin)
	var req LeaseRequest
	if err := receive(s, maxLease, &req); err != nil || !req.sound() {
		s.Reset()
		return
	}
	waiting, cancel := context.WithTimeout(ctx, answerWithinPoll)
	defer cancel()
	reply := p.introduce(p.answer(waiting, req, s.Peer()), market.LeaseID(req.Lease), s.Peer())
	if err := sendWithin(s, writeWithin, reply); err != nil {
		p.Log.Debug("reply not delivered", "peer", s.Peer().Short(), "err", err)
	}
}

// answer decides on a request by where the ledger says that the lease stands.
// Somebody else's lease is answered as one that does not exist.
func (p *Provider) answer(ctx context.Context, req LeaseRequest, peer identity.PeerID) LeaseReply {
	id := market.LeaseID(req.Lease)
	// In this order: a match that does not run any more has put what it won
	// into the ledger.
	running := p.mayStillWin(id, peer)
	lease, ok := p.Ledger.Lease(id)
	switch {
	case ok && lease.Requester == peer:
	case running:
		return LeaseReply{Status: StatusPending}
	default:
		return LeaseReply{Status: StatusRefused}
	}
	switch req.Action {
	case Claim:
		return p.claim(ctx, lease, req.Workload)
	case Confirm:
		return p.confirm(ctx, id, req.Receipt)
	case Release:
		return p.release(ctx, lease)
	case Show:
		return p.show(ctx, lease)
	case Prepare:
		return p.prepare(ctx, id, req.Seconds)
	case Renew:
		return p.renew(ctx, id, req.Seconds, req.Receipt)
	case Token:
		return p.token(ctx, id)
	}
	return LeaseReply{Status: StatusRefused}
}

// sound tells whether the fields of a request have their sizes.
func (r LeaseRequest) sound() bool {
	return len(r.Lease) == len(market.LeaseID{}) && (r.Workload == nil || len(r.Workload) == sha256.Size)
}

// introduce adds to what a requester is told about a lease that it has: where
// that stands, whatever was asked, so that nobody misses that it ends; and our
// record, where to find us next time, should we move.
func (p *Provider) introduce(r LeaseReply, id market.LeaseID, peer identity.PeerID) LeaseReply {
	if lease, ok := p.Ledger.Lease(id); ok && lease.Requester == peer && r.Standing == nil {
		r.Standing = p.stands(lease)
	}
	switch r.Status {
	case StatusGranted, StatusShown, StatusPrepared, StatusToken:
		record, err := p.Record()
		if err != nil {
			p.Log.Error("cannot sign our record", "err", err)
		}
		r.Record = record
	}
	return r
}

// claim provisions a reservation and answers with the grant, or with what came
// of it before.
func (p *Provider) claim(ctx context.Context, lease market.Lease, workload []byte) LeaseReply {
	if lease.State == market.Reserved || lease.State == market.Provisioning {
		_ = p.do(ctx, lease.ID, func(ctx context.Context, l market.Lease) error { // the ledger tells how it went
			return p.provision(ctx, l, workload)
		})
		lease, _ = p.Ledger.Lease(lease.ID)
	}
	switch {
	case lease.State.Usable():
		return p.granted(lease)
	case lease.State.Terminal() || lease.State == market.Expiring:
		return ended(lease)
	}
	return LeaseReply{Status: StatusPending}
}

// granted answers a claim with the words with which it was first granted.
func (p *Provider) granted(lease market.Lease) LeaseReply {
	g, d, err := openDeed(lease)
	if err != nil {
		p.Log.Error("lease has no deed", "lease", lease.ID.Short(), "err", err)
		return LeaseReply{Status: StatusRefused}
	}
	return LeaseReply{Status: StatusGranted, Grant: g, Receipt: d.Receipt, Signed: d.Signed, Standing: p.stands(lease)}
}

// ended tells why there is nothing to grant any more.
func ended(lease market.Lease) LeaseReply {
	if lease.State == market.Failed || lease.State == market.Expiring && lease.Granted.IsZero() {
		return LeaseReply{Status: StatusFailed}
	}
	return LeaseReply{Status: StatusGone}
}

// confirm makes a provisional lease active; a late one is answered "gone".
func (p *Provider) confirm(ctx context.Context, id market.LeaseID, signature []byte) LeaseReply {
	put, err := p.take(ctx, id)
	if err != nil {
		return LeaseReply{Status: StatusPending}
	}
	defer put()
	lease, _ := p.Ledger.Lease(id)
	switch lease.State {
	case market.Active:
		return LeaseReply{Status: StatusConfirmed}
	case market.Provisional:
	case market.Reserved, market.Provisioning:
		return LeaseReply{Status: StatusRefused} // there is no grant yet that could be stored
	default:
		return ended(lease)
	}
	_, d, err := openDeed(lease)
	if err == nil {
		_, err = OpenReceipt(d.Receipt, signature, lease.Requester)
	}
	if err != nil {
		p.Log.Info("confirmation refused", "lease", id.Short(), "err", err)
		return LeaseReply{Status: StatusRefused}
	}
	d.Requester = signature
	if lease, err = p.Ledger.Advance(id, market.Active, d.record); err != nil {
		p.ledgerFailed(err)
		p.Log.Error("lease not confirmed", "lease", id.Short(), "err", err)
		return LeaseReply{Status: StatusPending}
	}
	p.archive(lease)
	return LeaseReply{Status: StatusConfirmed}
}

// release ends a lease whose requester has no more use for it.
func (p *Provider) release(ctx context.Context, lease market.Lease) LeaseReply {
	if !p.postponed(lease.ID) {
		_ = p.End(ctx, lease.ID, "released by its requester") // logged; the ledger tells how it went
	}
	if now, _ := p.Ledger.Lease(lease.ID); now.State.Terminal() {
		return ended(now)
	}
	return LeaseReply{Status: StatusPending}
}
