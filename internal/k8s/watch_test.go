package k8s

import (
	"context"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/angler-dex/angler/internal/k8s/manifest"
)

// heard keeps what a Watch has said.
type heard struct {
	mu      sync.Mutex
	changed map[string]int
	missed  int
	failed  map[string]error
}

// watching watches a provider's leases until the test ends, and returns when all kinds are watched.
func watching(t *testing.T, c *Cluster, provider string) *heard {
	t.Helper()
	h := &heard{changed: map[string]int{}, failed: map[string]error{}}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		_ = c.Watch(ctx, provider, Watcher{
			Changed: func(id string) { h.mu.Lock(); h.changed[id]++; h.mu.Unlock() },
			Missed:  func() { h.mu.Lock(); h.missed++; h.mu.Unlock() },
			Failed:  func(kind string, err error) { h.mu.Lock(); h.failed[kind] = err; h.mu.Unlock() },
		})
	})
	t.Cleanup(func() { cancel(); running.Wait() })
	eventually(testContext(t), t, "all kinds are watched", func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		return h.missed == len(watched)
	})
	return h
}

func (h *heard) of(lease string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.changed[lease]
}

// drifts are what an administrator may do to what confines a tenant, each with what is put back.
var drifts = []struct {
	name, restored string
	do             func(ctx context.Context, admin *kubernetes.Clientset, ns string) error
	stands         func(ctx context.Context, admin *kubernetes.Clientset, ns string) bool // as it was agreed
}{
	{"a larger quota", "resourcequotas/angler", func(ctx context.Context, admin *kubernetes.Clientset, ns string) error {
		q, err := admin.CoreV1().ResourceQuotas(ns).Get(ctx, manifest.QuotaName, metav1.GetOptions{})
		if err == nil {
			q.Spec.Hard["limits.cpu"] = resource.MustParse("64")
			_, err = admin.CoreV1().ResourceQuotas(ns).Update(ctx, q, metav1.UpdateOptions{FieldManager: "somebody"})
		}
		return err
	}, func(ctx context.Context, admin *kubernetes.Clientset, ns string) bool {
		q, err := admin.CoreV1().ResourceQuotas(ns).Get(ctx, manifest.QuotaName, metav1.GetOptions{})
		limit := q.Spec.Hard["limits.cpu"]
		return err == nil && limit.String() == "2"
	}},
	{"a limit taken out of the quota", "resourcequotas/angler", func(ctx context.Context, admin *kubernetes.Clientset, ns string) error {
		_, err := admin.CoreV1().ResourceQuotas(ns).Patch(ctx, manifest.QuotaName, types.MergePatchType, []byte(`{"spec":{"hard":{"pods":null}}}`), metav1.PatchOptions{})
		return err
	}, func(ctx context.Context, admin *kubernetes.Clientset, ns string) bool {
		q, err := admin.CoreV1().ResourceQuotas(ns).Get(ctx, manifest.QuotaName, metav1.GetOptions{})
		_, there := q.Spec.Hard[corev1.ResourcePods]
		return err == nil && there
	}},
	{"no quota", "resourcequotas/angler", func(ctx context.Context, admin *kubernetes.Clientset, ns string) error {
		return admin.CoreV1().ResourceQuotas(ns).Delete(ctx, manifest.QuotaName, metav1.DeleteOptions{})
	}, func(ctx context.Context, admin *kubernetes.Clientset, ns string) bool {
		_, err := admin.CoreV1().ResourceQuotas(ns).Get(ctx, manifest.QuotaName, metav1.GetOptions{})
		return err == nil
	}},
	{"an open network", "networkpolicies/deny-all", func(ctx context.Context, admin *kubernetes.Clientset, ns string) error {
		p, err := admin.NetworkingV1().NetworkPolicies(ns).Get(ctx, "deny-all", metav1.GetOptions{})
		if err == nil {
			p.Spec.Ingress = []networkingv1.NetworkPolicyIngressRule{{}}
			_, err = admin.NetworkingV1().NetworkPolicies(ns).Update(ctx, p, metav1.UpdateOptions{})
		}
		return err
	}, closed},
	{"no network policy", "networkpolicies/deny-all", func(ctx context.Context, admin *kubernetes.Clientset, ns string) error {
		return admin.NetworkingV1().NetworkPolicies(ns).Delete(ctx, "deny-all", metav1.DeleteOptions{})
	}, closed},
	{"another role bound", "rolebindings/tenant", func(ctx context.Context, admin *kubernetes.Clientset, ns string) error {
		if err := admin.RbacV1().RoleBindings(ns).Delete(ctx, manifest.TenantBinding, metav1.DeleteOptions{}); err != nil {
			return err
		}
		_, err := admin.RbacV1().RoleBindings(ns).Create(ctx, &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: manifest.TenantBinding},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cluster-admin"},
			Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: ns, Name: manifest.TenantAccount}},
		}, metav1.CreateOptions{})
		return err
	}, func(ctx context.Context, admin *kubernetes.Clientset, ns string) bool {
		b, err := admin.RbacV1().RoleBindings(ns).Get(ctx, manifest.TenantBinding, metav1.GetOptions{})
		return err == nil && b.RoleRef.Kind == "Role" && b.RoleRef.Name == "tenant"
	}},
	{"pods of any kind", "namespaces/", func(ctx context.Context, admin *kubernetes.Clientset, ns string) error {
		_, err := admin.CoreV1().Namespaces().Patch(ctx, ns, types.MergePatchType, []byte(`{"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"privileged"}}}`), metav1.PatchOptions{})
		return err
	}, func(ctx context.Context, admin *kubernetes.Clientset, ns string) bool {
		n, err := admin.CoreV1().Namespaces().Get(ctx, ns, metav1.GetOptions{})
		return err == nil && n.Labels["pod-security.kubernetes.io/enforce"] == "restricted"
	}},
	{"a namespace without its labels", "namespaces/", func(ctx context.Context, admin *kubernetes.Clientset, ns string) error {
		_, err := admin.CoreV1().Namespaces().Patch(ctx, ns, types.MergePatchType,
			[]byte(`{"metadata":{"labels":{"`+manifest.LabelProvider+`":null,"`+manifest.LabelLease+`":null,"pod-security.kubernetes.io/enforce":null}}}`), metav1.PatchOptions{})
		return err
	}, func(ctx context.Context, admin *kubernetes.Clientset, ns string) bool {
		n, err := admin.CoreV1().Namespaces().Get(ctx, ns, metav1.GetOptions{})
		return err == nil && n.Labels[manifest.LabelLease] != "" && n.Labels[manifest.LabelProvider] != "" && n.Labels["pod-security.kubernetes.io/enforce"] == "restricted"
	}},
}

