package match

import "github.com/angler-dex/angler/internal/market"

// archive keeps the receipts of a lease beyond its row in the ledger, which is
// dropped some time after its end: when it is confirmed, when it is renewed, and
// once more when it ends, should one of these have failed. That a file cannot be
// written is no reason to break a promise; kept tells whether it was.
func (p *Provider) archive(lease market.Lease) (kept bool) {
	if p.Archive == nil || lease.Confirmed.IsZero() {
		return false
	}
	list, err := Receipts(lease.Receipt)
	if err == nil {
		err = p.Archive(lease.ID, MarshalReceipts(list))
	}
	if err != nil {
		p.Log.Error("receipts of a lease not kept; its ledger row still has them", "lease", lease.ID.Short(), "err", err)
	}
	return err == nil
}

// abridge leaves of a row's receipts the first and the last. A row is kept for a
// day after its end, and a hundred renewals make a quarter of a megabyte of it,
// which the archive has.
func abridge(l *market.Lease) {
	d, err := readDeed(*l)
	if n := len(d.Renewals); err == nil && n > 1 {
		d.Renewals = d.Renewals[n-1:]
		d.record(l)
	}
}

// noticed puts what a requester is told of a lease's end into the error of
// whatever it asked for.
func (r LeaseReply) noticed() market.NoticeKind {
	if r.Standing == nil || r.Standing.Kind > uint8(market.NoticeDeleted) {
		return market.NoNotice
	}
	return market.NoticeKind(r.Standing.Kind)
}

// refusal is the error for a status that was not hoped for.
func (r LeaseReply) refusal() *RefusedError {
	return &RefusedError{Status: r.Status, Notice: r.noticed(), Spent: r.Renewals > 0}
}
