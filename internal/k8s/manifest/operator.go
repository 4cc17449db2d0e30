package manifest

import (
	rbacv1 "k8s.io/api/rbac/v1"
	rbacv1ac "k8s.io/client-go/applyconfigurations/rbac/v1"
)

// Names of roles that only some daemons need.
const (
	SurplusRoleName  = "angler-surplus"
	OperatorRoleName = "angler-operator"
)

// SurplusClusterRole returns the ClusterRole that a daemon needs beside ProviderClusterRole to see what the nodes have over.
func SurplusClusterRole() *rbacv1ac.ClusterRoleApplyConfiguration {
	return rbacv1ac.ClusterRole(SurplusRoleName).WithLabels(ours()).WithRules(rules([]rbacv1.PolicyRule{
		{APIGroups: []string{""}, Resources: []string{"nodes"}, Verbs: []string{"list"}},
	})...)
}

// OperatorRole returns the Role that a daemon needs in the namespace whose contributions it follows.
func OperatorRole(namespace string) *rbacv1ac.RoleApplyConfiguration {
	return rbacv1ac.Role(OperatorRoleName, namespace).WithLabels(ours()).WithRules(rules([]rbacv1.PolicyRule{
		{APIGroups: []string{Domain}, Resources: []string{"poolcontributions"}, Verbs: []string{"list", "watch"}},
		{APIGroups: []string{Domain}, Resources: []string{"poolcontributions/status"}, Verbs: []string{"patch"}},
		{APIGroups: []string{Domain}, Resources: []string{"poolleases"}, Verbs: []string{"create", "delete", "list", "patch"}},
		{APIGroups: []string{Domain}, Resources: []string{"poolleases/status"}, Verbs: []string{"patch"}},
	})...)
}
