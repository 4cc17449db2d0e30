package match

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/wire"
)

// signedReceipt is a receipt with the signatures under it.
type signedReceipt struct {
	Receipt   []byte `cbor:"1,keyasint"`
	Provider  []byte `cbor:"2,keyasint"`
	Requester []byte `cbor:"3,keyasint,omitempty"`
}

// promiseStands is how long a promise is not replaced by one of another term:
// each is a write to disk, for which matches wait.
const promiseStands = 5 * time.Second

// prepare promises a lease a longer term, and answers with the receipt that its
// requester is to sign. The promise is on disk before it is made.
func (p *Provider) prepare(ctx context.Context, id market.LeaseID, secs uint64) LeaseReply {
	lease, put, r := p.hold(ctx, id)
	if put == nil {
		return r
	}
	defer put()
	total, ok := termOf(secs)
	d, err := readDeed(lease)
	if err != nil {
		p.Log.Error("lease has no deed", "lease", id.Short(), "err", err)
		return LeaseReply{Status: StatusDenied}
	}
	if n := len(d.Renewals); ok && n > 0 && total == lease.Duration { // taken, and its requester has not heard so
		return LeaseReply{Status: StatusPrepared, Receipt: d.Renewals[n-1].Receipt, Signed: d.Renewals[n-1].Provider}
	}
	switch {
	case len(d.Renewals) >= maxRenewals:
		return LeaseReply{Status: StatusDenied, Renewals: maxRenewals}
	case !ok || p.Drained():
		return LeaseReply{Status: StatusDenied}
	}
	if now := p.Clock(); lease.Promise.Open(now) && lease.Promise.Duration != total && lease.Promise.Made.Elapsed(now) < promiseStands {
		return LeaseReply{Status: StatusPending}
	}
	lease, err = p.Ledger.Promise(id, total, func(renewed market.Lease) []byte { return p.receiptOf(renewed, d) })
	if err != nil {
		return p.notRenewed(id, err)
	}
	var s signedReceipt
	if err := wire.Decode(lease.Promise.Receipt, maxReply, &s); err != nil {
		p.Log.Error("lease has no promise", "lease", id.Short(), "err", err)
		return LeaseReply{Status: StatusDenied}
	}
	left := market.PromiseTime - lease.Promise.Made.Elapsed(p.Clock())
	return LeaseReply{Status: StatusPrepared, Receipt: s.Receipt, Signed: s.Provider, Void: max(1, seconds(left))}
}

// termOf reads a term off the wire.
func termOf(secs uint64) (time.Duration, bool) {
	if secs == 0 || secs > uint64(market.MaxDuration/time.Second) {
		return 0, false
	}
	return time.Duration(secs) * time.Second, true
}

// receiptOf is the receipt of a renewal, signed and encoded.
func (p *Provider) receiptOf(renewed market.Lease, d deed) []byte {
	last := d.last().Receipt
	r, err := ReadReceipt(last)
	if err != nil {
		p.Log.Error("deed has no receipt", "lease", renewed.ID.Short(), "err", err)
		return nil
	}
	hash := sha256.Sum256(last)
	r.Seconds, r.Issued, r.Previous = seconds(renewed.Duration), p.now().Unix(), hash[:]
	raw := r.Encode()
	return wire.Encode(signedReceipt{Receipt: raw, Provider: SignReceipt(p.Key, raw)})
}

// renew takes a promise whose receipt the requester has signed.
func (p *Provider) renew(ctx context.Context, id market.LeaseID, secs uint64, signature []byte) LeaseReply {
	lease, put, r := p.hold(ctx, id)
	if put == nil {
		return r
	}
	defer put()
	total, ok := termOf(secs)
	switch {
	case !ok:
		return LeaseReply{Status: StatusDenied}
	case total <= lease.Duration:
		return LeaseReply{Status: StatusRenewed}
	case lease.Promise.Duration != total:
		return LeaseReply{Status: StatusDenied}
	}
	var s signedReceipt
	d, err := readDeed(lease)
	if err == nil {
		err = wire.Decode(lease.Promise.Receipt, maxReply, &s)
	}
	if err == nil {
		_, err = OpenReceipt(s.Receipt, signature, lease.Requester)
	}
	if err != nil {
		p.Log.Info("renewal refused", "lease", id.Short(), "err", err)
		return LeaseReply{Status: StatusDenied}
	}
	s.Requester = signature
	d.Renewals = append(d.Renewals, s)
	if lease, err = p.Ledger.Renew(id, total, d.record); err != nil {
		return p.notRenewed(id, err)
	}
	p.archive(lease)
	p.Log.Info("lease renewed", "lease", id.Short())
	return LeaseReply{Status: StatusRenewed}
}

func (p *Provider) notRenewed(id market.LeaseID, err error) LeaseReply {
	p.ledgerFailed(err)
	p.Log.Info("lease not renewed", "lease", id.Short(), "err", err)
	if errors.Is(err, market.ErrBroken) {
		return LeaseReply{Status: StatusPending} // who asks again asks our next process
	}
	return LeaseReply{Status: StatusDenied}
}
