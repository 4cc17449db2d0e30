// Package workload runs what a requester has leased a namespace for: it applies a manifest there, waits until that is ready
// or done, and collects logs.
//
//	m, err := workload.Parse(text)              documents of YAML or JSON, and lists of them
//	err = m.Scope()                             could a namespace that is leased hold it, as far as is known before
//	m.Hash()                                    what the receipt says of it
//	t, err := workload.Open(kubeconfig, "")     a context of a kubeconfig: the leased namespace, and nothing else
//	applied, err := t.Apply(ctx, m)             all checked before the first is written
//	err = t.Wait(ctx, applied, workload.Done, tell)
//	err = t.Logs(ctx, applied, each)
//
// # What can be applied
//
// Objects of namespaced kinds with a name, in the leased namespace or in none, which then is the leased one. Anything else,
// and any kind that the lease's role does not allow, is refused before the first object is written. They are written in the
// order in which they stand, by server-side apply with the field manager "angler-workload".
//
// # When something is ready
//
//	Deployment    the controller has seen it, and all replicas are of the latest template and available
//	StatefulSet   likewise, and ready
//	ReplicaSet    all replicas are ready
//	Pod           its condition Ready is true, or it has succeeded
//	Job           it is complete, or one of its pods is ready
//	Service       of type LoadBalancer: it has an address
//	PersistentVolumeClaim   at once: many are bound only when a pod uses them, and then the pod waits for them
//	others        at once
//
// Done asks for more of what ends: that a Job is complete, and that a Pod that is not restarted always has succeeded. A Job
// or Pod that has failed, and a Deployment whose progress deadline has passed, end the wait at once.
//
// # Trust
//
// The API server is a stranger's. What it answers is read up to a limit, redirects to other hosts are not followed, and logs
// are bytes from it: who prints them to a terminal has to make them harmless first.
package workload
