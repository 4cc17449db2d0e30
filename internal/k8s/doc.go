// Package k8s gives a tenant a namespace of a provider's cluster, and takes it back.
//
// Package manifest says what a lease's namespace consists of; this package makes it so:
//
//	Provision   get the namespace, make it      one after the other
//	            apply everything in it          at once: nothing in it depends on the rest
//	            bind the role, ask for a token, at once
//	            wait until the quota's status binds, apply what of a template comes last
//	            try the grant                   as the tenant: pods over the quota must be refused
//	Token       another token, while the lease lives
//	Certificate another client certificate, likewise
//	Usage       what of the quota is used
//	Notice      tell the tenant what is about to happen
//	Watch       hear of what others change or delete in a lease's namespace
//	Look        find out whether the namespace is there, or only the API server is not
//	Restore     put back what others have changed, and say so there
//	Endpoint    where the tenant's connection goes, for who carries it (Dial)
//	Release     delete the tenant's rights, its account, and the namespace
//	Owned       which leases have a namespace, and what holds those that do not go: what a daemon compares with its ledger
//	Template    read and check an operator's own objects
//	Survey      look at what the nodes have over; Survey.Units counts it in units that fit on a node
//	PutAcquired keep a lease of somebody else's cluster as a Secret in this one
//	CanEnforceGPU  find out whether GPU classes may be offered
//
// Sixteen requests, five of them one after the other, lie on the way from a won match to a grant; on kubelab that is fifty
// milliseconds (BenchmarkProvision).
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
// What was agreed is what stands there: who changes a quota, a policy, a role or a label of ours finds it put back, by
// server-side apply, and by taking out what was added to it. A namespace that somebody has deleted is not made anew.
//
// A namespace that does not terminate is reported with what holds it, in the cluster's words: Owned.Held, *StuckError.
//
// # Credentials
//
// A token is made by TokenRequest for the tenant's account and bound to a Secret: with the Secret, the account or the
// namespace it goes. It lives as long as the lease, unless the cluster caps it; then the grant says so, and Token gives
// another one. A client certificate (manifest.House.Certificates) is for tools that take no token. Nothing can revoke it, so
// it lives for a day at most, and what ends with the lease are the rights of the name in it. To have it signed the provider
// must be able to approve for the signer kubernetes.io/kube-apiserver-client, and who may do that may become any user but a
// member of system:masters; tokens need no such right and are the default.
//
// # GPUs
//
// A quota counts cards and cannot tell models apart. A class with a model is provisioned only if the operator has said how
// the cluster knows that model (GPUMap: a resource and labels of nodes), and only where an admission policy holds pods to
// those labels (manifest.GPUPolicy). Whether it does is not believed but tried, as a tenant, when the daemon starts
// (CanEnforceGPU) and before each grant; ErrUnenforced is the answer otherwise. The admission plug-in PodNodeSelector, off
// by default, is not relied on: it pins all pods of a namespace, not those with a card.
//
// # The grant
//
// A requester takes typed fields from a provider, never a kubeconfig, which could name programs to run. Grant.Validate
// is the requester's check of them, Grant.Kubeconfig writes the file from nothing else.
package k8s
