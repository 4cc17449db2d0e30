// Package coord places nodes in a space in which distances are round-trip times.
//
// Every node keeps a coordinate of its own and moves it whenever it has timed a
// round trip to a node whose coordinate it was told: together they settle so
// that the distance of two coordinates estimates the round-trip time of two
// nodes that have never met (Dabek, Cox, Kaashoek, Morris, "Vivaldi: A
// Decentralized Network Coordinate System", SIGCOMM 2004; with the height
// vectors of that paper, and the filter, adjustment and gravity of Ledlie,
// Gardner, Seltzer, "Network Coordinates in the Wild", NSDI 2007). The arithmetic
// is that of hashicorp/serf/coordinate.
//
// A provider's coordinate stands in its signed record. A requester ranks by
// estimates before it dials and by what it measured afterwards.
//
// # What a liar can do
//
// A round trip is measured by who asks, so a peer can seem farther away than it
// is, by waiting, but not nearer. It can claim any coordinate: one that is not
// plausible is refused ([Parse]), one that is plausible pulls the honest a
// little, by at most what one sample moves, and is paid back by every honest
// sample. It may win a place among the candidates that are dialled, and loses
// it again when its handshake is timed. Estimates choose whom to ask; they never
// decide who wins.
package coord
