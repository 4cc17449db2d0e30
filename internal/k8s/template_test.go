package k8s

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/angler-dex/angler/internal/k8s/manifest"
)

const operatorsOwn = `apiVersion: v1
kind: ConfigMap
metadata: {name: about}
data: {lease: "{{.LeaseID}}", class: "{{.Class}}"}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: ServiceAccount, name: monitor, namespace: "{{.Namespace}}"}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: monitor}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: monitor}
spec:
  replicas: 0
  selector: {matchLabels: {app: monitor}}
  template:
    metadata: {labels: {app: monitor}}
    spec: {containers: [{name: main, image: registry.example/none}]}
`

func folder(text string) fstest.MapFS { return fstest.MapFS{"own.yaml": {Data: []byte(text)}} }

// An operator's objects come with the lease's own and go with them, under the rights of the documented role.
func TestTemplate(t *testing.T) {
	t.Parallel()
	c, ctx := clusterAs(t, identity(t, "templates", manifest.ProviderClusterRole())), testContext(t)
	tmpl, err := c.Template(ctx, folder(operatorsOwn))
	if err != nil {
		t.Fatal(err)
	}
	admin := clientFor(t, adminConfig(t))
	if left, listErr := admin.CoreV1().ConfigMaps("default").List(ctx, metav1.ListOptions{LabelSelector: manifest.LabelLease}); listErr != nil || len(left.Items) > 0 {
		t.Errorf("checking left %v, %v", left, listErr)
	}
	spec := leaseOf(t, "")
	spec.Class, spec.House.Template = "cpu=1,memory=1Gi", tmpl
	grant, tenant := provision(t, c, spec)
	about, err := tenant.CoreV1().ConfigMaps(grant.Namespace).Get(ctx, "about", metav1.GetOptions{})
	if err != nil || about.Data["lease"] != spec.LeaseID || about.Data["class"] != spec.Class || about.Labels[manifest.LabelLease] != spec.LeaseID {
		t.Errorf("%v, %v", about, err)
	}
	if _, err = admin.RbacV1().RoleBindings(grant.Namespace).Get(ctx, "reader", metav1.GetOptions{}); err != nil {
		t.Error(err)
	}
	if _, err = admin.AppsV1().Deployments(grant.Namespace).Get(ctx, "monitor", metav1.GetOptions{}); err != nil {
		t.Error(err)
	}
	if _, err = c.Provision(ctx, spec); err != nil {
		t.Errorf("again: %v", err)
	}
	if err = c.Release(ctx, spec.Provider, spec.LeaseID); err != nil {
		t.Fatal(err)
	}
	if err = c.WaitReleased(ctx, spec.Provider, spec.LeaseID); err != nil {
		t.Fatal(err)
	}
	if _, err = admin.CoreV1().ConfigMaps(grant.Namespace).Get(ctx, "about", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("left after the release: %v", err)
	}
}

// What a provider may not write, or a cluster does not know, is refused before there is a lease.
func TestTemplateRefused(t *testing.T) {
	t.Parallel()
	c, ctx := clusterAs(t, identity(t, "templates-not", manifest.ProviderClusterRole())), testContext(t)
	for name, test := range map[string]struct {
		text, want string
		fails      error
	}{
		"of the whole cluster": {"apiVersion: v1\nkind: Namespace\nmetadata: {name: x}", "of the whole cluster", nil},
		"a cluster role":       {"apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: x}", "of the whole cluster", nil},
		"an unknown kind":      {"apiVersion: v1\nkind: Nonsense\nmetadata: {name: x}", "knows no v1 Nonsense", ErrKind},
		"an unknown group":     {"apiVersion: example.com/v1\nkind: Pod\nmetadata: {name: x}", "knows no example.com/v1 Pod", ErrKind},
		"an unknown field":     {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\nnonsense: 1", "nonsense", nil},
		"an invalid object":    {"apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {ports: [{port: 99999}]}", "99999", nil},
		"no rights": {"apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: x}\nspec: {minAvailable: 1}",
			"poddisruptionbudgets", ErrForbidden},
		"more than its own rights": {"apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: x}\n" +
			"rules: [{apiGroups: [''], resources: [nodes], verbs: [get]}]", "attempting to grant RBAC permissions not currently held", ErrForbidden},
		"everything": {"apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: x}\n" +
			"roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}\n" +
			"subjects: [{kind: ServiceAccount, name: tenant, namespace: '{{.Namespace}}'}]", "not currently held", ErrForbidden},
	} {
		_, err := c.Template(ctx, folder(test.text))
		if err == nil || !strings.Contains(err.Error(), test.want) || test.fails != nil && !errors.Is(err, test.fails) {
			t.Errorf("%s: want %q, got %v", name, test.want, err)
		}
	}
}

// An operator's objects are put back, too, but never deleted for that: who has made one in its place that cannot be changed is
// told of, and its content stays.
func TestRestoreOfOperatorsOwn(t *testing.T) {
	t.Parallel()
	c, ctx := clusterAs(t, identity(t, "restored-templates", manifest.ProviderClusterRole())), testContext(t)
	tmpl, err := c.Template(ctx, folder(operatorsOwn))
	if err != nil {
		t.Fatal(err)
	}
	spec := leaseOf(t, "")
	spec.Class, spec.House.Template = "cpu=1,memory=1Gi", tmpl
	grant, tenant := provision(t, c, spec)
	restored, err := c.Restore(ctx, spec, spec.Expires)
	if err != nil || len(restored) > 0 {
		t.Errorf("untouched: %v, %v", restored, err)
	}
	maps := tenant.CoreV1().ConfigMaps(grant.Namespace)
	about, err := maps.Get(ctx, "about", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	about.Data["lease"] = "another"
	if _, err = maps.Update(ctx, about, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	if restored, err = c.Restore(ctx, spec, spec.Expires); err != nil || !slices.Equal(restored, []string{"configmaps/about"}) {
		t.Errorf("edited: %v, %v", restored, err)
	}
	if err = maps.Delete(ctx, "about", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	yes := true
	fixed := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "about"}, Immutable: &yes, Data: map[string]string{"kept": "this"}}
	if _, err = maps.Create(ctx, fixed, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	// That one cannot be put back keeps no other from it.
	admin := clientFor(t, adminConfig(t))
	if err = admin.RbacV1().RoleBindings(grant.Namespace).Delete(ctx, manifest.TenantBinding, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	restored, err = c.Restore(ctx, spec, spec.Expires)
	if err == nil || !strings.Contains(err.Error(), "configmaps/about") || !slices.Equal(restored, []string{"rolebindings/tenant"}) {
		t.Errorf("immutable: %v, %v", restored, err)
	}
	if there, err := maps.Get(ctx, "about", metav1.GetOptions{}); err != nil || there.Data["kept"] != "this" {
		t.Errorf("it is %v, %v", there.Data, err)
	}
}
