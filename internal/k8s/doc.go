// Package k8s gives a tenant a namespace of a provider's cluster, and takes it back.
//
// Package manifest says what a lease's namespace consists of; this package makes it so:
//
//	Provision   get the namespace, make it      one after the other
//	            apply everything in it          at once: nothing in it depends on the rest
//	            bind the role, ask for a token, at once
//	            wait until the quota's status binds
//	            try the grant                   as the tenant: pods over the quota must be refused
//	Release     delete the tenant's rights, its account, and the namespace
//	Owned       which leases have a namespace: what a daemon compares with its ledger when it starts
//
// Sixteen requests, five of them one after the other, lie on the way from a won match to a grant.
//
// # Whose is what
//
// A namespace is ours if it carries our provider id and the lease's id as labels, and only such a namespace is changed or
// deleted. It is made by a create request, which fails if the name is taken, and changed and deleted with its UID as a
// precondition, so that not even a namespace of the same name that came into being meanwhile is touched.
//
// # Faults
//
// Conflicts, throttling, server errors and time-outs are retried with back-off until the context ends. If Provision fails,
// it deletes the namespace, in time of its own and even when its context was cancelled, and its *ProvisionError says so;
// a namespace that was there before it began is left as it is, since a tenant may be using it. Provision and Release are
// idempotent: after a crash, call either again.
//
// # The grant
//
// A requester takes typed fields from a provider, never a kubeconfig, which could name programs to run. Grant.Validate
// is the requester's check of them, Grant.Kubeconfig writes the file from nothing else.
package k8s
