package k8s

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	rbacv1ac "k8s.io/client-go/applyconfigurations/rbac/v1"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/angler-dex/angler/internal/k8s/k8stest"
	"github.com/angler-dex/angler/internal/k8s/manifest"
)

var h100 = manifest.GPU{Resource: "nvidia.com/gpu", Nodes: map[string]string{"gpu.product": "NVIDIA-H100-80GB-HBM3", "zone": "a"}}

// gpuLease is a lease of two cards of one model.
func gpuLease(t *testing.T) manifest.Spec {
	spec := leaseOf(t, "")
	spec.Quota["nvidia.com/gpu"] = resource.MustParse("2")
	spec.GPU = &h100
	return spec
}

// withGPU is a pod that asks for cards on nodes with these labels.
func withGPU(cards string, nodes map[string]string) *corev1.Pod {
	p := pod("p-"+cards, "100m", "100Mi")
	p.GenerateName, p.Name = "gpu-", ""
	p.Spec.Containers[0].Resources.Limits["nvidia.com/gpu"] = resource.MustParse(cards)
	p.Spec.Containers[0].Resources.Requests["nvidia.com/gpu"] = resource.MustParse(cards)
	p.Spec.NodeSelector = nodes
	return p
}

// One test, and the only one with cards, because the policy is the cluster's: first without it, then with it, put there by a provider with no more rights
// than documented.
func TestGPUModelIsEnforced(t *testing.T) {
	t.Parallel()
	ctx, admin := testContext(t), clientFor(t, adminConfig(t))
	provider := id("provider of " + t.Name())
	mapped := GPUMap{"nvidia-h100": h100}
	bare := clusterAs(t, identity(t, "gpu-bare", manifest.ProviderClusterRole()))
	bare.heed = time.Second
	err := bare.CanEnforceGPU(ctx, provider, mapped)
	if !errors.Is(err, ErrUnenforced) || !strings.Contains(err.Error(), "bind cluster role angler-provider-gpu") {
		t.Fatalf("a cluster without the policy: %v", err)
	}
	if err = bare.CanEnforceGPU(ctx, provider, nil); err != nil {
		t.Errorf("nothing to enforce: %v", err)
	}
	var failure *ProvisionError
	if _, err = bare.Provision(ctx, gpuLease(t)); !errors.Is(err, ErrUnenforced) || !errors.As(err, &failure) || failure.Undone == "" {
		t.Errorf("a grant without the policy: %v", err)
	}

	role := manifest.ProviderClusterRole()
	role.WithRules(pointers(manifest.ProviderGPUClusterRole().Rules)...)
	whole := identity(t, "gpu-whole", role)
	c := clusterAs(t, whole)
	if err = c.CanEnforceGPU(ctx, provider, mapped); err != nil {
		t.Fatal(err)
	}
	bare.heed = patience
	if err = bare.CanEnforceGPU(ctx, provider, mapped); err != nil {
		t.Errorf("who finds the policy in place: %v", err)
	}
	if owned, ownedErr := c.Owned(ctx, provider); ownedErr != nil || len(owned) > 1 || len(owned) == 1 && !owned[0].Terminating {
		t.Errorf("left of the probe: %v, %v", owned, ownedErr)
	}
	spec := gpuLease(t)
	if err = c.WaitReleased(ctx, spec.Provider, spec.LeaseID); err != nil {
		t.Fatal(err)
	}
	grant, tenant := provision(t, c, spec)
	for name, test := range map[string]struct {
		pod  *corev1.Pod
		says string // "": admitted
	}{
		"another model":     {withGPU("1", map[string]string{"gpu.product": "Tesla-T4", "zone": "a"}), "needs the node selector gpu.product=NVIDIA-H100-80GB-HBM3,zone=a"},
		"another zone":      {withGPU("1", map[string]string{"gpu.product": "NVIDIA-H100-80GB-HBM3", "zone": "b"}), "needs the node selector"},
		"more than leased":  {withGPU("3", nil), "exceeded quota"},
		"the leased model":  {withGPU("1", map[string]string{"gpu.product": "NVIDIA-H100-80GB-HBM3", "zone": "a"}), ""},
		"no selector":       {withGPU("1", nil), ""},
		"no card":           {pod("plain", "100m", "100Mi"), ""},
		"in init container": {initContainer(withGPU("1", map[string]string{"zone": "b"})), "needs the node selector"},
	} {
		made, createErr := tenant.CoreV1().Pods(grant.Namespace).Create(ctx, test.pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		switch {
		case test.says != "":
			if createErr == nil || !strings.Contains(createErr.Error(), test.says) {
				t.Errorf("%s: %v", name, createErr)
			}
		case createErr != nil:
			t.Errorf("%s: %v", name, createErr)
		case len(test.pod.Spec.Containers[0].Resources.Limits) == 3:
			if s := made.Spec.NodeSelector; s["gpu.product"] != "NVIDIA-H100-80GB-HBM3" || s["zone"] != "a" {
				t.Errorf("%s: runs on %v", name, s)
			}
		case len(made.Spec.NodeSelector) > 0:
			t.Errorf("%s: held to %v", name, made.Spec.NodeSelector)
		}
	}
	// What holds the tenant is not the tenant's to change.
	_, err = tenant.CoreV1().Namespaces().Update(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: grant.Namespace}}, metav1.UpdateOptions{})
	if !apierrors.IsForbidden(err) {
		t.Errorf("changing the namespace: %v", err)
	}
	// Slices of a card have names that no quota can list.
	slice := withGPU("1", nil)
	for _, list := range []corev1.ResourceList{slice.Spec.Containers[0].Resources.Limits, slice.Spec.Containers[0].Resources.Requests} {
		delete(list, "nvidia.com/gpu")
		list["nvidia.com/mig-1g.10gb"] = resource.MustParse("1")
	}
	if err = start(t, tenant, grant.Namespace, slice); err == nil || !strings.Contains(err.Error(), "was not leased") {
		t.Errorf("a slice of a card: %v", err)
	}
	// Pods of leases without a card, and of nobody's namespaces, are left alone.
	if _, err = admin.CoreV1().Pods("default").Create(ctx, withGPU("1", nil), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}); err != nil {
		t.Errorf("a pod of the provider's own: %v", err)
	}
	other, otherTenant := provision(t, c, leaseOf(t, "other"))
	if err = start(t, otherTenant, other.Namespace, slice); err == nil || !strings.Contains(err.Error(), "was not leased") {
		t.Errorf("a slice of a card in a lease without one: %v", err)
	}
	if err = start(t, otherTenant, other.Namespace, pod("p", "100m", "100Mi")); err != nil {
		t.Errorf("a pod of another lease: %v", err)
	}
	// It may change the policy of this name and no other.
	for name, want := range map[string]bool{manifest.GPUPolicyName: true, "other": false} {
		answer, askErr := clientFor(t, whole).AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, &authorizationv1.SelfSubjectAccessReview{
			Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &authorizationv1.ResourceAttributes{
				Verb: "patch", Group: "admissionregistration.k8s.io", Resource: "validatingadmissionpolicies", Name: name,
			}},
		}, metav1.CreateOptions{})
		if askErr != nil || answer.Status.Allowed != want {
			t.Errorf("may patch policy %s: %v, %v", name, answer, askErr)
		}
	}
}

