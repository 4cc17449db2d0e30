// Package placement has the functions that a match computes: each a circuit builder beside a reference in plain Go.
//
// Party 0 is the requester; provider d, counted from 1, is party d. A placement function fixes what each of them enters,
// what each of them learns, and what the requester signs for the winner. [New] gives one by the name of its policy.
//
// # lowest-price
//
// The winner is the provider with the lowest price among those whose quantity is at least the requested one and whose price
// is at most the requester's maximum. An exact fit fits, and so does a price equal to the maximum. Of equal prices the one
// whose leaf comes first wins; the order of the leaves is a random permutation from the match's joint coin, so that each of
// the tied is as likely, and it costs no gate.
//
// What each party enters, bit 0 first:
//
//	requester   quantity − 1 (16 bits) ‖ maximum price (32 bits)
//	provider    quantity (16 bits) ‖ price (32 bits)
//
// The requester enters its quantity less one, so that a request for nothing cannot be expressed: whatever bits a requester
// enters, an offer of 0 never wins, and a winner has at least one unit to deliver and never more than it offered. (A request
// of 0 would otherwise find the lowest price even of those that are full, and take nothing.) The highest code, which would
// mean 65,536 units, fits no offer. It costs no gate either: fitting is the comparison quantity − 1 < offer.
//
// What each party learns:
//
//	requester   winner's party number (⌈log2(P+1)⌉ bits, 0 = none) ‖ price (32 bits) ‖ matched (1 bit)
//	provider d  won (1 bit) ‖ quantity − 1 if it won, else 0 (16 bits)
//
// All of it is 0 if nothing matches: the requester does not learn the lowest price above its maximum nor whose it is, and a
// provider cannot tell a lost match from one without a winner. The winner does not learn the maximum price, no provider
// learns anything about another, nobody learns how many fit. What the outcome itself says, it says: that the winner is the
// cheapest of those that fit.
//
// # The circuit
//
// A tournament. A leaf is a price with the bit "does not fit" above its highest, so that the 33-bit numbers compare as wanted;
// in each pair the right one wins only if it is less. The maximum is compared once, with the root. Then the outcome walks
// back down the tree: the root has won if it fits and is not too dear, and of a pair that has won, the right one has if it
// was less and the left one otherwise. With b = 32 and c = 16 that is, in ANDs,
//
//	P·c  fits   + (P−1)(b+1)  comparisons   + (P−1)(b+1)  selections   + (P−1)  walk down
//	+ b  maximum   + 1  eligible   + b  price   + P·c  quantities   = 99·P − 2
//
// which is 790, 1582 and 3166 for 8, 16 and 32 providers. Every order of the leaves gives the same inputs and outputs in the
// same order and the same number of ANDs: only then may the coin choose it after the triples are made.
package placement
