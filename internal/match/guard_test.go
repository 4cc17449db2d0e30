package match_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/angler-dex/angler/internal/k8s"
	"github.com/angler-dex/angler/internal/k8s/k8stest"
	"github.com/angler-dex/angler/internal/k8s/manifest"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match"
	"github.com/angler-dex/angler/internal/match/matchtest"
)

// A lease whose namespace somebody deletes is over: its capacity is free, its
// requester is told why, whatever it asks, and what was signed is kept.
func TestDeletedNamespaceEndsItsLease(t *testing.T) {
	kept := map[market.LeaseID][]byte{}
	b := newLeaseBench(t, func(c *match.ProviderConfig) {
		c.Archive = func(id market.LeaseID, receipts []byte) error { kept[id] = receipts; return nil }
	})
	l, g := b.activate(3)
	b.p.Cluster.Meddle(l.ID.String())
	b.await(l, market.Released)
	b.nothingLeft()
	if r := b.p.Lease(l.ID).Reason; r != market.Deleted.String() {
		t.Errorf("it ended because %q", r)
	}
	_, token := b.token(l, g)
	_, show := b.show(l)
	for what, err := range map[string]error{"token": token, "show": show} {
		refused, ok := errors.AsType[*match.RefusedError](err)
		if !ok || refused.Status != match.StatusGone || refused.Notice != market.NoticeDeleted || !strings.Contains(err.Error(), "was deleted") {
			t.Errorf("%s: %v", what, err)
		}
	}
	b.p.Stop()
	if list, err := match.ParseReceipts(kept[l.ID]); err != nil || len(list) != 1 {
		t.Errorf("kept are %d receipts, %v", len(list), err)
	}
}

// What is gone while the daemon is away is found when it is back; a grant that is
// not confirmed yet is no exception.
func TestDeletedWhileAway(t *testing.T) {
	b := newLeaseBench(t)
	l := b.p.Reserve(b.r.Key.ID(), 3)
	b.mustClaim(l)
	b.p.Stop()
	b.p.Cluster.Meddle(l.ID.String())
	b.p.Start()
	b.await(l, market.Released)
	b.nothingLeft()
}

// A cluster that is away, for however long, has deleted nothing; and while it is,
// what needs no cluster can be had.
func TestClusterAwayEndsNothing(t *testing.T) {
	b := newLeaseBench(t)
	l, g := b.activate(3)
	asked := make(chan struct{}, 1)
	b.p.Cluster.Before(func(_ context.Context, op matchtest.Op, _ string) error {
		if op == matchtest.Restore {
			select {
			case asked <- struct{}{}:
			default:
			}
		}
		return k8s.ErrUnreached
	})
	b.p.Cluster.Meddle(l.ID.String())
	<-asked
	waitSweeps(t, b.p)
	if s := b.state(l); s != market.Active {
		t.Fatalf("the lease is %s", s)
	}
	if err := b.renew(l, g, 2*time.Hour); err != nil {
		t.Errorf("renewal: %v", err)
	}
	b.p.Cluster.Before(nil)
	b.Clock.Pass(time.Minute)
	b.await(l, market.Released) // now it says so
}

// A daemon that is started with another cluster's kubeconfig ends nothing, and goes
// on when it has the right one again.
func TestAnotherClusterEndsNothing(t *testing.T) {
	b := newLeaseBench(t)
	l, _ := b.activate(3)
	right, wrong := b.p.Cluster, matchtest.NewCluster(t)
	b.p.Stop()
	b.p.Cluster = wrong
	looked := make(chan struct{}, 1)
	wrong.Before(func(_ context.Context, op matchtest.Op, _ string) error {
		if op == matchtest.Restore {
			select {
			case looked <- struct{}{}:
			default:
			}
		}
		return nil
	})
	b.p.Start()
	<-looked
	waitSweeps(t, b.p)
	if s := b.state(l); s != market.Active {
		t.Fatalf("the lease is %s", s)
	}
	b.p.Stop()
	b.p.Cluster = right
	right.Meddle(l.ID.String())
	b.p.Start()
	b.await(l, market.Released)
}

