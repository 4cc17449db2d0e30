// Package requester is the asking side of Angler: it finds providers, runs
// matches among them, claims what it won and keeps the leases.
//
//	discover   a Finder streams addresses: hints, nothing more; each is dialled,
//	           proves an identity and shows a signed record
//	choose     the nearest by round-trip time, no more than asked for
//	match      package match, up to three reruns: without those that failed, and
//	           among a part if it cannot be told who did (suspicion.go)
//	claim      the winners provision; the grants' typed fields are validated,
//	           stored, and only when there are all of them confirmed
//	live       show, renew, tokens, a proxy to the API servers; release, expire
//
// A lease has a part at each winner ([Lease], [Part]). It is whole or not at all:
// if one part fails, the others are given back, and the match runs again without
// it. After each of the writes below a requester may die; whoever takes the lease
// up again ends with all of it or with nothing:
//
//	claiming    before the last flight leaves: what may be claimed
//	granted     all grants are here, nothing is confirmed
//	active      all is confirmed
//	releasing   it is to be given back; parts are released, or not yet
//	released, lost, expired
//
// A lease is one file, written atomically: requests that run side by side, as
// they do in CI, share nothing that they would have to lock. Commands about the same
// lease do share its file, which is their lock (change.go): each writes what it has
// learned onto what is stored by then. The file exists
// before the match's last flight leaves, so that a requester that dies at any
// moment finds what it may still claim.
//
// Beside the leases there is what the requester knows of others: where they were
// met (book.go), how long matches take (pace.go), and how they keep their word
// (reputation.go).
package requester