func closed(ctx context.Context, admin *kubernetes.Clientset, ns string) bool {
	p, err := admin.NetworkingV1().NetworkPolicies(ns).Get(ctx, "deny-all", metav1.GetOptions{})
	return err == nil && len(p.Spec.Ingress) == 0 && len(p.Spec.PolicyTypes) == 2
}

// What an administrator changes is heard of and put back, by a daemon that has no rights but those of deploy/; and what the
// cluster and we ourselves do is no news.
func TestDriftIsHeardOfAndPutBack(t *testing.T) {
	t.Parallel()
	c, ctx := clusterAs(t, identity(t, "guard-"+strings.ToLower(t.Name()), manifest.ProviderClusterRole())), testContext(t)
	admin := clientFor(t, adminConfig(t))
	spec := leaseOf(t, "")
	h := watching(t, c, spec.Provider)
	_, tenant := provision(t, c, spec)
	ns := manifest.NamespaceFor(spec.LeaseID)
	ends := spec.Expires.Add(-time.Minute)
	if err := c.Notice(ctx, spec.Provider, spec.LeaseID, Notice{NoticeExpiry, ends}); err != nil {
		t.Fatal(err)
	}
	if err := start(t, tenant, ns, pod("counted", "100m", "64Mi")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if restored, err := c.Restore(ctx, spec, ends); err != nil || len(restored) > 0 {
			t.Fatalf("of a lease that nobody touched: %v, %v", restored, err)
		}
	}
	if n := h.of(spec.LeaseID); n != 0 {
		t.Errorf("%d changes by others, and there was none", n)
	}
	for _, d := range drifts {
		before := h.of(spec.LeaseID)
		if err := d.do(ctx, admin, ns); err != nil {
			t.Fatalf("%s: %v", d.name, err)
		}
		eventually(ctx, t, d.name+" is heard of", func() bool { return h.of(spec.LeaseID) > before })
		restored, err := c.Restore(ctx, spec, ends)
		if err != nil || len(restored) != 1 || !strings.HasPrefix(restored[0], d.restored) {
			t.Errorf("%s: restored %v, %v", d.name, restored, err)
		}
		if !d.stands(ctx, admin, ns) {
			t.Errorf("%s still", d.name)
		}
		if again, err := c.Restore(ctx, spec, ends); err != nil || len(again) > 0 {
			t.Errorf("%s, again: %v, %v", d.name, again, err)
		}
	}
	there, err := admin.CoreV1().Namespaces().Get(ctx, ns, metav1.GetOptions{})
	if err != nil || there.Annotations[manifest.AnnotationExpires] != ends.UTC().Format(time.RFC3339) || there.Annotations[manifest.AnnotationNotice] == "" {
		t.Errorf("the namespace says %v, %v", there.Annotations, err)
	}
	events, err := tenant.CoreV1().Events(ns).List(ctx, metav1.ListOptions{})
	told := slices.ContainsFunc(events.Items, func(e corev1.Event) bool {
		return e.Reason == "LeaseRestored" && strings.Contains(e.Message, "resourcequotas/angler")
	})
	if err != nil || !told {
		t.Errorf("the tenant sees no event of it: %v", err)
	}
	if h.mu.Lock(); len(h.failed) > 0 {
		t.Errorf("not seen: %v", h.failed)
	}
	h.mu.Unlock()
}

