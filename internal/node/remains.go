package node

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/angler-dex/angler/internal/control"
	"github.com/angler-dex/angler/internal/k8s"
	"github.com/angler-dex/angler/internal/market"
)

const (
	// remainsEvery is how often the cluster is asked which namespaces of ours
	// it has.
	remainsEvery = 2 * time.Minute
	// remainsWithin bounds one such question.
	remainsWithin = 30 * time.Second
	// goneAfter is how long a namespace may take to disappear, before somebody
	// has to look at it; ten seconds are usual.
	goneAfter = time.Minute
)

// remains are the namespaces of ours that are there although no lease of ours
// is, as of the last look.
type remains struct {
	mu   sync.Mutex
	list []control.Remain
}

func (r *remains) get() []control.Remain {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.list)
}

func (r *remains) set(list []control.Remain) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = list
}

// clusterRemains is what watchRemains asks of a cluster; package k8s has it.
type clusterRemains interface {
	Owned(ctx context.Context, provider string) ([]k8s.Owned, error)
	Stuck(ctx context.Context, provider string, longer time.Duration) ([]k8s.Owned, error)
	Release(ctx context.Context, provider, leaseID string) error
}

// watchRemains compares the cluster with the ledger, at the start and now and
// then: what belongs to a lease that is over is deleted again; what the ledger
// has no record of is somebody's to look at and is never touched; and a
// namespace that does not go away is reported, with what holds it.
func (d *daemon) watchRemains(ctx context.Context) error {
	tick := time.NewTicker(remainsEvery)
	defer tick.Stop()
	said := map[string]string{}
	for {
		limited, cancel := context.WithTimeout(ctx, remainsWithin)
		list, err := d.lookForRemains(limited, d.cluster)
		cancel()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			d.cfg.Log.Debug("cannot look what the cluster has of ours", "err", err)
		default:
			d.remains.set(list)
			d.tellRemains(said, list)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (d *daemon) lookForRemains(ctx context.Context, cluster clusterRemains) ([]control.Remain, error) {
	provider := d.cfg.Key.ID().String()
	owned, err := cluster.Owned(ctx, provider)
	if err != nil {
		return nil, err
	}
	stuck, err := cluster.Stuck(ctx, provider, goneAfter)
	if err != nil {
		return nil, err
	}
	list := []control.Remain{}
	for _, o := range stuck {
		why := "does not go away"
		if o.Held != "" {
			why += ": " + o.Held
		}
		list = append(list, control.Remain{Namespace: o.Namespace, Why: why})
	}
	for _, o := range owned {
		id, err := market.ParseLeaseID(o.LeaseID)
		if err != nil || o.Terminating {
			continue // a trial of ours, or on its way out
		}
		switch lease, recorded := d.ledger.Lease(id); {
		case !recorded:
			list = append(list, control.Remain{Namespace: o.Namespace, Why: "belongs to a lease of which there is no record; it is left alone"})
		case lease.State.Terminal():
			if err := cluster.Release(ctx, provider, o.LeaseID); err != nil {
				list = append(list, control.Remain{Namespace: o.Namespace, Why: "belongs to a lease that is over, and is not deleted yet: " + err.Error()})
			}
		}
	}
	return list, nil
}

// tellRemains logs what is new since said, and keeps it there.
func (d *daemon) tellRemains(said map[string]string, list []control.Remain) {
	now := map[string]string{}
	for _, r := range list {
		now[r.Namespace] = r.Why
		if said[r.Namespace] != r.Why {
			d.cfg.Log.Warn("a namespace is left over", "namespace", r.Namespace, "why", r.Why)
		}
	}
	clear(said)
	for namespace, why := range now {
		said[namespace] = why
	}
}
