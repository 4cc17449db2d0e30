package match

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/angler-dex/angler/internal/k8s"
	"github.com/angler-dex/angler/internal/k8s/manifest"
	"github.com/angler-dex/angler/internal/market"
)

// A lease's namespace is to be what was agreed for as long as the lease lasts,
// whoever else works in the cluster. The cluster says when somebody has changed
// something, and now and then every lease is looked at all the same; what is done
// then is always the same (check), so that it does not matter what was missed.

const (
	// lookEvery is how often every lease in use is looked at.
	lookEvery = 10 * time.Minute
	// restoreWithin bounds one look at a lease, and the putting back of what was
	// changed. The lease is in hand meanwhile.
	restoreWithin = 10 * time.Second
	// A lease is looked at as soon as it is suspected, but of many times at this
	// pace: its tenant may change the Secret of its own token as often as it likes,
	// which costs it one request, and each look costs us dozens.
	lookPace    = 10 * time.Second
	looksAtOnce = 16
)

// looked counts a look at a lease.
func (p *Provider) looked(id market.LeaseID) {
	now := p.Clock().Since
	p.mu.Lock()
	defer p.mu.Unlock()
	d := p.doubted[id]
	d.paid = max(d.paid, now) + lookPace
	p.doubted[id] = d
}

// relent ends the delays of a lease in which nothing was wrong. How often it was
// looked at is remembered until it ends.
func (p *Provider) relent(id market.LeaseID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.doubted[id] = delay{paid: p.doubted[id].paid}
}

// follow hears of what others do to leases in the cluster until ctx ends.
func (p *Provider) follow(ctx context.Context) {
	err := p.Cluster.Watch(ctx, p.Key.ID().String(), k8s.Watcher{Changed: p.suspect, Missed: p.suspectAll, Failed: p.blind})
	if err != nil && ctx.Err() == nil {
		p.Log.Error("the cluster's namespaces are not followed", "err", err)
	}
}

// blind says that changes of a kind of objects are not heard of, or are again: once
// for all kinds, if the cluster is away.
func (p *Provider) blind(resource string, err error) {
	p.mu.Lock()
	before := len(p.unheard)
	if p.unheard[resource] = true; err == nil {
		delete(p.unheard, resource)
	}
	now := len(p.unheard)
	p.mu.Unlock()
	switch {
	case errors.Is(err, k8s.ErrForbidden):
		p.Log.Warn("changes are not heard of, only looked for now and then: apply deploy/manifests/rbac.yaml", "of", resource, "every", lookEvery, "err", err)
	case before == 0 && now > 0:
		p.Log.Info("changes in the cluster are not heard of for a while", "err", err)
	case before > 0 && now == 0:
		p.Log.Info("changes in the cluster are heard of again")
	}
}

// suspect notes that somebody may have changed what a lease has in the cluster.
func (p *Provider) suspect(lease string) {
	id, err := market.ParseLeaseID(lease)
	if err != nil {
		return // a label that is none of ours
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.suspects[id] = true
}

// doubt suspects a lease of which a request has found no namespace.
func (p *Provider) doubt(id market.LeaseID, err error) {
	if errors.Is(err, k8s.ErrNoLease) {
		p.suspect(id.String())
	}
}

// suspectAll does so of all leases in use, and at once: if the cluster was away,
// it is back.
func (p *Provider) suspectAll() {
	var all []market.LeaseID
	for _, l := range p.Ledger.Leases() {
		if l.State.Usable() {
			all = append(all, l.ID)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.doubted)
	for _, id := range all {
		p.suspects[id] = true
	}
}

// checkAll starts the checks of leases that are in nobody's hands.
func (p *Provider) checkAll(s stage) {
	p.mu.Lock()
	ids := slices.Collect(maps.Keys(p.suspects))
	p.mu.Unlock()
	for _, id := range ids {
		if l, ok := p.Ledger.Lease(id); !ok || !l.State.Usable() {
			p.trust(id)
			continue
		}
		p.attend(s, id, p.doubted, p.check)
	}
}

// trust notes that there is nothing to look for in a lease, until the next time.
func (p *Provider) trust(id market.LeaseID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.suspects, id)
}

// check makes what a lease has in the cluster be what was agreed, and ends it if
// its namespace is gone: what the tenant had in it is lost, and an empty one in
// its place would pretend that nothing has happened. A cluster that does not
// answer has deleted nothing, and is asked again after a while.
func (p *Provider) check(ctx context.Context, lease market.Lease) error {
	p.trust(lease.ID) // what changes from here on is suspected again
	if !lease.State.Usable() {
		return nil
	}
	p.looked(lease.ID)
	limited, cancel := context.WithTimeout(ctx, restoreWithin)
	defer cancel()
	var restored []string
	var err error
	if spec, whole := p.agreed(lease); whole {
		restored, err = p.Cluster.Restore(limited, spec, lease.Expires)
	} else {
		err = p.Cluster.Look(limited, p.Key.ID().String(), lease.ID.String())
	}
	if len(restored) > 0 {
		p.Log.Warn("somebody has changed what a lease has in the cluster; it is put back", "lease", lease.ID.Short(), "objects", restored)
	}
	switch {
	case errors.Is(err, k8s.ErrNoLease) && p.elsewhere(lease):
		p.delay(p.doubted, lease.ID)
		p.suspect(lease.ID.String())
		return errOtherCluster
	case errors.Is(err, k8s.ErrNoLease):
		p.Log.Warn("somebody has deleted the namespace of a lease, which ends", "lease", lease.ID.Short(), "err", err)
		return p.endNow(ctx, lease, market.Deleted.String())
	case err != nil || len(restored) > 0: // who changes it again and again is not to keep us busy
		p.delay(p.doubted, lease.ID)
		p.suspect(lease.ID.String())
		return err
	}
	p.relent(lease.ID)
	return nil
}

// errOtherCluster says why a lease does not end although it has no namespace: a
// daemon that was started with the wrong kubeconfig is not to end all that it has.
var errOtherCluster = errors.New("its namespace is not there, but it was made in a cluster with another certificate authority; is --kubeconfig the right one?")

// elsewhere tells whether a lease was granted in another cluster than this.
func (p *Provider) elsewhere(lease market.Lease) bool {
	g, _, err := openDeed(lease)
	return err != nil || !p.Cluster.Made(g.typed())
}

// agreed is the spec by which a lease was provisioned, whose hash stands in its
// receipt; whole tells whether this daemon can still say it. If not, since the
// operator's template, the models or this program are others by now, the objects
// stay as they were agreed, and nothing is put back.
func (p *Provider) agreed(lease market.Lease) (spec manifest.Spec, whole bool) {
	d, err := readDeed(lease)
	if err != nil {
		return manifest.Spec{}, false
	}
	first, err := ReadReceipt(d.Receipt)
	if err != nil {
		return manifest.Spec{}, false
	}
	lease.Expires = lease.Started.Wall.Add(time.Duration(first.Seconds) * time.Second)
	if spec, err = specOf(lease, p.Key.ID(), p.House); err != nil {
		return manifest.Spec{}, false
	}
	hash, err := manifest.Hash(spec)
	return spec, err == nil && hash == lease.Manifest
}
