// Package identity says who is who: Ed25519 keys, peer ids, the pools that
// peers trade in, and the signed statements that peers make.
//
// A peer is its Ed25519 public key, its [PeerID]. Nothing else names it: no
// certificate authority, no host name. A [Key] is the private half; it lives in
// one file of mode 0600 and leaves this package only as a signature or as the
// self-signed certificate that QUIC's TLS handshake wants.
//
// A cluster is not given to strangers. A [Pool] file names a market and the
// keys that may admit members to it; a [Membership] is such a key's signature
// under "this peer is an operator (or a requester) of this pool until then".
// An [Invitation] carries both to a new member. A [Record] is what a provider
// says of itself: where it can be reached, what it trades, and its membership.
// The pool decides ([Pool.Verify]); a record alone proves only who wrote it.
//
// # Formats
//
// A key file is PEM, one block "PRIVATE KEY" holding PKCS #8 (RFC 5958,
// RFC 8410), byte for byte what "openssl genpkey -algorithm ed25519" writes.
//
// Pool and invitation files are YAML, because people read and mail them.
// Unknown and repeated fields are refused, and so are files over 64 KiB.
//
//	name: acme
//	bootstrap: ["dht1.acme.example:7000"]
//	signers: ["mz4w…"]
//
// Memberships and records travel as deterministic CBOR (RFC 8949, section
// 4.2.1) with integer map keys and are accepted only if encoding them again
// gives the same bytes:
//
//	membership = {1: body (byte string), 2: signature (64 bytes)}
//	body       = {1: pool, 2: member, 3: role, 4: operator,
//	              5: not before, 6: not after, 7: signer}
//	record     = {1: body (byte string), 2: signature (64 bytes)}
//	body       = {1: id, 2: addresses (6 or 18 bytes each), 3: classes,
//	              4: policies, 5: versions, 6: cell, 7: membership or null,
//	              8: issued, 9: expires, 10: coordinate (if any)}
//
// Times on the wire are whole seconds of Unix time, ids 32 bytes. Every length
// has a cap that is checked before the content is looked at.
//
// # Signatures
//
// Each signature is Ed25519ctx (RFC 8032, section 5.1) with the statement's
// domain string as its context, over the exact bytes that travel. So a
// signature made for one purpose is none for another, and none of them is a
// TLS signature, which is plain Ed25519.
//
// # Time
//
// Clocks of peers differ: each check of a validity period tolerates [Skew] on
// both sides. The clock is an argument everywhere.
package identity
