package k8s

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	rbacv1ac "k8s.io/client-go/applyconfigurations/rbac/v1"
	"k8s.io/client-go/rest"

	"github.com/angler-dex/angler/internal/k8s/manifest"
)

// roundTripper is a http.RoundTripper made of a function.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// What a grant costs: fifteen different requests (the trial of the quota is one of them, made twice). At most twelve may lie
// one behind the other; there are five, and those that the cluster is asked again until it has caught up.
func TestRequestsOfAProvision(t *testing.T) {
	t.Parallel()
	type span struct{ began, ended time.Duration }
	var mu sync.Mutex
	var spans []span
	seen := map[string]bool{}
	zero := time.Now()
	c := testCluster(t, func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			began := time.Since(zero)
			response, err := next.RoundTrip(r)
			mu.Lock()
			defer mu.Unlock()
			spans = append(spans, span{began, time.Since(zero)})
			seen[r.Method+" "+r.URL.Path] = true
			return response, err
		})
	})
	if _, err := c.Provision(testContext(t), leaseOf(t, "")); err != nil {
		t.Fatal(err)
	}
	// The longest chain of requests of which each began when the one before had its answer.
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.ended, b.ended) })
	chain, until := 0, time.Duration(-1)
	for _, s := range spans {
		if s.began > until {
			chain, until = chain+1, s.ended
		}
	}
	t.Logf("%d requests, %d different ones, %d one behind the other", len(spans), len(seen), chain)
	if len(seen) > 15 || chain > 12 {
		t.Errorf("%d different requests for a grant, %d one behind the other", len(seen), chain)
	}
}

// From a won match to a usable grant.
func BenchmarkProvision(b *testing.B) {
	c := testCluster(b, nil)
	for i := 0; b.Loop(); i++ {
		spec := leaseOf(b, fmt.Sprint(i))
		if _, err := c.Provision(b.Context(), spec); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := c.Release(b.Context(), spec.Provider, spec.LeaseID); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// Provisioning twice leaves one namespace, and both grants work. What somebody changed by hand is put right.
func TestProvisionTwice(t *testing.T) {
	t.Parallel()
	c, admin, spec := testCluster(t, nil), clientFor(t, adminConfig(t)), leaseOf(t, "")
	first, firstTenant := provision(t, c, spec)
	ctx := testContext(t)
	before, err := admin.CoreV1().Namespaces().Get(ctx, first.Namespace, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err = admin.NetworkingV1().NetworkPolicies(first.Namespace).Delete(ctx, "deny-all", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	wider := []byte(`{"spec":{"hard":{"requests.cpu":"1000","limits.cpu":"1000"}}}`)
	if _, err = admin.CoreV1().ResourceQuotas(first.Namespace).Patch(ctx, "angler", types.MergePatchType, wider, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}

	spec.Expires = spec.Expires.Add(time.Hour)
	second, secondTenant := provision(t, c, spec)
	after, err := admin.CoreV1().Namespaces().Get(ctx, second.Namespace, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if after.UID != before.UID {
		t.Error("another namespace")
	}
	if got, want := after.Annotations[manifest.AnnotationExpires], spec.Expires.UTC().Format(time.RFC3339); got != want {
		t.Errorf("the namespace says that it expires %s, want %s", got, want)
	}
	if after.Labels["pod-security.kubernetes.io/enforce"] != "restricted" {
		t.Errorf("labels %v", after.Labels)
	}
	if _, err := admin.NetworkingV1().NetworkPolicies(second.Namespace).Get(ctx, "deny-all", metav1.GetOptions{}); err != nil {
		t.Error(err)
	}
	if err := start(t, firstTenant, first.Namespace, pod("first", "1", "1Gi")); err != nil {
		t.Errorf("with the first grant: %v", err)
	}
	if err := start(t, secondTenant, second.Namespace, pod("second", "2", "1Gi")); err == nil || !strings.Contains(err.Error(), "exceeded quota") {
		t.Errorf("over the quota that was put right: %v", err)
	}
	if owned, err := c.Owned(ctx, spec.Provider); err != nil || len(owned) != 1 || owned[0] != (Owned{LeaseID: spec.LeaseID, Namespace: second.Namespace}) {
		t.Errorf("owned: %v, %v", owned, err)
	}
}

// The token says how long it lives, and no longer than what was asked for; ten minutes is the least that Kubernetes gives.
func TestTokenLife(t *testing.T) {
	t.Parallel()
	c := testCluster(t, nil)
	for name, want := range map[time.Duration]time.Duration{time.Hour: time.Hour, time.Minute: 10 * time.Minute} {
		spec := leaseOf(t, name.String())
		spec.Expires = time.Now().Add(name)
		grant, _ := provision(t, c, spec)
		if off := time.Until(grant.Expires) - want; off > 5*time.Second || off < -patience {
			t.Errorf("a lease of %v: token off by %v", name, off)
		}
	}
	spec := leaseOf(t, "over")
	spec.Expires = time.Now().Add(-time.Second)
	var failure *ProvisionError
	if _, err := c.Provision(testContext(t), spec); !errors.Is(err, ErrExpired) || !errors.As(err, &failure) || failure.Left != nil {
		t.Errorf("a lease that has ended: %v", err)
	}
	if _, err := c.Provision(testContext(t), manifest.Spec{}); err == nil {
		t.Error("an empty lease")
	}
}

// A namespace of the same name that is not this lease's stays as it is, byte for byte.
func TestForeignNamespace(t *testing.T) {
	t.Parallel()
	c, admin := testCluster(t, nil), clientFor(t, adminConfig(t))
	spec := leaseOf(t, "")
	for name, labels := range map[string]map[string]string{
		"no labels":        nil,
		"another provider": {manifest.LabelProvider: id("another"), manifest.LabelLease: spec.LeaseID},
		"another lease":    {manifest.LabelProvider: spec.Provider, manifest.LabelLease: id("another")},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := testContext(t)
			spec.Namespace = strings.ReplaceAll(name, " ", "-")
			_, err := admin.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: spec.Namespace, Labels: labels}}, metav1.CreateOptions{})
			if err != nil {
				t.Fatal(err)
			}
			before, err := admin.CoreV1().Namespaces().Get(ctx, spec.Namespace, metav1.GetOptions{})
			if err != nil {
				t.Fatal(err)
			}
			var failure *ProvisionError
			if _, err = c.Provision(ctx, spec); !errors.Is(err, ErrForeign) || !errors.As(err, &failure) || failure.Undone != "" || failure.Left != nil {
				t.Errorf("provision: %v", err)
			}
			if err = c.Release(ctx, spec.Provider, spec.LeaseID); err != nil {
				t.Errorf("release: %v", err)
			}
			after, err := admin.CoreV1().Namespaces().Get(ctx, spec.Namespace, metav1.GetOptions{})
			if err != nil || after.ResourceVersion != before.ResourceVersion {
				t.Errorf("the foreign namespace was touched: %v, %v", after, err)
			}
			if quotas, err := admin.CoreV1().ResourceQuotas(spec.Namespace).List(ctx, metav1.ListOptions{}); err != nil || len(quotas.Items) > 0 {
				t.Errorf("something was put into the foreign namespace: %v, %v", quotas, err)
			}
		})
	}
}

