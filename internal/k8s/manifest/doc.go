// Package manifest turns a lease into the Kubernetes objects of its tenant's namespace. It is pure: the same Spec gives
// the same objects, byte for byte, and talks to nobody. Package k8s applies them; testdata/*.yaml shows them.
//
// # What a tenant gets
//
//	Namespace           Pod Security "restricted" enforced, at a pinned version
//	ResourceQuota       the leased quantity in requests and in limits; counts of every kind that a tenant may create; no
//	                    node ports; no load balancers, volumes or accelerators unless they were leased
//	ResourceQuota       no pod of a system priority class (else a tenant's pods could evict the provider's)
//	LimitRange          requests and limits for containers that name none; limits equal to requests; nothing of zero,
//	                    which the quota would count as nothing and the kernel would run without a limit
//	NetworkPolicy ×2    deny all, both ways; then allow DNS, the namespace itself, and the public internet
//	ServiceAccount ×2   "tenant", whose token the requester gets, and "default", which pods run as: without rights or token
//	Role, RoleBinding   run workloads; look at one's own limits
//	Secret              empty: tokens are bound to it
//
// An operator's Template adds objects of its own. What a House says beyond that changes ours: with Certificates the
// RoleBinding names a user too; with a GPU the namespace says which labels of nodes GPUPolicy has to hold pods to.
//
// # Why the Role is its own
//
// The built-in roles edit and admin may write NetworkPolicies (policies add up, so writing one opens what another closed)
// and admin may hand out roles. The tenant's Role may write what workloads are made of and only read what confines it:
// quotas, limit ranges, network policies, roles, service accounts, events.
//
// It may read and write Secrets, since workloads need them and nothing of the provider's is in the namespace. That
// includes asking for a service account token of the old kind, which no Secret of ours bounds; so a lease is revoked by
// deleting the RoleBinding and the ServiceAccount, which ends tokens of every kind, and not by deleting the Secret alone.
//
// It may not: proxy through the API server to pods or services, write endpoints (either could reach past the network
// policies), make DaemonSets (a pod on every node), Ingresses (names that belong to the provider), PodDisruptionBudgets
// (they stop a node from being drained), bind pods to nodes, or make tokens.
//
// # What a namespace cannot confine
//
// NetworkPolicies need a network plug-in that enforces them. Service.spec.externalIPs can divert a cluster's traffic
// (CVE-2020-8554) and only an admission plug-in, DenyServiceExternalIPs or a policy of one's own, refuses it. Priority
// classes other than the two built-in ones, node selectors and tolerations are for the provider's own admission policies.
// Extended resources that the quota does not name, such as slices of GPUs, are refused where GPUPolicy is installed.
//
// # What the provider needs
//
// ProviderClusterRole is what the daemon's own identity must be bound to. Kubernetes lets nobody grant what they do not
// hold, so it contains all that the tenant's Role does; it needs neither escalate nor bind nor impersonate, and no wildcards.
// ProviderGPUClusterRole and ProviderCertificateClusterRole are for those who offer these.
package manifest
