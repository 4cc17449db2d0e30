package k8s

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/angler-dex/angler/internal/k8s/manifest"
)

// A token can be had anew while the lease lives, works beside the earlier one, goes with the Secret, and comes back.
func TestTokenAnew(t *testing.T) {
	t.Parallel()
	c, spec, ctx := testCluster(t, nil), leaseOf(t, ""), testContext(t)
	first, tenant := provision(t, c, spec)
	anew := func() Grant {
		t.Helper()
		spec.Expires = spec.Expires.Add(time.Hour)
		token, expires, err := c.Token(ctx, spec.Provider, spec.LeaseID, spec.Expires)
		if err != nil {
			t.Fatal(err)
		}
		if off := expires.Sub(spec.Expires); off > 5*time.Second || off < -patience {
			t.Errorf("the token is off by %v", off)
		}
		g := first
		g.Token, g.Expires = token, expires
		return g
	}
	second := anew()
	if second.Token == first.Token {
		t.Error("the same token")
	}
	for name, client := range map[string]Grant{"first": first, "second": second} {
		if _, err := tenantOf(t, client).CoreV1().Pods(first.Namespace).List(ctx, metav1.ListOptions{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The tenant's own way of revoking what it has lost.
	if err := tenant.CoreV1().Secrets(first.Namespace).Delete(ctx, manifest.TokenSecret, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	third := tenantOf(t, anew())
	if _, err := third.CoreV1().Pods(first.Namespace).List(ctx, metav1.ListOptions{}); err != nil {
		t.Errorf("after the Secret was deleted: %v", err)
	}
	eventually(ctx, t, "what was bound to the old Secret is refused", func() bool {
		_, err := tenantOf(t, second).CoreV1().Pods(first.Namespace).List(ctx, metav1.ListOptions{})
		return apierrors.IsUnauthorized(err)
	})
}

// There is nothing to have of a lease that is over, was never there, or is somebody else's.
func TestNothingOfADeadLease(t *testing.T) {
	t.Parallel()
	c, spec, ctx := testCluster(t, nil), leaseOf(t, ""), testContext(t)
	ask := func(spec manifest.Spec) map[string]error {
		_, _, token := c.Token(ctx, spec.Provider, spec.LeaseID, spec.Expires)
		_, usage := c.Usage(ctx, spec.Provider, spec.LeaseID)
		return map[string]error{"token": token, "usage": usage, "notice": c.Notice(ctx, spec.Provider, spec.LeaseID, Notice{NoticeExpiry, time.Now()})}
	}
	for what, err := range ask(spec) {
		if !errors.Is(err, ErrNoLease) {
			t.Errorf("%s of a lease that never was: %v", what, err)
		}
	}
	provision(t, c, spec)
	foreign := spec
	foreign.Provider = id("another")
	if _, _, err := c.Token(ctx, foreign.Provider, foreign.LeaseID, foreign.Expires); !errors.Is(err, ErrNoLease) {
		t.Errorf("another provider's token: %v", err)
	}
	over := spec
	over.Expires = time.Now().Add(-time.Second)
	if _, _, err := c.Token(ctx, over.Provider, over.LeaseID, over.Expires); !errors.Is(err, ErrExpired) {
		t.Errorf("token of a lease that has ended: %v", err)
	}
	if err := c.Release(ctx, spec.Provider, spec.LeaseID); err != nil {
		t.Fatal(err)
	}
	for what, err := range ask(spec) {
		if !errors.Is(err, ErrNoLease) {
			t.Errorf("%s of a released lease: %v", what, err)
		}
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	c, spec, ctx := testCluster(t, nil), leaseOf(t, ""), testContext(t)
	grant, tenant := provision(t, c, spec)
	if err := start(t, tenant, grant.Namespace, pod("p", "1500m", "1Gi")); err != nil {
		t.Fatal(err)
	}
	eventually(ctx, t, "a pod is counted", func() bool {
		list, err := c.Usage(ctx, spec.Provider, spec.LeaseID)
		if err != nil {
			t.Fatal(err)
		}
		sorted := slices.IsSortedFunc(list, func(a, b Usage) int { return strings.Compare(a.Resource, b.Resource) })
		seen := map[string]string{}
		for _, u := range list {
			seen[u.Resource] = u.Used + "/" + u.Hard
		}
		if _, listed := seen["services.loadbalancers"]; listed || !sorted {
			t.Fatalf("%v", seen)
		}
		return seen["requests.cpu"] == "1500m/2" && seen["limits.memory"] == "1Gi/2Gi" && seen["pods"] == "1/40"
	})
}

// A notice is there for the tenant to see, once however often it is given, outlives a provision, and goes with a renewal.
func TestNotice(t *testing.T) {
	t.Parallel()
	c, spec, ctx := testCluster(t, nil), leaseOf(t, ""), testContext(t)
	grant, tenant := provision(t, c, spec)
	ends := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	annotations := func() map[string]string {
		t.Helper()
		there, err := tenant.CoreV1().Namespaces().Get(ctx, grant.Namespace, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if there.Annotations[manifest.AnnotationRequester] != spec.Requester || there.Labels["pod-security.kubernetes.io/enforce"] != "restricted" {
			t.Errorf("what was there: %v, %v", there.Annotations, there.Labels)
		}
		return there.Annotations
	}
	give := func(n Notice) {
		t.Helper()
		for range 2 {
			if err := c.Notice(ctx, spec.Provider, spec.LeaseID, n); err != nil {
				t.Fatal(err)
			}
		}
	}
	events := func() []string {
		t.Helper()
		list, err := tenant.EventsV1().Events(grant.Namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		var notes []string
		for _, e := range list.Items {
			if e.Regarding.Name != grant.Namespace || e.Reason != "LeaseEnds" && e.Reason != "LeaseRenewed" && e.Reason != "LeaseReclaimed" {
				t.Errorf("%+v", e)
			}
			notes = append(notes, e.Note)
		}
		slices.Sort(notes)
		return notes
	}
	give(Notice{NoticeExpiry, ends})
	provision(t, c, spec)
	const ending = "the lease ends at 2030-01-02T03:04:05Z unless it is renewed"
	if a := annotations(); a[manifest.AnnotationNotice] != ending || a[manifest.AnnotationExpires] != spec.Expires.UTC().Format(time.RFC3339) {
		t.Errorf("%v", a)
	}
	if got := events(); !slices.Equal(got, []string{ending}) {
		t.Errorf("events %q", got)
	}
	later := ends.Add(time.Hour)
	give(Notice{NoticeRenewed, later})
	if a := annotations(); a[manifest.AnnotationNotice] != "" || a[manifest.AnnotationExpires] != "2030-01-02T04:04:05Z" {
		t.Errorf("after a renewal: %v", a)
	}
	give(Notice{NoticeReclaim, ends})
	if a := annotations(); a[manifest.AnnotationNotice] != "the provider takes the lease back at 2030-01-02T03:04:05Z" || a[manifest.AnnotationExpires] != "2030-01-02T03:04:05Z" {
		t.Errorf("after a reclaim: %v", a)
	}
	if got := events(); len(got) != 3 {
		t.Errorf("events %q", got)
	}
	if err := c.Notice(ctx, spec.Provider, spec.LeaseID, Notice{Ends: ends}); err == nil {
		t.Error("a notice of no kind")
	}
}

func TestEndpoint(t *testing.T) {
	for server, want := range map[string]Endpoint{
		"https://k.example":                          {"k.example:443", "k.example"},
		"https://192.0.2.1:6443":                     {"192.0.2.1:6443", "192.0.2.1"},
		"https://[2001:db8::1]:6443":                 {"[2001:db8::1]:6443", "2001:db8::1"},
		"https://rancher.example/k8s/clusters/c-m-1": {"rancher.example:443", "rancher.example"},
		"http://k.example":                           {},
		"https://user@k.example":                     {},
		"https://k.example:99999":                    {},
	} {
		if got := (Grant{Server: server}).Endpoint(); got != want {
			t.Errorf("%s: %+v", server, got)
		}
	}
	c := testCluster(t, nil)
	if e := c.Endpoint(); "https://"+e.Address != c.Server() || e.ServerName != "127.0.0.1" {
		t.Errorf("%+v", e)
	}
}

// A cluster that is gone while it is asked is tried until the deadline.
func TestLiveCallsEndWithTheirContext(t *testing.T) {
	t.Parallel()
	c, spec := testCluster(t, nil), leaseOf(t, "")
	ctx, cancel := context.WithCancel(testContext(t))
	cancel()
	if _, _, err := c.Token(ctx, spec.Provider, spec.LeaseID, spec.Expires); !errors.Is(err, context.Canceled) {
		t.Errorf("token: %v", err)
	}
	if _, err := c.Usage(ctx, spec.Provider, spec.LeaseID); !errors.Is(err, context.Canceled) {
		t.Errorf("usage: %v", err)
	}
	if err := c.Notice(ctx, spec.Provider, spec.LeaseID, Notice{NoticeExpiry, time.Now()}); !errors.Is(err, context.Canceled) {
		t.Errorf("notice: %v", err)
	}
}
