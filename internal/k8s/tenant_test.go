package k8s

import (
	"context"
	"strings"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// pod returns a pod that the restricted Pod Security level admits, with requests equal to limits; cpu "" leaves both out.
func pod(name, cpu, memory string) *corev1.Pod {
	yes, no := true, false
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: corev1.PodSpec{
			SecurityContext: &corev1.PodSecurityContext{RunAsNonRoot: &yes, SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}},
			Containers: []corev1.Container{{
				Name: "main", Image: "registry.example/none",
				SecurityContext: &corev1.SecurityContext{AllowPrivilegeEscalation: &no, Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}}},
			}},
		},
	}
	if cpu != "" {
		amount := corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu), corev1.ResourceMemory: resource.MustParse(memory)}
		p.Spec.Containers[0].Resources = corev1.ResourceRequirements{Requests: amount, Limits: amount}
	}
	return p
}

// start creates a pod as the tenant.
func start(t *testing.T, tenant *kubernetes.Clientset, namespace string, p *corev1.Pod) error {
	t.Helper()
	_, err := tenant.CoreV1().Pods(namespace).Create(testContext(t), p, metav1.CreateOptions{})
	return err
}

func TestTenantRunsWithinItsQuota(t *testing.T) {
	t.Parallel()
	grant, tenant := provision(t, testCluster(t, nil), leaseOf(t, ""))
	ns := grant.Namespace

	if err := start(t, tenant, ns, pod("within", "1500m", "1Gi")); err != nil {
		t.Fatalf("a pod within the quota: %v", err)
	}
	err := start(t, tenant, ns, pod("over", "1", "512Mi"))
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "exceeded quota: angler") {
		t.Errorf("a pod over the quota: %v", err)
	}
	if err = start(t, tenant, ns, pod("silent", "", "")); err != nil {
		t.Fatalf("a pod that asks for nothing: %v", err)
	}
	silent, err := tenant.CoreV1().Pods(ns).Get(testContext(t), "silent", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	got := silent.Spec.Containers[0].Resources
	if !equal(got.Requests, got.Limits) || got.Limits.Cpu().IsZero() || got.Limits.Memory().IsZero() {
		t.Errorf("a pod that asks for nothing got %v", got)
	}
	if silent.Spec.ServiceAccountName != "default" || len(silent.Spec.Volumes) > 0 {
		t.Errorf("a pod has a token: account %q, volumes %v", silent.Spec.ServiceAccountName, silent.Spec.Volumes)
	}
	// The quota is the tenant's to see.
	quota, err := tenant.CoreV1().ResourceQuotas(ns).Get(testContext(t), "angler", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if used := quota.Status.Used["requests.cpu"]; used.String() != "1750m" {
		t.Errorf("used %s cpu of the quota, want 1750m", used.String())
	}
}

// Each of these would run without being counted, or with more than was counted, or in front of the provider's own pods.
func TestPodsThatGoRoundTheQuota(t *testing.T) {
	t.Parallel()
	grant, tenant := provision(t, testCluster(t, nil), leaseOf(t, ""))
	for name, spoil := range map[string]func(*corev1.PodSpec){
		"zero limits": func(s *corev1.PodSpec) {
			zero := corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("0"), corev1.ResourceMemory: resource.MustParse("0")}
			s.Containers[0].Resources = corev1.ResourceRequirements{Requests: zero, Limits: zero}
		},
		"limits above requests": func(s *corev1.PodSpec) {
			s.Containers[0].Resources.Requests = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("50m"), corev1.ResourceMemory: resource.MustParse("50Mi")}
		},
		"limits of the pod above its requests": func(s *corev1.PodSpec) {
			s.Resources = &corev1.ResourceRequirements{
				Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("100m")},
				Limits:   corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("2")},
			}
		},
		"scratch space": func(s *corev1.PodSpec) {
			s.Containers[0].Resources.Limits[corev1.ResourceEphemeralStorage] = resource.MustParse("1Ti")
		},
		"a gpu": func(s *corev1.PodSpec) {
			s.Containers[0].Resources.Limits["nvidia.com/gpu"] = resource.MustParse("1")
		},
		"huge pages": func(s *corev1.PodSpec) {
			s.Containers[0].Resources.Limits["hugepages-2Mi"] = resource.MustParse("1Gi")
		},
		"a system priority": func(s *corev1.PodSpec) { s.PriorityClassName = "system-cluster-critical" },
	} {
		t.Run(name, func(t *testing.T) {
			p := pod("p", "100m", "100Mi")
			p.Spec.Containers[0].Resources.Requests = nil // equal to the limits
			spoil(&p.Spec)
			if err := start(t, tenant, grant.Namespace, p); !apierrors.IsForbidden(err) {
				t.Errorf("%v", err)
			}
		})
	}
	if err := start(t, tenant, grant.Namespace, pod("p", "100m", "100Mi")); err != nil {
		t.Errorf("the same pod unspoilt: %v", err)
	}
}

