// Package ot makes correlated oblivious transfers between two parties: base OTs
// by a Diffie–Hellman exchange, and their extension to as many as are wanted
// by symmetric cryptography.
//
// Of an ordered pair (from, to), *from* holds the bits x and *to* holds Δ. What
// comes out is, for every row r,
//
//	M_r = K_r ⊕ x_r·Δ      from: x_r, M_r (128 bits)    to: Δ, K_r (128 bits)
//
// so that M_r is a MAC of x_r under the key (K_r, Δ).
//
// # Flights
//
//	F1  from ⇄ to    base OTs, both directions at once          BaseOT
//	F2  from → to    PPRF corrections ‖ PPRF check ‖ u          ExtReceiver → ExtSender
//	    from → to    x̃, t̃ for each range of rows               (sent by the caller in the same flight)
//
// The coefficients χ of the consistency check are the caller's: it derives them
// by a random oracle from the hashes of all its extensions (ExtReceiver.Hash),
// which is what makes one flight of it. They must depend on that hash, be drawn
// from GF(2^128), and be X^0 … X^127 in the last 128 rows of a range, whose
// bits x are random and used for nothing else: they mask x̃.
//
// # What a cheat can do
//
// The functionality that is realised is a correlated OT with selective failure,
// as in Roy22: a malicious holder of x may guess, for some of the 128/k groups
// of k bits of Δ, a set of values, by sending corrections or a u that are
// consistent only for those. If every guess is right nothing is noticed, and it
// has learnt just that; if one is wrong the other party aborts (ErrCheck). A
// guess of t bits is right with probability 2^-t. So nothing that fails a check
// may be used again, Δ and the base set included, and Δ must be fresh or its
// failure final. A malicious holder of Δ learns nothing about x but what x̃
// says, which the mask rows hide.
//
// Every step is constant-time in the secrets. The one thing that depends on
// them is the verdict of Unchecked.Check, the selective failure above; it is
// reached after all work is done, the same for every cause.
//
// Base sets that were kept from an earlier match serve as fresh ones do: seeds enter
// an extension through block.Hash, whose key is RO(session, pair, k, set id). Choice is
// then random and not Δ; the holder of Δ sends δ = Choice ⊕ Δ, the other applies it after
// the checks, which run under Choice: M_r ⊕ x_r·δ = K_r ⊕ x_r·Δ.
//
// All functions are deterministic: randomness comes in as an argument. Every
// hash carries the session id and the ordered pair.
package ot
