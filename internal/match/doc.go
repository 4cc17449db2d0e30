// Package match is what requester and provider say to each other around the
// multi-party computation: who takes part, in what, and what follows from it.
//
//	requester                          provider                       other providers
//	    │ ── record ──────────────────────▶│  its signed record
//	    │ ── invite(class, policy, …) ────▶│  admission
//	    │ ◀─────────── accept(nonce) ──────│
//	    │ ── roster, signed ──────────────▶│  checks it, meets the others ◀────▶│
//	    │ ◀───────────────── ready ────────│
//	    │ ◀═══════ flights of the MPC, a stream a pair of parties ═══════▶│
//	    │          inputs bind at F5: the ledger holds what is offered
//	    │  stores the outcome before F9     │  winner reserves when F9 verifies
//	    │ ◀──────────────── finished ──────│
//	    │ ── claim(lease) ────────────────▶│  provisions
//	    │ ◀──────── grant, receipt ────────│  lease is provisional
//	    │ ── confirm(countersigned) ──────▶│  lease is active
//	    │ ── release(lease) ──────────────▶│
//
// The roster is the contract of one match: its hash is the session id, which
// enters every random-oracle call of the protocol. It fixes the parties and
// their fresh nonces, class, policy, duration, circuit and the commitment to
// the request. A party that was shown another roster computes another sid and
// its first frame is refused.
//
// Everything that happens after the MPC is idempotent by lease id, which both
// sides derive from sid and provider, over any connection of the same
// identities: a requester that lost its connection, or its process, asks again
// and is told where things stand.
//
// # Files
//
// Both sides: messages.go, lease_messages.go and wire.go are the wire; roster.go
// and roster_open.go the contract and its checks; network.go carries the flights
// over streams and notices silence, streams.go does so for who has the streams;
// warm.go agrees on spare sets, stock.go and stock_make.go have idle providers
// make them; patience.go is how long who waits, memory.go how large a match may
// be; receipt.go, receipts.go, archive.go and grant.go are what a deal leaves;
// carry.go copies what runs through a provider to its API server.
//
// The requester ([Seeker]): candidate.go, seeker.go, table.go, draw.go with
// commitment.go and speed.go, play.go, listener.go; blame.go and judge.go decide
// whom a rerun leaves out and who is suspected, dispute.go who has spoilt a result
// that stands; deal.go is claim, confirm and release, renewal.go and standings.go
// what comes in between.
//
// The provider ([Provider]): provider.go, invitation.go, matching.go, session.go,
// control.go, assembly.go and meeting.go take part in matches, fitness.go says
// with what; lease.go answers about leases, spec.go, provision.go and ending.go
// change the cluster, work.go and sweep.go see to it that one at a time does and
// that what is due gets done; guard.go keeps what a lease has in the cluster as it
// was agreed. standing.go, renewing.go, telling.go and proxy.go are what a lease
// has while it lives.
//
// Among neighbours ([Backer]): dialback.go and knock.go dial back who asks for it,
// referral.go tells requesters of those whom the DHT does not lead to.
//
// # Wire
//
// A stream begins with its kind (package mesh). Messages are frames of
// deterministic CBOR with integer keys (package wire), each with its own size
// limit.
//
//	KindRecord   ◀ signed record
//	KindMatch    ▶ Invite   ◀ Answer   ▶ SignedRoster   ◀ Report (Ready)
//	             ▶ Notice, if the match is given up     ◀ Report (how it ended)
//	KindSession  ▶ sid (32 bytes) ‖ opener's party index (1 byte) ‖ spare set
//	             (32 bytes; 0: none)   ◀ if there is one: 1 byte, whether it is
//	             used; then both ways the raw flights of package mpc, whose
//	             lengths both ends know
//	KindLease    ▶ LeaseRequest   ◀ LeaseReply
//	KindProxy    ▶ ProxyRequest   ◀ ProxyReply; if it is open, then both ways the
//	             bytes of a connection to the provider's API server
//	KindStock    ▶ StockAsk   ◀ StockAnswer; if a set is to be made, both ways base OTs
//	             (8,224 bytes) and then the set's id (32 bytes)
//	KindDialBack ▶ signed record, where announcements lead   ◀ 1 byte
//	KindReferral ▶ class   ◀ signed records of those whom the DHT does not tell of
//
// # A lease that lives
//
// A lease request names an action; all may be repeated without harm.
//
//	Claim    reserved → provisioned      ◀ Granted: grant, receipt, signature
//	Confirm  its receipt, signed ▶       ◀ Confirmed
//	Show                                 ◀ Shown: where it stands, usage of its quota
//	Token                                ◀ Token: a fresh credential
//	Prepare  the whole term in seconds ▶ ◀ Prepared: receipt, signature, for how long it binds
//	Renew    that term, signature ▶      ◀ Renewed
//	Release                              ◀ Gone
//
// Any may be answered Pending (ask again), Refused (no such lease of this
// requester), Gone or Failed (it is over), and the middle four Denied: not of
// this lease as it stands, which it goes on doing. A promise is durable before
// it is answered, binds for two minutes, also beyond the end of the term that it
// prolongs, and is void then; a renewal is by the whole term, so that repeating
// one does not prolong twice. The provider promises no longer term than the
// offer's longest duration, none while the offer is paused or the provider
// drained, and none for a lease that it takes back.
//
// Notice that a lease ends is given a tenth of its term before, but a minute to
// an hour (market.NoticeLead): in the namespace, as annotation and event, and in
// whatever its requester asks. So it is when the operator takes a lease back,
// which only an offer that states a notice allows: the receipt says which.
//
// What a lease has in the cluster is watched. What others change of it is put
// back; if they delete its namespace the lease ends, as what was in it is lost,
// and the requester is told so whatever it asks next. A cluster that does not
// answer has deleted nothing.
//
// Replies about a lease that lives carry the provider's signed record, for the
// next connection. A stream of KindProxy reaches the provider's own API server
// and nothing else, for who has a lease there that can be used; it is cut when
// the lease begins to end, or after ten minutes without a byte. TLS in it goes
// from the tenant to the API server: the provider's daemon and the mesh carry
// ciphertext.
//
// # When a match fails
//
// A provider that cannot go on says so on its KindMatch stream, and what it saw
// of whom, and leaves its session streams standing until the requester has
// heard everybody: a party that gives up must not look like one that broke. The
// requester stops the others, who say whom they were waiting for, and decides
// (judge.go) whom the next try leaves out, or of whom one is at fault.
//
// # What a peer can do
//
// A peer can decline, lie, stall or vanish: it costs this match, and it may be
// left out of the next. Declines have no reason and look alike; a report names a
// party and a flight, never a check. A stranger can make a provider read one
// invitation and park a bounded number of streams. A requester that is admitted
// can occupy a place among the provider's matches for as long as a match may
// take; its matches are counted, on disk, from the moment that inputs bind. One
// that has a lease can have its API server asked for usage (eight at a time in
// all) and for tokens (one at a time), prepare a hundred renewals, and keep
// sixteen connections open; none of it keeps the lease from ending.
package match