// initContainer moves the cards of a pod into an init container.
func initContainer(p *corev1.Pod) *corev1.Pod {
	first := p.Spec.Containers[0].DeepCopy()
	first.Name = "first"
	p.Spec.InitContainers = []corev1.Container{*first}
	delete(p.Spec.Containers[0].Resources.Limits, "nvidia.com/gpu")
	delete(p.Spec.Containers[0].Resources.Requests, "nvidia.com/gpu")
	return p
}

func pointers(rules []rbacv1ac.PolicyRuleApplyConfiguration) []*rbacv1ac.PolicyRuleApplyConfiguration {
	var list []*rbacv1ac.PolicyRuleApplyConfiguration
	for i := range rules {
		list = append(list, &rules[i])
	}
	return list
}

// A policy that comes later than the deadline is no reason to say that there is none.
func TestGPUCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(testContext(t))
	cancel()
	err := testCluster(t, nil).CanEnforceGPU(ctx, id("provider of "+t.Name()), GPUMap{"nvidia-h100": h100})
	if !errors.Is(err, context.Canceled) || errors.Is(err, ErrUnenforced) {
		t.Errorf("%v", err)
	}
}

// On a cluster with two models, whose cards have one name, the scheduler puts a tenant's pods on the one that was leased.
func TestGPUModelIsScheduled(t *testing.T) {
	t.Parallel()
	cfg, err := clientcmd.BuildConfigFromFlags("", k8stest.Launch(t, "--nodes", "2"))
	if err != nil {
		t.Fatal(err)
	}
	c, admin, ctx := clusterAs(t, cfg), clientFor(t, cfg), testContext(t)
	for node, product := range map[string]string{"node-0": "Tesla-T4", "node-1": "NVIDIA-H100-80GB-HBM3"} {
		labels := []byte(`{"metadata": {"labels": {"zone": "a", "gpu.product": "` + product + `"}}}`)
		if _, err = admin.CoreV1().Nodes().Patch(ctx, node, types.MergePatchType, labels, metav1.PatchOptions{}); err != nil {
			t.Fatal(err)
		}
		cards := []byte(`{"status": {"capacity": {"nvidia.com/gpu": "8"}, "allocatable": {"nvidia.com/gpu": "8"}}}`)
		if _, err = admin.CoreV1().Nodes().Patch(ctx, node, types.MergePatchType, cards, metav1.PatchOptions{}, "status"); err != nil {
			t.Fatal(err)
		}
	}
	if err = c.CanEnforceGPU(ctx, id("provider of "+t.Name()), GPUMap{"nvidia-h100": h100}); err != nil {
		t.Fatal(err)
	}
	grant, tenant := provision(t, c, gpuLease(t))
	for range 2 {
		if err = start(t, tenant, grant.Namespace, withGPU("1", nil)); err != nil {
			t.Fatal(err)
		}
	}
	eventually(ctx, t, "both pods run", func() bool {
		pods, listErr := tenant.CoreV1().Pods(grant.Namespace).List(ctx, metav1.ListOptions{})
		if listErr != nil {
			t.Fatal(listErr)
		}
		running := 0
		for _, p := range pods.Items {
			if p.Spec.NodeName == "node-0" {
				t.Fatal("a pod on the other model")
			}
			if p.Spec.NodeName == "node-1" && p.Status.Phase == corev1.PodRunning {
				running++
			}
		}
		return running == 2
	})
	if err = start(t, tenant, grant.Namespace, withGPU("1", nil)); !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "exceeded quota") {
		t.Errorf("a third card: %v", err)
	}
}
