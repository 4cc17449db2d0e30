package node

import (
	"context"
	"errors"
	"time"

	"github.com/angler-dex/angler/internal/k8s"
	"github.com/angler-dex/angler/internal/market"
)

// Acquire says when this daemon asks the market for capacity by itself: while
// less than so much of its own cluster is free. What it gets is a Secret with a
// kubeconfig. It asks one at a time, pauses between tries, and has no more than
// so many leases; those that it has are renewed while capacity is still short,
// and else run out.
type Acquire struct {
	Below     market.Percent // of cpu or of memory, whichever is scarcer
	Most      int            // leases at once
	Pause     time.Duration  // after a try, whatever came of it
	Term      time.Duration  // of a lease; a fifth of it before the end it is renewed
	Namespace string         // of the Secrets
	Requester Requester
}

// Requester is how a daemon asks as others do. It never gets anything from the
// daemon itself: requesters leave their own identity out.
type Requester interface {
	// Request runs one request; the lease is stored when it returns.
	Request(ctx context.Context) (Acquired, error)
	// Renew makes a lease longer by the term.
	Renew(ctx context.Context, id string) (Acquired, error)
	// Lease says what is stored of a lease; ok is false if it is over, or unknown.
	Lease(id string) (lease Acquired, ok bool, err error)
}

// Acquired is a lease that was requested.
type Acquired struct {
	ID         string
	Ends       time.Time
	Kubeconfig []byte
}

func (a Acquired) secret() k8s.Acquired {
	return k8s.Acquired{LeaseID: a.ID, Expires: a.Ends.UTC().Format(time.RFC3339), Kubeconfig: a.Kubeconfig}
}

// acquirer is what acquires, owned by its run.
type acquirer struct {
	*Acquire
	d        *daemon
	last     time.Time  // try
	unstored []Acquired // leases whose Secret could not be written yet
	said     string
}

func (d *daemon) acquire(ctx context.Context) error {
	a := &acquirer{Acquire: d.cfg.Acquire, d: d}
	tick := time.NewTicker(d.surplus.every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		err := a.step(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		a.tell(err)
	}
}

// tell logs trouble once.
func (a *acquirer) tell(err error) {
	said := ""
	if err != nil {
		said = err.Error()
	}
	if said != a.said && said != "" {
		a.d.cfg.Log.Warn("cannot acquire capacity", "err", err)
	}
	a.said = said
}

// step does what there is to do now.
func (a *acquirer) step(ctx context.Context) error {
	if err := a.store(ctx); err != nil {
		return err
	}
	live, err := a.live(ctx)
	if err != nil {
		return err
	}
	seen, err := a.d.surplus.recent()
	if err != nil {
		return err // what is not known is not short
	}
	if seen.Free(takenOf(a.d.ledger.Promised())) >= int64(a.Below) {
		return nil
	}
	var faults []error
	for _, l := range live {
		if l.Ends.Sub(a.d.wall()) < a.Term/5 {
			renewed, err := a.Requester.Renew(ctx, l.ID)
			if err != nil {
				faults = append(faults, err)
				continue
			}
			a.d.cfg.Log.Info("acquired lease renewed", "lease", l.ID[:10])
			a.unstored = append(a.unstored, renewed)
		}
	}
	if len(live) < a.Most && (a.last.IsZero() || a.d.wall().Sub(a.last) >= a.Pause) {
		a.last = a.d.wall()
		a.d.cfg.Log.Info("the cluster is short of capacity; asking for some")
		got, err := a.Requester.Request(ctx)
		if err == nil {
			a.d.cfg.Log.Info("lease acquired", "lease", got.ID[:10], "namespace", a.Namespace)
			a.unstored = append(a.unstored, got)
		}
		faults = append(faults, err)
	}
	return errors.Join(append(faults, a.store(ctx))...)
}

// store writes the Secrets that are not written yet.
func (a *acquirer) store(ctx context.Context) error {
	for len(a.unstored) > 0 {
		limited, cancel := context.WithTimeout(ctx, surveyWithin)
		err := a.d.cluster.PutAcquired(limited, a.Namespace, a.d.cfg.Key.ID().String(), a.unstored[0].secret())
		cancel()
		if err != nil {
			return err
		}
		a.unstored = a.unstored[1:]
	}
	return nil
}

// live lists the acquired leases that are not over, and drops the Secrets of
// those that are.
func (a *acquirer) live(ctx context.Context) ([]Acquired, error) {
	limited, cancel := context.WithTimeout(ctx, surveyWithin)
	defer cancel()
	ids, err := a.d.cluster.AcquiredLeases(limited, a.Namespace, a.d.cfg.Key.ID().String())
	if err != nil {
		return nil, err
	}
	var live []Acquired
	for _, id := range ids {
		l, ok, err := a.Requester.Lease(id)
		switch {
		case err != nil:
			return nil, err
		case ok:
			live = append(live, l)
		default:
			if err := a.d.cluster.DropAcquired(limited, a.Namespace, id); err != nil {
				return nil, err
			}
			a.d.cfg.Log.Info("acquired lease is over", "lease", id)
		}
	}
	return live, nil
}