// A namespace that somebody deletes is heard of, and told from an API server that is away, that knows us no more, or that is
// not one.
func TestGoneIsToldFromUnreached(t *testing.T) {
	t.Parallel()
	c, ctx := clusterAs(t, identity(t, "guard-"+strings.ToLower(t.Name()), manifest.ProviderClusterRole())), testContext(t)
	admin := clientFor(t, adminConfig(t))
	spec := leaseOf(t, "")
	h := watching(t, c, spec.Provider)
	grant, _ := provision(t, c, spec)
	ns := manifest.NamespaceFor(spec.LeaseID)
	if err := c.Look(ctx, spec.Provider, spec.LeaseID); err != nil {
		t.Fatal(err)
	}
	elsewhere := func(s *httptest.Server) *Cluster {
		t.Cleanup(s.Close)
		cfg := &rest.Config{Host: s.URL, TLSClientConfig: rest.TLSClientConfig{CAData: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})}}
		cluster, err := open(cfg, Config{Now: time.Now}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return cluster
	}
	stopped := httptest.NewTLSServer(nil)
	stopped.Close()
	nobody, err := open(rest.AnonymousClientConfig(adminConfig(t)), Config{Now: time.Now}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, cluster := range map[string]*Cluster{
		"nobody there": elsewhere(stopped), "nobody knows us": nobody,
		"a proxy that finds nothing": elsewhere(httptest.NewTLSServer(http.HandlerFunc(http.NotFound))),
	} {
		if err := cluster.Look(ctx, spec.Provider, spec.LeaseID); err == nil || errors.Is(err, ErrNoLease) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if foreign := elsewhere(httptest.NewTLSServer(nil)); !c.Made(grant) || foreign.Made(grant) {
		t.Error("clusters are not told apart")
	}
	// One that says nothing of itself any more is not gone: its tenant is still in it.
	n, fault := admin.CoreV1().Namespaces().Get(ctx, ns, metav1.GetOptions{})
	if fault == nil {
		n.Labels, n.Annotations = nil, nil
		_, fault = admin.CoreV1().Namespaces().Update(ctx, n, metav1.UpdateOptions{FieldManager: "somebody"})
	}
	if fault != nil {
		t.Fatal(fault)
	}
	if err := c.Look(ctx, spec.Provider, spec.LeaseID); err != nil {
		t.Error(err)
	}
	if restored, err := c.Restore(ctx, spec, spec.Expires); err != nil || len(restored) != 1 {
		t.Errorf("restored %v, %v", restored, err)
	}
	before := h.of(spec.LeaseID)
	if err := admin.CoreV1().Namespaces().Delete(ctx, ns, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(ctx, t, "the deletion is heard of", func() bool { return h.of(spec.LeaseID) > before })
	if err := c.Look(ctx, spec.Provider, spec.LeaseID); !errors.Is(err, ErrNoLease) {
		t.Errorf("a namespace that is being deleted, or gone: %v", err)
	}
	if _, err := c.Restore(ctx, spec, spec.Expires); !errors.Is(err, ErrNoLease) {
		t.Errorf("restored after its end: %v", err)
	}
	eventually(ctx, t, "the namespace is gone", func() bool {
		_, err := admin.CoreV1().Namespaces().Get(ctx, ns, metav1.GetOptions{})
		return absent(err)
	})
	if err := c.Look(ctx, spec.Provider, spec.LeaseID); !errors.Is(err, ErrNoLease) {
		t.Errorf("a namespace that is gone: %v", err)
	}
	// Somebody's namespace that happens to have the name.
	if _, err := admin.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Restore(ctx, spec, spec.Expires); !errors.Is(err, ErrNoLease) {
		t.Errorf("another namespace of its name: %v", err)
	}
	if there, err := admin.CoreV1().Namespaces().Get(ctx, ns, metav1.GetOptions{}); err != nil || there.Labels[manifest.LabelLease] != "" {
		t.Errorf("it was touched: %v, %v", there.Labels, err)
	}
}

// What ends each watch at once, as a proxy may, is not asked again at once.
func TestWatchThatEndsAtOnce(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	asked := map[string][]time.Time{}
	s := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked[r.URL.Path] = append(asked[r.URL.Path], time.Now())
	}))
	t.Cleanup(s.Close)
	cfg := &rest.Config{Host: s.URL, TLSClientConfig: rest.TLSClientConfig{CAData: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})}}
	c, err := open(cfg, Config{Now: time.Now}, nil)
	if err != nil {
		t.Fatal(err)
	}
	watching(t, c, "p")
	eventually(testContext(t), t, "all kinds are watched twice", func() bool {
		mu.Lock()
		defer mu.Unlock()
		n := 0
		for _, times := range asked {
			if len(times) > 1 {
				n++
			}
		}
		return n == len(watched)
	})
	mu.Lock()
	defer mu.Unlock()
	for path, times := range asked {
		if pause := times[1].Sub(times[0]); pause < watchAgainFrom {
			t.Errorf("%s again after %s", path, pause)
		}
	}
}