// A namespace that is being deleted is waited for and then made anew.
func TestProvisionAfterRelease(t *testing.T) {
	t.Parallel()
	c, spec := testCluster(t, nil), leaseOf(t, "")
	provision(t, c, spec)
	if err := c.Release(testContext(t), spec.Provider, spec.LeaseID); err != nil {
		t.Fatal(err)
	}
	grant, tenant := provision(t, c, spec)
	if err := start(t, tenant, grant.Namespace, pod("p", "1", "1Gi")); err != nil {
		t.Error(err)
	}
}

// identity makes a service account with a cluster role of the given rules and returns its configuration.
func identity(t *testing.T, name string, role *rbacv1ac.ClusterRoleApplyConfiguration) *rest.Config {
	t.Helper()
	ctx, cfg := testContext(t), adminConfig(t)
	admin := clientFor(t, cfg)
	role.WithName(name)
	if _, err := admin.RbacV1().ClusterRoles().Apply(ctx, role, metav1.ApplyOptions{FieldManager: "test"}); err != nil {
		t.Fatal(err)
	}
	if _, err := admin.CoreV1().ServiceAccounts("default").Create(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: name},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: "default", Name: name}},
	}
	if _, err := admin.RbacV1().ClusterRoleBindings().Create(ctx, binding, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	token, err := admin.CoreV1().ServiceAccounts("default").CreateToken(ctx, name, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	cfg = rest.AnonymousClientConfig(cfg)
	cfg.BearerToken = token.Status.Token
	// New rights take some milliseconds to reach the authorizer. All test identities may list namespaces.
	for self := clientFor(t, cfg); !may(ctx, t, self, "", "list", "", "namespaces"); {
		sleep(ctx, 10*time.Millisecond)
	}
	return cfg
}

func clusterAs(t *testing.T, cfg *rest.Config) *Cluster {
	t.Helper()
	c, err := open(cfg, Config{Now: time.Now, Rand: rand.Reader}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The documented cluster role is enough for everything, and holds no escalate, bind or impersonate (asserted in package manifest).
func TestProviderClusterRoleSuffices(t *testing.T) {
	t.Parallel()
	c := clusterAs(t, identity(t, "whole", manifest.ProviderClusterRole()))
	ctx, spec := testContext(t), leaseOf(t, "")
	if err := c.Ping(ctx); err != nil {
		t.Fatal(err)
	}
	grant, tenant := provision(t, c, spec)
	if err := start(t, tenant, grant.Namespace, pod("p", "1", "1Gi")); err != nil {
		t.Error(err)
	}
	if _, err := c.Provision(ctx, spec); err != nil {
		t.Errorf("again: %v", err)
	}
	if owned, err := c.Owned(ctx, spec.Provider); err != nil || len(owned) != 1 {
		t.Errorf("owned: %v, %v", owned, err)
	}
	if _, _, err := c.Token(ctx, spec.Provider, spec.LeaseID, spec.Expires); err != nil {
		t.Error(err)
	}
	if list, err := c.Usage(ctx, spec.Provider, spec.LeaseID); err != nil || len(list) == 0 {
		t.Errorf("usage: %v, %v", list, err)
	}
	for _, kind := range []NoticeKind{NoticeExpiry, NoticeRenewed, NoticeReclaim} {
		if err := c.Notice(ctx, spec.Provider, spec.LeaseID, Notice{kind, spec.Expires}); err != nil {
			t.Error(err)
		}
	}
	if err := c.Release(ctx, spec.Provider, spec.LeaseID); err != nil {
		t.Error(err)
	}
	if err := c.WaitReleased(ctx, spec.Provider, spec.LeaseID); err != nil {
		t.Error(err)
	}
}

// An identity that lacks any one right that provisioning takes gets a clean refusal: no grant, nothing left.
func TestRefusedIsUndone(t *testing.T) {
	t.Parallel()
	for i, rule := range manifest.ProviderClusterRole().Rules {
		for _, verb := range []string{"create", "patch"} {
			if len(without(rule.Verbs, verb)) == len(rule.Verbs) {
				continue
			}
			if rule.Resources[0] == "namespaces" && verb == "patch" || rule.Resources[0] == "events" {
				continue // for one that is there already, and for notices
			}
			t.Run(verb+" "+rule.Resources[0], func(t *testing.T) {
				role := manifest.ProviderClusterRole()
				if role.Rules[i].Verbs = without(rule.Verbs, verb); len(role.Rules[i].Verbs) == 0 {
					role.Rules = slices.Delete(role.Rules, i, i+1)
				}
				c := clusterAs(t, identity(t, fmt.Sprintf("lacks-%d-%s", i, verb), role))
				ctx, spec := testContext(t), leaseOf(t, "")
				_, err := c.Provision(ctx, spec)
				var failure *ProvisionError
				if !errors.Is(err, ErrForbidden) || !errors.As(err, &failure) || failure.Left != nil {
					t.Errorf("%v", err)
				}
				assertGone(ctx, t, spec)
			})
		}
	}
}

// Who may make namespaces but not delete them is told what stays behind.
func TestWhatCannotBeUndoneIsSaid(t *testing.T) {
	t.Parallel()
	role := manifest.ProviderClusterRole()
	role.Rules[0].Verbs = without(role.Rules[0].Verbs, "delete")
	role.Rules = slices.DeleteFunc(role.Rules, func(r rbacv1ac.PolicyRuleApplyConfiguration) bool {
		return r.Resources[0] == "networkpolicies"
	})
	c := clusterAs(t, identity(t, "keeps", role))
	ctx, spec := testContext(t), leaseOf(t, "")
	_, err := c.Provision(ctx, spec)
	var failure *ProvisionError
	if !errors.As(err, &failure) || failure.Undone != "" || failure.Left == nil || !errors.Is(failure.Left, ErrForbidden) {
		t.Fatalf("%v", err)
	}
	if !strings.Contains(err.Error(), "left behind: namespace "+manifest.NamespaceFor(spec.LeaseID)) {
		t.Errorf("does not say what is left: %v", err)
	}
}

func without(list []string, word string) []string {
	var kept []string
	for _, w := range list {
		if w != word {
			kept = append(kept, w)
		}
	}
	return kept
}

// assertGone fails unless the lease's namespace is not there or on its way out.
func assertGone(ctx context.Context, t *testing.T, spec manifest.Spec) {
	t.Helper()
	there, err := clientFor(t, adminConfig(t)).CoreV1().Namespaces().Get(ctx, manifest.NamespaceFor(spec.LeaseID), metav1.GetOptions{})
	if apierrors.IsNotFound(err) || err == nil && there.DeletionTimestamp != nil {
		return
	}
	t.Errorf("left behind: %v, %v", there, err)
}
