package manifest

import (
	rbacv1 "k8s.io/api/rbac/v1"
	rbacv1ac "k8s.io/client-go/applyconfigurations/rbac/v1"
)

// ProviderRoleName is the name of the ClusterRole of ProviderClusterRole.
const ProviderRoleName = "angler-provider"

// providerRules is what a provider's daemon does itself. Server-side apply needs patch, and create where there is
// nothing yet; what is read and watched of the other kinds, tenants may read, too.
var providerRules = []rbacv1.PolicyRule{
	{APIGroups: []string{""}, Resources: []string{"namespaces"}, Verbs: []string{"create", "delete", "get", "list", "patch", "watch"}},
	{APIGroups: []string{""}, Resources: []string{"limitranges", "resourcequotas"}, Verbs: []string{"create", "patch"}},
	{APIGroups: []string{""}, Resources: []string{"serviceaccounts"}, Verbs: []string{"create", "delete", "patch"}},
	{APIGroups: []string{""}, Resources: []string{"serviceaccounts/token"}, Verbs: []string{"create"}},
	{APIGroups: []string{"events.k8s.io"}, Resources: []string{"events"}, Verbs: []string{"create"}},
	{APIGroups: []string{"networking.k8s.io"}, Resources: []string{"networkpolicies"}, Verbs: []string{"create", "patch"}},
	{APIGroups: []string{"rbac.authorization.k8s.io"}, Resources: []string{"rolebindings"}, Verbs: []string{"create", "delete", "patch"}},
	{APIGroups: []string{"rbac.authorization.k8s.io"}, Resources: []string{"roles"}, Verbs: []string{"create", "patch"}},
}

// ProviderClusterRole returns the ClusterRole that a provider's own identity needs: to make and delete tenants' namespaces,
// and to hold what it grants (see the package comment). RBAC cannot tell namespaces apart by their labels: an operator who
// does not want to trust the daemon with the other namespaces gives it a cluster, or an admission policy, of its own.
func ProviderClusterRole() *rbacv1ac.ClusterRoleApplyConfiguration {
	return rbacv1ac.ClusterRole(ProviderRoleName).
		WithLabels(ours()).
		WithRules(rules(providerRules)...).WithRules(rules(tenantRules)...)
}
