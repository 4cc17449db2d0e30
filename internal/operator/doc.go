// Package operator lets a cluster's own objects say what its daemon offers, and shows its leases as objects.
//
//	PoolContribution ──► offer "contribution/NAME" of the daemon     spec in, status out
//	PoolLease        ◄── lease of the daemon                         written by us alone
//
// # Level, not edge
//
// Whatever happens, the same thing is done (Operator.sync): all contributions are listed and compared with all offers of ours;
// what differs is put, what is not wanted any more is removed, and each contribution's status says what came of it. A watch
// only says when. So it does not matter what was missed: a daemon that was down while contributions came, changed and went
// ends where it would have been. Offers that were made by hand have other names and are left alone.
//
// A contribution that is invalid offers nothing: terms that nobody has written down any more are not kept up. Removing an
// offer never ends a lease.
//
// # One namespace
//
// Contributions are read in one namespace and leases are written there. Quantities and prices are secrets of the market, and
// they stand in these objects: who may read that namespace is who may know them.
//
// # One daemon
//
// Two daemons must not watch one namespace: each would offer all of it. PoolLeases carry the label of the provider that
// wrote them, and only those are changed or deleted.
package operator
