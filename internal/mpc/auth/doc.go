// Package auth makes and uses authenticated bits.
//
// Party i holds a secret Δ_i of 128 bits for one match. A bit b of party i is
// authenticated towards party j when i holds b and M_j[b], j holds K_j[b], and
//
//	M_j[b] = K_j[b] ⊕ b·Δ_j.
//
// Two regions of such bits exist, two types here, because mixing them is an
// attack. In region A a party uses the same bit towards everybody; of these are
// made triples, masks and inputs. Two bits of each leaky AND among them are
// narrow: their MACs have 48 bits (Narrow). In region B the bits belong to one pair: 128
// for the check that a party's Δ is the same towards everybody, 128 minted for
// the base OTs of a later match, and 128 that only mask the region's own check.
//
//	Extension ──(corrections, proofs; flight 2)──▶ Extension
//	    │ Check of every peer (COT A, COT B), then Finish
//	    ▼
//	A (region A) and B (region B) ──▶ DeltaY, DeltaZ, VerifyDelta; Mint
//
// Storage is flat: for each peer one row M[j] and one row K[j] of blocks, own
// bits packed. A row is called a lane: everything linear that is done to an
// authenticated value is done to each lane separately and alike, which is why
// the code of triple and garble works lane by lane.
package auth