// "The Restricted policy is aimed at enforcing current Pod hardening best practices" (Pod Security Standards).
func TestPodSecurity(t *testing.T) {
	t.Parallel()
	grant, tenant := provision(t, testCluster(t, nil), leaseOf(t, ""))
	yes, root := true, int64(0)
	for name, spoil := range map[string]func(*corev1.PodSpec){
		"privileged":   func(s *corev1.PodSpec) { s.Containers[0].SecurityContext = &corev1.SecurityContext{Privileged: &yes} },
		"host network": func(s *corev1.PodSpec) { s.HostNetwork = true },
		"host path": func(s *corev1.PodSpec) {
			s.Volumes = []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/"}}}}
		},
		"root":            func(s *corev1.PodSpec) { s.SecurityContext.RunAsUser = &root },
		"not said at all": func(s *corev1.PodSpec) { s.SecurityContext, s.Containers[0].SecurityContext = nil, nil },
	} {
		t.Run(name, func(t *testing.T) {
			p := pod("p", "100m", "100Mi")
			spoil(&p.Spec)
			err := start(t, tenant, grant.Namespace, p)
			if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "violates PodSecurity") {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestTenantCannotReachOut(t *testing.T) {
	t.Parallel()
	c := testCluster(t, nil)
	grant, tenant := provision(t, c, leaseOf(t, "mine"))
	other, _ := provision(t, c, leaseOf(t, "other"))
	ctx := testContext(t)
	forbidden := func(what string, err error) {
		t.Helper()
		if !apierrors.IsForbidden(err) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, ns := range []string{other.Namespace, "default", "kube-system"} {
		forbidden("pod in "+ns, start(t, tenant, ns, pod("p", "100m", "100Mi")))
		_, err := tenant.CoreV1().Secrets(ns).List(ctx, metav1.ListOptions{})
		forbidden("secrets of "+ns, err)
		_, err = tenant.CoreV1().Namespaces().Get(ctx, ns, metav1.GetOptions{})
		forbidden("namespace "+ns, err)
	}
	_, err := tenant.CoreV1().Namespaces().List(ctx, metav1.ListOptions{})
	forbidden("all namespaces", err)
	_, err = tenant.CoreV1().Pods("").List(ctx, metav1.ListOptions{})
	forbidden("all pods", err)

	_, err = tenant.NetworkingV1().NetworkPolicies(grant.Namespace).Create(ctx, &networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Name: "open"}}, metav1.CreateOptions{})
	forbidden("write a network policy", err)
	forbidden("delete a network policy", tenant.NetworkingV1().NetworkPolicies(grant.Namespace).Delete(ctx, "deny-all", metav1.DeleteOptions{}))
	_, err = tenant.RbacV1().Roles(grant.Namespace).Create(ctx, &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: "more"}}, metav1.CreateOptions{})
	forbidden("write a role", err)
	forbidden("delete the quota", tenant.CoreV1().ResourceQuotas(grant.Namespace).Delete(ctx, "angler", metav1.DeleteOptions{}))
	_, err = tenant.CoreV1().Services(grant.Namespace).Create(ctx, &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "public"},
		Spec:       corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer, Ports: []corev1.ServicePort{{Port: 80}}},
	}, metav1.CreateOptions{})
	forbidden("a load balancer", err)
}

// The Role as the cluster's own authorizer reads it.
func TestTenantRights(t *testing.T) {
	t.Parallel()
	grant, tenant := provision(t, testCluster(t, nil), leaseOf(t, ""))
	for _, c := range []struct {
		want                   bool
		verb, group, resources string
	}{
		{true, "create", "", "pods pods/exec services configmaps secrets persistentvolumeclaims"},
		{true, "get", "", "pods/log events limitranges resourcequotas serviceaccounts"},
		{true, "create", "apps", "deployments statefulsets replicasets"},
		{true, "patch", "apps", "deployments/scale"},
		{true, "create", "batch", "jobs cronjobs"},
		{true, "list", "networking.k8s.io", "networkpolicies"},
		{true, "list", "rbac.authorization.k8s.io", "roles rolebindings"},
		{false, "create", "", "limitranges resourcequotas serviceaccounts serviceaccounts/token pods/binding pods/proxy services/proxy endpoints events"},
		{false, "update", "", "limitranges resourcequotas serviceaccounts namespaces"},
		{false, "delete", "", "limitranges resourcequotas serviceaccounts namespaces"},
		{false, "create", "apps", "daemonsets"},
		{false, "create", "networking.k8s.io", "networkpolicies ingresses"},
		{false, "create", "discovery.k8s.io", "endpointslices"},
		{false, "create", "policy", "poddisruptionbudgets"},
		{false, "create", "rbac.authorization.k8s.io", "roles rolebindings"},
		{false, "bind", "rbac.authorization.k8s.io", "roles clusterroles"},
		{false, "impersonate", "", "serviceaccounts users"},
	} {
		for _, name := range strings.Fields(c.resources) {
			if got := may(testContext(t), t, tenant, grant.Namespace, c.verb, c.group, name); got != c.want {
				t.Errorf("may %s %s: %v", c.verb, name, got)
			}
		}
	}
}

func may(ctx context.Context, t *testing.T, who *kubernetes.Clientset, namespace, verb, group, name string) bool {
	t.Helper()
	name, sub, _ := strings.Cut(name, "/")
	answer, err := who.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, &authorizationv1.SelfSubjectAccessReview{
		Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &authorizationv1.ResourceAttributes{
			Namespace: namespace, Verb: verb, Group: group, Resource: name, Subresource: sub,
		}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return answer.Status.Allowed
}
