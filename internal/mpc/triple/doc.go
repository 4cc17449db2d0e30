// Package triple makes authenticated AND triples: shared bits x, y, z with
// z = x ∧ y, every share authenticated towards every other party.
//
// Leaky ANDs are those of YWZ20 (Yang, Wang, Zhang, CCS 2020, eprint
// 2019/1104, Fig. 5), malicious but for one flaw: a cheat who guesses a bit x
// of an honest party passes with probability ½ and then knows that bit.
// Bucketing removes it: the leaky ANDs are permuted by a coin which nobody
// knew when they were made, and B of them become one triple, whose x is secret
// unless all B leaked.
//
//	Leaky.Rows ──(G_ij, 48 bits a leaky AND; flight 3)──▶ Leaky.Receive
//	Leaky.S    ──(s_i; flight 4)──▶ sum
//	Leaky.Alpha ─(commitment, flight 5; opening, flight 6)─▶ Verify ⇒ Verified
//	Buckets.Open (d, e, f with MACs; flight 6) ──▶ Buckets.Sigma(Verified, …)
//
// Security: ρ = 40 statistical for the bucketing, 48 bits for the leaky ANDs'
// window under a random linear combination over GF(2^128); computational for
// the hash (TCCR, package block).
package triple

// Window is the part of the leaky ANDs' equations that is sent and checked, the
// low 48 bits; the lowest, which carries the bit itself, must be among them.
const (
	WindowBytes = 6
	window      = 1<<(8*WindowBytes) - 1
)

// MinANDs is the least number of triples that are made: smaller circuits are
// padded to it, for below it no affordable bucket gives 2^-40.
const MinANDs = 320

// BucketSize returns B for ℓ ≥ MinANDs triples, the least B for which a cheat
// spoils a whole bucket with probability at most 2^-40.
func BucketSize(ands int) int {
	switch {
	case ands >= 276_325:
		return 3
	case ands >= 3_044:
		return 4
	default:
		return 5
	}
}