// What somebody changes is put back; who does so again and again does not keep
// the daemon busy; and nothing of what is logged is a secret.
func TestChangesArePutBack(t *testing.T) {
	b := newLeaseBench(t)
	l, _ := b.activate(3)
	settled := func() int {
		b.Clock.Pass(10 * time.Minute)
		before := -1
		waitFor(t, "all to be looked at", func() bool {
			n := b.p.Cluster.Calls(matchtest.Restore)
			defer func() { before = n }()
			waitSweeps(t, b.p)
			return n == before
		})
		return b.p.Cluster.Calls(matchtest.Restore)
	}
	n := settled()
	b.p.Cluster.Meddle(l.ID.String(), "resourcequotas/angler")
	waitFor(t, "it to be put back", func() bool { return b.p.Cluster.Calls(matchtest.Restore) == n+1 })
	for range 5 {
		b.p.Cluster.Meddle(l.ID.String(), "resourcequotas/angler")
		waitSweeps(t, b.p)
	}
	if more := b.p.Cluster.Calls(matchtest.Restore) - n; more != 1 {
		t.Errorf("put back %d times without a pause", more)
	}
	settled()
	if s := b.state(l); s != market.Active {
		t.Errorf("the lease is %s", s)
	}
}

// A tenant that changes the Secret of its token all the time, in a way that needs
// no putting back, does not keep the daemon busy; nor does it hide anything.
func TestSuspicionsHaveAPace(t *testing.T) {
	b := newLeaseBench(t)
	l, _ := b.activate(3)
	start := b.p.Cluster.Calls(matchtest.Restore)
	touch := func() int {
		b.p.Cluster.Touch(l.ID.String())
		waitSweeps(t, b.p)
		return b.p.Cluster.Calls(matchtest.Restore) - start
	}
	waitFor(t, "as many looks as may be made at once", func() bool { return touch() >= 14 })
	for range 200 {
		touch()
	}
	if n := touch(); n > 17 {
		t.Errorf("looked at %d times in a moment", n)
	}
	b.Clock.Pass(30 * time.Second)
	before := touch()
	waitFor(t, "another look, after a while", func() bool { return touch() > before })
	for range 200 {
		touch()
	}
	if n := touch(); n > 20 {
		t.Errorf("looked at %d times in half a minute", n)
	}
	b.p.Cluster.Meddle(l.ID.String())
	b.Clock.Pass(30 * time.Second)
	b.await(l, market.Released)
}

// A lease that we end ourselves is nobody's to find missing.
func TestOwnEndIsNoDeletion(t *testing.T) {
	b := newLeaseBench(t)
	l, _ := b.activate(3)
	b.p.Cluster.After(func(_ context.Context, op matchtest.Op, lease string) error {
		if op == matchtest.Release {
			go b.p.Cluster.Meddle(lease)
		}
		return nil
	})
	if err := b.release(l); err != nil {
		t.Fatal(err)
	}
	waitSweeps(t, b.p)
	if r := b.p.Lease(l.ID).Reason; r != "released by its requester" {
		t.Errorf("it ended because %q", r)
	}
}

// A cluster that is not watched is noticed all the same when its requester asks for
// something that takes the namespace.
func TestDeletionIsNoticedByAsking(t *testing.T) {
	b := newLeaseBench(t)
	for what, ask := range map[string]func(market.Lease, match.Granted){
		"token": func(l market.Lease, g match.Granted) { _, _ = b.token(l, g) },
		"usage": func(l market.Lease, _ match.Granted) { _, _ = b.show(l) },
	} {
		l, g := b.activate(3)
		if err := b.p.Cluster.Release(b.Context(), b.p.Key.ID().String(), l.ID.String()); err != nil { // nobody hears of it
			t.Fatal(err)
		}
		waitSweeps(t, b.p)
		if s := b.state(l); s != market.Active {
			t.Fatalf("%s: %s before anybody has asked", what, s)
		}
		ask(l, g)
		b.await(l, market.Released)
	}
}

