// Package control is the door between the commands of one user and that user's daemon: HTTP with JSON bodies over a
// Unix socket.
//
// The socket has mode 0600 in a folder of mode 0700, and on systems that can tell who is at the other end (Linux, macOS)
// each side also refuses a peer of another user, root excepted. There is no other authentication: whoever may open the
// socket may do what the daemon's owner may do.
//
// # Wire
//
// Requests and answers are JSON objects; a request of more than 64 KiB, with unknown fields or with trailing bytes is
// refused. Every path starts with the version of this interface. A change that an older client could not read gets a new
// version; new fields in answers do not, so clients ignore fields that they do not know.
//
//	GET    /v1/status                → Status
//	GET    /v1/offers                → {"offers": [Offer, …]}
//	PUT    /v1/offers/{name}   Offer → Offer         (creates or replaces)
//	DELETE /v1/offers/{name}         → 204
//	POST   /v1/offers/{name}/pause   → Offer
//	POST   /v1/offers/{name}/resume  → Offer
//	GET    /v1/leases                → {"leases": [Lease, …]}
//	GET    /v1/leases/{id}           → Lease
//	DELETE /v1/leases/{id}           → Lease         (the lease in its new state)
//	POST   /v1/leases/{id}/reclaim   → Lease
//	PUT    /v1/drain           Drain → Drain
//	POST   /v1/lookup         Lookup → a stream of lines {"found": Found}, closed by {"done": true} or {"error": Error}
//
// An answer other than 2xx has the body {"code": "…", "message": "…"}, which the client turns back into an [Error] that
// [errors.Is] matches against the sentinel of its code, so that a command decides on what the daemon meant and not on its words.
//
// # What it may say
//
// Status and Match are what this node itself learned: its own selection, quantity and price. Nothing that this package can
// carry says anything of another provider's offer or of a request that another provider won.
package control
