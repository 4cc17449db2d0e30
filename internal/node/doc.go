// Package node is the provider's daemon: it puts the parts together and runs
// them until it is told to stop.
//
//	            ┌────────────── control socket (status, offers, leases, lookup)
//	            │
//	ledger ── provider ── mesh (QUIC: records, matches, sessions, leases)
//	            │    └──── cluster (Kubernetes)
//	            └───────── dht (UDP: announces the classes of the offers)
//
// Every part is made first and run second: nothing starts in a constructor, one
// group owns all that runs, and Run returns when the last of it has stopped.
// What must outlive the process is in the ledger, so a daemon may be killed at
// any moment; the next one finishes or undoes what was under way.
package node
