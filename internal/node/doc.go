// Package node is the provider's daemon: it puts the parts together and runs
// them until it is told to stop.
//
//	            ┌────────────── control socket (status, offers, leases, lookup)
//	            │
//	ledger ── provider ── mesh (QUIC: records, matches, sessions, leases)
//	            │    └──── cluster (Kubernetes)
//	            └───────── dht (UDP: announces the classes of the offers)
//
// If it is told to, it also follows its cluster: offers that are what the nodes
// have over (surplus), offers that objects of the cluster say (operator), and
// requests of its own when capacity is short (Acquire).
//
// Every part is made first and run second: nothing starts in a constructor, one
// group owns all that runs, and Run returns when the last of it has stopped.
// What must outlive the process is in the ledger, so a daemon may be killed at
// any moment; the next one finishes or undoes what was under way.
//
// # Beside the parts
//
// discovery.go is the place in the DHT and why others may not find us; place.go
// and neighbours.go find out where we are; record.go is what we say of
// ourselves. offer.go reads and shows offers and says in the log which enter
// nothing and why; gpu.go lets units with a GPU be offered only while the
// cluster was seen to hold tenants to the model; house.go is what every lease
// gets. drain.go withdraws from new matches; remains.go compares the cluster
// with the ledger. show.go and metrics.go are for the operator's eyes: they say
// what this node itself learned and nothing of others.
package node
