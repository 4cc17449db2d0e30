// Package market holds what is traded and who owes what to whom.
//
// # Words
//
// A [Class] is the public unit: a share of a namespace such as
// cpu=1,memory=1Gi with attributes. A [Quantity] counts units and a [Price] is
// what one unit costs an hour; both are secrets and never stand in an error or
// a log line of this package. An [Offer] is what a provider puts up, a
// [Request] what a requester wants, and an [Ask] the part of a request that its
// peers may see. A [Lease] is the outcome.
//
// What an offer asks is a price, a supply curve ([Tiers]) or an expression
// ([PriceExpr]) that is evaluated when a match binds; what a match enters of it
// is a [Bid]. A request may want more than units of one provider: see
// [Dimension].
//
// # Life of a unit
//
// The [Ledger] owns a provider's capacity. A match holds units ([Ledger.Hold])
// when its inputs bind; a hold lives in memory only and dies with the process,
// with ten seconds of boot-time clock or with [Ledger.Free]. A win turns a hold
// into a reservation ([Ledger.Win]): one transaction stores the lease, keeps
// what was won and frees the rest. From there on the lease walks the table in
// state.go, each step on disk before its effect:
//
//	held ──► reserved ──► provisioning ──► provisional ──► active
//	  │          │              │               │            │
//	  ▼          ▼              └───────► expiring ◄─────────┘
//	released  released,                      │
//	          failed                 released, failed
//
// A lease's term may be prolonged in two steps ([Ledger.Promise], [Ledger.Renew])
// and cut short with notice ([Ledger.Reclaim]); what its namespace is to say about
// its end is [Ledger.Tellings].
//
// Held is memory only. A lease may have touched the cluster from provisioning
// on, hence the one way out from there is through expiring, in which its
// objects are deleted while it still occupies capacity.
//
// # Capacity
//
// Capacity is one pool of base resources behind all classes. It is either
// declared ([Ledger.SetCapacity]) or the sum of the offers, and
// reserved + held + free is always the total (see [Usage]).
//
// An offer with a Surplus is not so many units but what a cluster has over at the
// moment when inputs bind, as Config.Surplus counts it after all that is promised.
//
// How far the provider withdraws from new matches stands in the ledger, too
// ([Ledger.SetDrain]): what it is for may take longer than the process lives.
//
// # Purity
//
// Classes, sizes, prices, offers and the state table are pure values. Only the
// Ledger does I/O, on the one file that it owns; time reaches it through a
// [Clock] and it starts no goroutine.
package market
