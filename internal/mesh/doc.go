// Package mesh connects peers: QUIC links whose two ends have proven their
// identities, and framed streams on them. All of a node's traffic, dialled and
// accepted, goes through one UDP socket.
//
// # Links
//
// A [Link] joins this node to one running instance of a peer. It is a logical
// thing: it carries on while the QUIC connection beneath it is replaced, and
// ends when the last one is gone. Both sides authenticate with TLS 1.3 and
// self-signed Ed25519 certificates (see identity.FromCertificates for what of
// them counts). There are no session tickets and no 0-RTT data, so every
// connection proves both keys afresh and nothing in it can be replayed.
// [Node.Connect] reaches a known peer and no other: its key is checked before
// ours is shown. [Node.Dial] takes whoever answers, and says who it was.
//
// The same identity may run several times, as parallel requesters in CI do:
// each instance has a link of its own.
//
// # The wire
//
// QUIC version 1 (RFC 9000), ALPN "angler/1". On each connection each side
// opens one unidirectional stream, the control stream:
//
//	control = hello ‖ [retire] ‖ FIN
//	hello   = instance (16 bytes) ‖ sequence (8 bytes, big-endian)
//	retire  = streams opened (8 bytes, big-endian)
//
// instance is random and drawn once a node, sequence counts the connections
// that the node has dialled (0 on one that it accepted). The dialling side says
// hello first, the accepting side once it has admitted the peer and has a place
// for it; until both have said it there is no link. Everything else is on bidirectional streams, the first byte of
// which, sent by the opener, is the [Kind]; what follows is up to the two ends.
// A frame is a 4-byte big-endian length and as many bytes.
//
// # Two connections where one will do
//
// When both sides dial at once, or one dials again, a link has two connections.
// Both sides prefer the same one: that which the lower identity dialled, and
// among those of one dialler the one with the highest sequence. New streams
// open on the preferred connection. The others retire without losing a stream:
//
//  1. a side that prefers another connection opens no more streams on this one
//     and writes retire, with the count of those that it has opened;
//  2. once it has read the peer's retire, has seen as many streams as that says,
//     and all streams of the connection, in both directions, have ended here, it
//     ends its control stream: it needs nothing more of the connection;
//  3. once both have, the connection is closed.
//
// # Bounds
//
// A peer is a stranger until its handshake is over, and may be hostile after
// it. [Config] bounds the handshakes under way (with address validation by
// Retry packets, RFC 9000, section 8.1.2, once there are more than a few), the
// links in all, by address prefix and by identity, the streams a link, and the
// memory that unread data may take. When there is no more room the link that
// has been unused for longest gives way; what a node has dialled takes no more
// than half of all places unless it is in use. What a peer sends can end its stream
// or its link, and nothing else.
package mesh
