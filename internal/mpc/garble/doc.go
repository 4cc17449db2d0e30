// Package garble is authenticated garbling among n parties in the half-gates
// form: party 0 evaluates, all others garble, and every row carries a MAC under
// the evaluator's key, so that a garbler who sends a wrong row is caught.
//
// The published protocol is YWZ20 (eprint 2019/1104, after WRK17, eprint
// 2017/189, and HSS17); the half-gates form here (Zahur, Rosulek, Evans 2015)
// is our own derivation, see docs/protocol.md.
//
// A wire has a mask λ, the XOR of a bit of every party, and a public masked
// value Λ = value ⊕ λ, which only the evaluator (and whoever it tells) sees.
// Garbler i has a label L0 for Λ = 0 and L0 ⊕ Δ_i for Λ = 1. For an AND gate
// with inputs a, b, output γ and σ = λ_a·λ_b (shared and authenticated),
// garbler i hashes its four labels once for each recipient d of its rows:
//
//	d = i (kept):   G0 = H(a0)⊕H(a1)⊕K(λ_b)     G1 = H(b0)⊕H(b1)⊕a0⊕K(λ_a)
//	                out0 = H(a0)⊕H(b0)⊕K(σ⊕λ_γ)
//	d ≠ i (sent):   S0 = H(a0)⊕H(a1)⊕M_d[λ_b]   S1 = H(b0)⊕H(b1)⊕M_d[λ_a]
//	                S2 = H(a0)⊕H(b0)⊕M_d[σ]⊕M_d[λ_γ]
//
// with K(v) = ⊕_j K_i[v^j] ⊕ v^i·Δ_i. Rows for d = 0 authenticate to the
// evaluator and consist of the high 64 bits. Garbler d adds the rows that it
// receives to its own (reduce-scatter), so that the evaluator gets one merged
// row (c0, c1, c2) a garbler:
//
//	garbler i ──S^{i,d}──▶ garbler d ──(G0,G1,0) ⊕ ⊕_i S^{i,d}──▶ evaluator
//	garbler i ──S^{i,0}──────────────────────────────────────────▶ evaluator
//
// Of each of its outputs garbler d also tells the evaluator a tag of either label: what
// others put into the rows behind which there is no AND shows by nothing else before
// d has its label back.
//
// NOT keeps λ, flips Λ and adds Δ to L0; XOR adds masks, masked values and
// labels. Every hash has a tweak of its own, of gate, side, sender and
// recipient: without the recipient two corrupt garblers could add rows that an
// honest one sent them and read its mask shares.
package garble
