package manifest

import (
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	rbacv1ac "k8s.io/client-go/applyconfigurations/rbac/v1"
)

// TenantAccount is the ServiceAccount that the requester acts as, TenantBinding the RoleBinding that gives it its rights,
// TokenSecret the Secret that its tokens are bound to.
const (
	TenantAccount = "tenant"
	TenantBinding = "tenant"
	TokenSecret   = "tenant-token"

	roleName = "tenant"
)

var (
	read  = []string{"get", "list", "watch"}
	write = []string{"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"}
)

// tenantRules is what a tenant may do in its namespace. See the package comment for why.
var tenantRules = []rbacv1.PolicyRule{
	// What workloads are made of.
	{APIGroups: []string{""}, Resources: []string{"configmaps", "persistentvolumeclaims", "pods", "secrets", "services"}, Verbs: write},
	{APIGroups: []string{"apps"}, Resources: []string{"deployments", "replicasets", "statefulsets"}, Verbs: write},
	{APIGroups: []string{"apps"}, Resources: []string{"deployments/scale", "replicasets/scale", "statefulsets/scale"}, Verbs: []string{"get", "patch", "update"}},
	{APIGroups: []string{"autoscaling"}, Resources: []string{"horizontalpodautoscalers"}, Verbs: write},
	{APIGroups: []string{"batch"}, Resources: []string{"cronjobs", "jobs"}, Verbs: write},
	// Looking into pods.
	{APIGroups: []string{""}, Resources: []string{"pods/log"}, Verbs: []string{"get"}},
	{APIGroups: []string{""}, Resources: []string{"pods/attach", "pods/exec", "pods/portforward"}, Verbs: []string{"create", "get"}},
	// What confines it, to look at.
	{APIGroups: []string{""}, Resources: []string{"endpoints", "events", "limitranges", "resourcequotas", "serviceaccounts"}, Verbs: read},
	{APIGroups: []string{""}, Resources: []string{"namespaces"}, Verbs: []string{"get"}}, // its own only: a Role ends at its namespace
	{APIGroups: []string{"discovery.k8s.io"}, Resources: []string{"endpointslices"}, Verbs: read},
	{APIGroups: []string{"events.k8s.io"}, Resources: []string{"events"}, Verbs: read},
	{APIGroups: []string{"networking.k8s.io"}, Resources: []string{"networkpolicies"}, Verbs: read},
	{APIGroups: []string{"rbac.authorization.k8s.io"}, Resources: []string{"rolebindings", "roles"}, Verbs: read},
}

// rules copies policy rules into the form in which they are applied.
func rules(of []rbacv1.PolicyRule) []*rbacv1ac.PolicyRuleApplyConfiguration {
	out := make([]*rbacv1ac.PolicyRuleApplyConfiguration, len(of))
	for i, r := range of {
		out[i] = rbacv1ac.PolicyRule().WithAPIGroups(r.APIGroups...).WithResources(r.Resources...).WithVerbs(r.Verbs...).WithResourceNames(r.ResourceNames...)
	}
	return out
}

// tenantAccount returns the account of the requester. Pods that run as it get no token unless they ask.
func tenantAccount(s Spec) Object { return account(s, TenantAccount) }

// defaultAccount returns the account that pods run as by default. Kubernetes would make one too, some time later and with
// a token in every pod; until there is one, pods are refused.
func defaultAccount(s Spec) Object { return account(s, "default") }

func account(s Spec, name string) Object {
	return Object{
		GroupVersionResource: corev1.SchemeGroupVersion.WithResource("serviceaccounts"), Kind: "ServiceAccount",
		Namespace: s.name(), Name: name,
		Config: corev1ac.ServiceAccount(name, s.name()).WithLabels(s.labels()).WithAutomountServiceAccountToken(false),
	}
}

// SecretForTokens returns the empty Secret that tokens are bound to: a token is refused once the Secret with its UID is gone.
// Of the spec it takes lease, provider and namespace.
func SecretForTokens(s Spec) Object {
	return Object{
		GroupVersionResource: corev1.SchemeGroupVersion.WithResource("secrets"), Kind: "Secret",
		Namespace: s.name(), Name: TokenSecret,
		Config: corev1ac.Secret(TokenSecret, s.name()).WithLabels(s.labels()).WithType(corev1.SecretTypeOpaque),
	}
}

func role(s Spec) Object {
	return Object{
		GroupVersionResource: rbacv1.SchemeGroupVersion.WithResource("roles"), Kind: "Role",
		Namespace: s.name(), Name: roleName,
		Config: rbacv1ac.Role(roleName, s.name()).WithLabels(s.labels()).WithRules(rules(tenantRules)...),
	}
}

// CertificateUser is the name in the client certificates of a lease, if it has any.
func CertificateUser(leaseID string) string { return "angler:" + leaseID }

// roleBinding gives the role to the account and, where grants hold certificates, to the user that they name.
func roleBinding(s Spec) Object {
	subjects := []*rbacv1ac.SubjectApplyConfiguration{
		rbacv1ac.Subject().WithKind(rbacv1.ServiceAccountKind).WithNamespace(s.name()).WithName(TenantAccount),
	}
	if s.House.Certificates {
		subjects = append(subjects, rbacv1ac.Subject().WithKind(rbacv1.UserKind).WithAPIGroup(rbacv1.GroupName).WithName(CertificateUser(s.LeaseID)))
	}
	return Object{
		GroupVersionResource: rbacv1.SchemeGroupVersion.WithResource("rolebindings"), Kind: "RoleBinding",
		Namespace: s.name(), Name: TenantBinding,
		Config: rbacv1ac.RoleBinding(TenantBinding, s.name()).WithLabels(s.labels()).
			WithRoleRef(rbacv1ac.RoleRef().WithAPIGroup(rbacv1.GroupName).WithKind("Role").WithName(roleName)).
			WithSubjects(subjects...),
	}
}
