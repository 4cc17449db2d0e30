// Package requester is the asking side of Angler: it finds providers, runs
// matches among them, claims what it won and keeps the leases.
//
//	discover   a Finder streams addresses: hints, nothing more; each is dialled,
//	           proves an identity and shows a signed record
//	choose     the nearest by round-trip time, no more than asked for
//	match      package match, up to three reruns without those that failed
//	claim      the winner provisions; the grant's typed fields are validated,
//	           stored, and only then confirmed
//
// A lease is one file, written atomically: requests that run side by side, as
// they do in CI, share nothing that they would have to lock. The file exists
// before the match's last flight leaves, so that a requester that dies at any
// moment finds what it may still claim.
package requester
