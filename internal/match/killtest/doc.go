// Package killtest kills a provider's process without warning, again and again,
// while requesters work on leases, and then counts: no lease lost, none twice,
// no capacity leaked, no namespace without a lease.
//
// The process is the test's own binary, started again as the provider: with a
// ledger on disk, a mesh node, and a cluster that outlives it, either the ideal
// one, which the test keeps and serves to it, or a real control plane. Leases
// come from reservations, as matches leave them.
package killtest
