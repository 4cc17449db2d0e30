// Package discovery measures how well requesters find providers: many nodes of
// the DHT run in this process, each the real node on a UDP socket of its own.
//
// # What a run is
//
// A bootstrap node starts first, then the others, a few at a time. Some of them
// are providers: they announce one key (of one precision) and keep it
// announced. Requesters are passive nodes that have joined, as `angler request`
// makes one. After fifteen seconds each lookup is made by a requester on its
// own, and what its union holds after five seconds at most is compared with the
// providers that had been up for fifteen seconds when it began and were still
// there when it ended.
//
// # What is simulated
//
// Addresses: each node has a /24 of its own in 127.0.0.0/8, and the caps by
// address prefix are on. Distances: nodes lie on a square, packets between two
// of them are held back by half of a round-trip time that grows with their
// distance. Churn: nodes, providers among them, stop without a word and others
// start at new addresses. Hostile nodes are in everybody's tables because they
// answer pings; see [Options.Hostile] for what else they do.
//
// Not simulated: packet loss beyond full socket buffers, NAT, bandwidth. All
// nodes share this machine's processors, so times are upper bounds.
package discovery
