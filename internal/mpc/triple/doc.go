// Package triple makes authenticated AND triples: shared bits x, y, z with
// z = x ∧ y, every share authenticated towards every other party.
//
// Leaky ANDs are those of YWZ20 (Yang, Wang, Zhang, CCS 2020, eprint
// 2019/1104), malicious but for one flaw: a cheat who guesses a bit x
// of an honest party passes with probability ½ and then knows that bit.
// Bucketing removes it: the leaky ANDs are permuted by a coin which nobody
// knew when they were made, and B of them become one triple, whose x is secret
// unless all B leaked.
//
//	Leaky.Rows ──(G_ij, 48 bits a leaky AND; flight 3)──▶ Leaky.Receive
//	Leaky.S    ──(s_i; flight 4)──▶ sum
//	Leaky.Alpha ─(commitment, flight 5; opening, flight 6)─▶ Verify ⇒ Verified
//	Buckets.Open (e, f, g with MACs; flight 6) ──▶ Buckets.Sigma(Verified, …)
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

// buckets lists, for each bucket size B, the least number ℓ of triples for which
// a cheat spoils a whole bucket with probability at most 2^-40: with c leaky
// ANDs spoilt, each unnoticed with ½, the expected number of buckets that hold
// nothing else is ℓ·C(c, B)/C(Bℓ, B), so for all c
//
//	2^-c · ℓ · C(c, B) / C(Bℓ, B) ≤ 2^-40.
var buckets = [...]struct{ size, triples int }{{5, 320}, {4, 3_044}, {3, 276_325}}

// MinTriples is the least number of triples that are made: smaller circuits are
// padded to it.
const MinTriples = 320

// Plan returns how many triples are made for a circuit with the given number of
// AND gates, and of how many leaky ANDs each: of the plans that give 2^-40 the
// one with the fewest leaky ANDs, B a triple, which is what bits and rows follow. A
// circuit shortly below a threshold is padded to it.
func Plan(ands int) (triples, bucket int) {
	for _, b := range buckets {
		n := max(ands, b.triples)
		if bucket == 0 || n*b.size < triples*bucket {
			triples, bucket = n, b.size
		}
	}
	return triples, bucket
}
