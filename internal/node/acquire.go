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
	// Request runs one request; the lease is stored when it returns, and as one of
	// ours before anybody provides it.
	Request(ctx context.Context) (Acquired, error)
	// Renew makes a lease longer by the term.
	Renew(ctx context.Context, id string) (Acquired, error)
	// Leases lists what is stored of ours and not over, also that of which the
	// request was interrupted. They have no kubeconfigs here.
	Leases() ([]Acquired, error)
	// Resume has a lease's kubeconfig, and finishes its request if need be.
	Resume(ctx context.Context, id string) (Acquired, error)
}

// Acquired is a lease that was requested.
type Acquired struct {
	ID         string
	Ends       time.Time // zero: it is not granted yet
	Kubeconfig []byte
}

func (a Acquired) secret() k8s.Acquired {
	return k8s.Acquired{LeaseID: a.ID, Expires: a.expires(), Kubeconfig: a.Kubeconfig}
}

func (a Acquired) expires() string { return a.Ends.UTC().Format(time.RFC3339) }

// acquirer is what acquires, owned by its run. What leases there are is in the
// requester's files, and which of them have Secrets in the cluster: it goes by
// these alone, so that it may die at any moment.
type acquirer struct {
	*Acquire
	d    *daemon
	last time.Time // try
	said string
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
	live, faults, err := a.match(ctx)
	if err != nil {
		return err
	}
	seen, err := a.d.surplus.recent()
	if err != nil {
		return errors.Join(append(faults, err)...) // what is not known is not short
	}
	if seen.Free(takenOf(a.d.ledger.Promised())) >= int64(a.Below) {
		return errors.Join(faults...)
	}
	for _, l := range live {
		if !l.Ends.IsZero() && l.Ends.Sub(a.d.wall()) < a.Term/5 {
			renewed, err := a.Requester.Renew(ctx, l.ID)
			if err == nil {
				a.d.cfg.Log.Info("acquired lease renewed", "lease", l.ID[:10])
				err = a.put(ctx, renewed)
			}
			faults = append(faults, err)
		}
	}
	if len(live) < a.Most && (a.last.IsZero() || a.d.wall().Sub(a.last) >= a.Pause) {
		a.last = a.d.wall()
		a.d.cfg.Log.Info("the cluster is short of capacity; asking for some")
		got, err := a.Requester.Request(ctx)
		if err == nil {
			a.d.cfg.Log.Info("lease acquired", "lease", got.ID[:10], "namespace", a.Namespace)
			err = a.put(ctx, got)
		}
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}

func (a *acquirer) put(ctx context.Context, l Acquired) error {
	limited, cancel := context.WithTimeout(ctx, surveyWithin)
	defer cancel()
	return a.d.cluster.PutAcquired(limited, a.Namespace, a.d.cfg.Key.ID().String(), l.secret())
}

// match makes the Secrets be those of the leases that are not over, and lists
// these. A lease without one, or whose Secret is of an earlier term, is one that an
// earlier process, or an API server that was away, has kept us from writing; that
// it cannot be had now is a fault, and keeps us from nothing else.
func (a *acquirer) match(ctx context.Context) (live []Acquired, faults []error, err error) {
	if live, err = a.Requester.Leases(); err != nil {
		return nil, nil, err
	}
	limited, cancel := context.WithTimeout(ctx, surveyWithin)
	defer cancel()
	secrets, err := a.d.cluster.AcquiredLeases(limited, a.Namespace, a.d.cfg.Key.ID().String())
	if err != nil {
		return nil, nil, err
	}
	for k, l := range live {
		said, stored := secrets[l.ID]
		delete(secrets, l.ID)
		if stored && said == l.expires() {
			continue
		}
		whole, err := a.Requester.Resume(ctx, l.ID)
		if err == nil {
			live[k] = whole
			err = a.put(ctx, whole)
		}
		if err != nil {
			faults = append(faults, err)
			continue
		}
		a.d.cfg.Log.Info("acquired lease taken up again", "lease", l.ID[:10], "namespace", a.Namespace)
	}
	for id := range secrets {
		if err := a.d.cluster.DropAcquired(limited, a.Namespace, id); err != nil {
			return nil, nil, err
		}
		a.d.cfg.Log.Info("acquired lease is over", "lease", id)
	}
	return live, faults, nil
}
