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
// # Wire
//
// A stream begins with its kind (package mesh). Messages are frames of
// deterministic CBOR with integer keys (package wire), each with its own size
// limit. Streams of kind KindSession carry one header of 33 bytes (sid, the
// opener's party index) and then the raw flights of package mpc, whose lengths
// both ends know beforehand.
//
// # What a peer can do
//
// A peer can decline, lie, stall or vanish: it costs this match. Reasons are
// never sent: a decline is one byte, an abort is a reset stream.
package match
