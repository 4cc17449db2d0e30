package k8s

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	rbacv1ac "k8s.io/client-go/applyconfigurations/rbac/v1"

	"github.com/angler-dex/angler/internal/k8s/manifest"
)

// The documented cluster role is no more than enough: without any one of the rights that a provider has for itself, and not
// to grant them to tenants, something that it does is refused.
func TestProviderClusterRoleIsMinimal(t *testing.T) {
	t.Parallel()
	for _, right := range []string{
		"/namespaces create delete patch watch", "/serviceaccounts create delete patch", "/serviceaccounts/token create",
		"/limitranges create patch", "/resourcequotas create patch", "events.k8s.io/events create",
		"networking.k8s.io/networkpolicies create patch",
		"rbac.authorization.k8s.io/rolebindings create delete patch", "rbac.authorization.k8s.io/roles create patch",
	} {
		verbs := strings.Fields(right)
		group, resource, _ := strings.Cut(verbs[0], "/")
		for _, verb := range verbs[1:] {
			t.Run(verb+" "+resource, func(t *testing.T) {
				t.Parallel()
				role := manifest.ProviderClusterRole()
				if !take(role, group, resource, verb) {
					t.Fatal("the role does not hold it")
				}
				name := "minimal-" + verb + "-" + strings.ReplaceAll(resource, "/", "-")
				if err := everything(t, clusterAs(t, identity(t, name, role))); !errors.Is(err, ErrForbidden) {
					t.Errorf("not needed: %v", err)
				}
			})
		}
	}
}

// take removes a right from a role, and reports whether that held it.
func take(role *rbacv1ac.ClusterRoleApplyConfiguration, group, resource, verb string) bool {
	held := false
	var rules []rbacv1ac.PolicyRuleApplyConfiguration
	for _, rule := range role.Rules {
		if !slices.Contains(rule.APIGroups, group) || !slices.Contains(rule.Resources, resource) || !slices.Contains(rule.Verbs, verb) {
			rules = append(rules, rule)
			continue
		}
		held = true
		one := rule // the same rule of this resource alone, without the verb
		one.Resources, one.Verbs = []string{resource}, without(rule.Verbs, verb)
		rule.Resources = without(rule.Resources, resource)
		for _, r := range []rbacv1ac.PolicyRuleApplyConfiguration{rule, one} {
			if len(r.Resources) > 0 && len(r.Verbs) > 0 {
				rules = append(rules, r)
			}
		}
	}
	role.Rules = rules
	return held
}

// everything does all that a provider does with a lease, and returns the first error.
func everything(t *testing.T, c *Cluster) error {
	t.Helper()
	ctx, spec := testContext(t), leaseOf(t, "")
	for range 2 { // the second time the namespace is there
		if _, err := c.Provision(ctx, spec); err != nil {
			return err
		}
	}
	if _, _, err := c.Token(ctx, spec.Provider, spec.LeaseID, spec.Expires); err != nil {
		return err
	}
	if _, err := c.Usage(ctx, spec.Provider, spec.LeaseID); err != nil {
		return err
	}
	if err := c.Notice(ctx, spec.Provider, spec.LeaseID, Notice{NoticeExpiry, spec.Expires}); err != nil {
		return err
	}
	if err := watchOnce(ctx, c, spec.Provider); err != nil {
		return err
	}
	if _, err := c.Restore(ctx, spec, spec.Expires); err != nil {
		return err
	}
	return c.Release(ctx, spec.Provider, spec.LeaseID)
}

// watchOnce watches until all kinds are seen, or one is not.
func watchOnce(ctx context.Context, c *Cluster, provider string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var seen atomic.Int32
	all := errors.New("all are seen")
	err := c.Watch(ctx, provider, Watcher{
		Changed: func(string) {},
		Missed: func() {
			if int(seen.Add(1)) == len(watched) {
				cancel(all)
			}
		},
		Failed: func(_ string, err error) { cancel(err) },
	})
	if cause := context.Cause(ctx); !errors.Is(cause, all) {
		return cause
	}
	if !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}
