// Package bench measures matches on this machine: every party of one runs the
// real protocol in this process, over real QUIC links between nodes of their
// own.
//
// # What a run is
//
// Each run begins from nothing: new identities, new nodes on loopback sockets, a
// new link for every pair, one stream on it. What a [Setup] presupposes is made
// next, by a match in memory that nobody measures; its sets serve this run alone.
// Then the requester writes the start signal to all providers, in the place of a
// roster, and the clock runs until it has verified its result. A provider begins
// when it reads the signal: with a round-trip time the providers are half of one
// behind, as they are in a match.
//
// Not in the figures: invitations, the readiness of providers (a round trip in a
// match), the ledger, leases. Every party's outputs are compared with a plain
// evaluation of the circuit: a run that is fast and wrong is an error.
//
// # Round trips
//
// With a round-trip time, the datagrams of each link go through a relay in this
// process that holds each back by half of it. Packets are not dropped and
// bandwidth is not limited, and the relay's work is in the CPU figure.
//
// # In the clear
//
// The peer that privacy is measured against is in clear.go: providers send the
// requester their offers over the same links. Nothing outside this package can
// reach it but the benchmark's own command.
package bench