// What was agreed by another template or version is looked at, and not changed.
func TestAgreedByOthersIsLeftAlone(t *testing.T) {
	b := newLeaseBench(t)
	l, _ := b.activate(3)
	if _, err := b.p.Ledger.Edit(l.ID, func(l *market.Lease) { l.Manifest[0] ^= 1 }); err != nil {
		t.Fatal(err)
	}
	b.p.Stop()
	restored := b.p.Cluster.Calls(matchtest.Restore)
	b.p.Start()
	waitFor(t, "it to be looked at", func() bool { return b.p.Cluster.Calls(matchtest.Look) > 0 })
	if n := b.p.Cluster.Calls(matchtest.Restore); n != restored {
		t.Error("it was changed")
	}
	b.p.Cluster.Meddle(l.ID.String())
	b.await(l, market.Released)
}

// On a real control plane: an edited quota, an opened namespace and a deleted one,
// seen by a daemon that nobody asked for anything.
func TestGuardOnKubernetes(t *testing.T) {
	kubeconfig := k8stest.Start(t)
	cluster, err := k8s.Open(k8s.Config{Kubeconfig: kubeconfig, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	admin := adminOf(t, kubeconfig)
	b := newLeaseBench(t, func(c *match.ProviderConfig) { c.Cluster = cluster })
	ctx := b.Context()
	l, g := b.activate(3)
	ns := g.Grant.Namespace
	saysWhen := func() bool {
		got, gone := admin.CoreV1().Namespaces().Get(ctx, ns, metav1.GetOptions{})
		return gone == nil && got.Annotations[manifest.AnnotationExpires] == b.p.Lease(l.ID).Expires.UTC().Format(time.RFC3339)
	}
	waitFor(t, "the namespace to say when the lease ends", saysWhen)
	if err = b.renew(l, g, 2*time.Hour); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the namespace to say when the renewed lease ends", saysWhen)
	_, err = admin.CoreV1().ResourceQuotas(ns).Patch(ctx, manifest.QuotaName, types.MergePatchType, []byte(`{"spec":{"hard":{"limits.cpu":"64"}}}`), metav1.PatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = admin.CoreV1().Namespaces().Patch(ctx, ns, types.MergePatchType, []byte(`{"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"privileged"}}}`), metav1.PatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
	waitFor(t, "both to be put back", func() bool {
		q, quotaErr := admin.CoreV1().ResourceQuotas(ns).Get(ctx, manifest.QuotaName, metav1.GetOptions{})
		n, err := admin.CoreV1().Namespaces().Get(ctx, ns, metav1.GetOptions{})
		limit := q.Spec.Hard["limits.cpu"]
		return quotaErr == nil && err == nil && limit.String() == "3" && n.Labels["pod-security.kubernetes.io/enforce"] == "restricted"
	})
	waitFor(t, "an event that the tenant sees", func() bool {
		events, err := tenant(t, g.Grant, nil).CoreV1().Events(ns).List(ctx, metav1.ListOptions{})
		return err == nil && slices.ContainsFunc(events.Items, func(e corev1.Event) bool { return e.Reason == "LeaseRestored" })
	})
	if s := b.mustShow(l); s.State != market.Active {
		t.Errorf("the lease is %s", s.State)
	}
	if err := admin.CoreV1().Namespaces().Delete(ctx, ns, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	b.await(l, market.Released)
	if reserved, _ := b.p.Used(); reserved != 0 {
		t.Errorf("%d units are reserved", reserved)
	}
	waitFor(t, "the namespace to be gone", func() bool {
		_, err := admin.CoreV1().Namespaces().Get(ctx, ns, metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	})
}

// renew makes a lease last for a term, from its grant.
func (b *leaseBench) renew(l market.Lease, g match.Granted, total time.Duration) error {
	r, err := b.prepare(l, g.Receipt, total)
	if err != nil {
		return err
	}
	return b.take(l, r)
}
