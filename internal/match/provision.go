package match

import (
	"context"
	"errors"
	"time"

	"github.com/angler-dex/angler/internal/k8s"
	"github.com/angler-dex/angler/internal/k8s/manifest"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/wire"
)

// provisionWithin bounds the making of one namespace.
const provisionWithin = 2 * time.Minute

// nothingMade tells whether the cluster is known to have nothing of what it was
// asked for.
func nothingMade(err error) bool {
	var failure *k8s.ProvisionError
	return errors.As(err, &failure) && failure.Undone == "" && failure.Left == nil
}

// provision makes the namespace of a reserved lease and grants it. Each step is
// in the ledger before its effect; a failure is undone before it is reported.
func (p *Provider) provision(ctx context.Context, lease market.Lease, workload []byte) error {
	untouched := lease.State == market.Reserved // by us or an earlier process
	switch lease.State {
	case market.Reserved:
		next, err := p.Ledger.Advance(lease.ID, market.Provisioning, nil)
		if err != nil {
			return err
		}
		lease = next
	case market.Provisioning: // an earlier process did not come to its end
	default:
		return nil // granted or over: somebody else's claim was faster
	}
	spec, err := specOf(lease, p.Key.ID(), p.House)
	if err != nil {
		return p.fail(ctx, lease.ID, err)
	}
	hash, err := manifest.Hash(spec)
	if err != nil {
		return p.fail(ctx, lease.ID, err)
	}
	limited, cancel := context.WithTimeout(ctx, provisionWithin)
	defer cancel()
	grant, err := p.Cluster.Provision(limited, spec)
	if err != nil && ctx.Err() != nil {
		return ctx.Err() // we are going down: the next start undoes it
	}
	if err != nil {
		p.unfitNow(err)
	}
	if err != nil && untouched && nothingMade(err) {
		return p.giveUp(lease.ID, err)
	}
	if err != nil {
		return p.fail(ctx, lease.ID, err)
	}
	receipt := Receipt{
		SID: lease.SID[:], Lease: lease.ID[:], Provider: p.Key.ID(), Requester: lease.Requester, Class: lease.Class.String(),
		Quantity: uint16(lease.Quantity), Price: uint32(lease.Price), Seconds: uint64(lease.Duration / time.Second),
		Manifest: hash[:], Issued: p.now().Unix(), Policy: lease.Policy, Notice: seconds(lease.Notice), Workload: workload,
		Further: furtherOf(lease.Further),
	}.Encode()
	d := deed{Receipt: receipt, Signed: SignReceipt(p.Key, receipt)}
	_, err = p.Ledger.Advance(lease.ID, market.Provisional, func(l *market.Lease) {
		l.Namespace, l.Manifest, l.Grant = grant.Namespace, hash, wire.Encode(grantOf(grant))
		d.record(l)
	})
	return err
}
