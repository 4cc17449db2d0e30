// Package placement has the functions that a match computes: each a circuit builder beside a twin in plain Go, [Reference].
//
// Party 0 is the requester; provider d, counted from 1, is party d. A [Function] fixes what each of them enters, what each of
// them learns, and what the requester signs for the winners. [New] gives one by the text of its [Policy]: a name, lowest-price,
// second-price, split or fit, and parameters. What they decide, what they cost and what a liar can gain by them is
// docs/placement.md; here is how they are built.
//
// # Inputs
//
// What each party enters, bit 0 first; what is in brackets belongs to a parameter of the policy:
//
//	requester   quantity − 1 (16 bits) ‖ maximum price (32) [‖ cap − 1 (16)] [‖ handicaps (32 each)] [‖ further (16 each)]
//	provider    quantity (16) ‖ price (32) [‖ 7 × (first unit of a step − 1 (16) ‖ change of the price (32))] [‖ further (16 each)]
//
// The requester enters its quantity less one, so that a request for nothing cannot be expressed: whatever bits a requester
// enters, an offer of 0 never wins, and a winner has at least one unit to deliver and never more than it offered. (A request
// of 0 would otherwise find the lowest price even of those that are full, and take nothing.) The highest code, which would
// mean 65,536 units, fits no single offer. It costs no gate either: fitting is the comparison quantity − 1 < offer. Under split
// and fit, where what an offer has becomes an output, providers too enter quantity − 1 (16), with a bit "any at all" after it.
//
// A supply curve is a first price and changes to it by XOR, each from a number of units on: the price at a secret quantity is one
// comparison and one mask a step, and whatever a provider enters it is a curve of its own.
//
// # Outputs
//
//	lowest-price   requester   for each provider: won (1); then the price (32)
//	second-price   requester   the same, with what is paid in the place of the price
//	split, fit     requester   for each provider: won ‖ quantity − 1 (16) ‖ price (32)
//	all            provider    won ‖ quantity − 1 (16) [‖ further (16 each)], and for second-price what it is paid (32)
//
// All of it is 0 if nothing matches, or, at a provider, if it has not won: the requester does not learn the lowest price above its
// maximum nor whose it is, and a provider cannot tell a lost match from one without a winner.
//
// # One winner
//
// A tournament. A leaf is a rank, the price or price plus handicap, with the bit "cannot win" above its highest, so that keys
// compare as wanted; in each pair the right one wins only if it is less. The maximum is compared once, with the root (with
// handicaps at each leaf). Then the outcome walks back down the tree: the root has won if it fits and is not too dear, and of a
// pair that has won, the right one has if it was less and the left one otherwise. For second-price those that lost to a subtree's
// winner go up beside it; the second-lowest is the least of those at the root.
//
// # Several winners
//
// Leaves, now key and units, go through a sorting network. Then each takes its turn: what is left less what it has is one
// subtraction, whose carry says whether anything is left after it. Whoever takes everything that it has is "full", whoever takes
// the rest is "last"; there is a match if there is a last one. These two bits go back through the network by the same exchanges,
// and at its own place an offer's part is its units if it is full and the rest if it is last. With tiers the last one's price is
// computed again, for the rest, and compared with the maximum. For fit the first of the sorted offers that has everything becomes
// the last one, and nobody is full.
//
// Every order of the leaves gives the same inputs and outputs in the same order and the same number of ANDs: only then may the
// coin choose it after the triples are made. Each output to a provider is an input of the requester or has an AND in it, so
// that party 0 has a share of its mask; and no output to anybody is a sum of inputs of several (package circuit says why both matter).
package placement
