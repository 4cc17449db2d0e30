// Package mpc computes a public function of the private inputs of n parties,
// each of whom learns its own outputs and nothing else: authenticated garbling
// among n parties, of whom up to n−1 may be corrupt and do what they like. An
// honest party's output is right or there is none; a cheat may stop others from
// getting theirs, even after it has its own. docs/protocol.md states the
// protocol and who has proved what of it.
//
// Party 0 is the requester, who evaluates; the others are the providers, who
// garble. The protocol runs in flights, each at most one message from each
// party to each other:
//
//	F1  base OTs                                       setup.go   ot
//	F2  OT extension, its proofs, com(coin)            setup.go   auth
//	F3  rows of leaky ANDs, y of the Δ check           setup.go   triple, auth
//	F4  s bits, coin, com(z)                           triples.go triple, auth
//	F5  com(α), z, input corrections: inputs bind      triples.go
//	F6  α, e, f, g with MACs                           triples.go triple
//	F7  garbled rows to their recipients               online.go  garble
//	F8  merged rows, active labels, λ_out → party 0    online.go  garble
//	F9  outputs → providers                            online.go
//
// An output of a provider may be conditional (package circuit): party 0's share
// of its mask goes to that provider only if the condition holds, noise otherwise.
//
// What a flight makes is checked by the step that takes it, before anything of
// the next one leaves:
//
//	F2 ─▶ COT in regions A and B ─┐ auth.Extended
//	F3 ─▶ rows as broadcast ──────┤ triple.RowsMatch
//	F4 ─▶ coin as committed ──────┤ coinTossed
//	F5 ─▶ Σz = 0 ─────────────────┤ auth.SameDelta
//	F6 ─▶ Σα = 0, MACs of e, f, g ┤ triple.Verified, auth.Opened
//	F3 … F7 ─▶ echoes of F2 … F6 ─┘ echoed
//	                              ▼
//	                      clearance.open ─▶ released ─▶ s_w, active labels, λ_out  (F8, F9)
//	F8 ─▶ M_0[s_w], all rows, MACs of λ_out ─▶ resultReleased ─▶ party 0's F9
//	F9 ─▶ output labels, MACs of λ_out, signature ─▶ a provider's outputs
//
// Files: party.go is the machine, exchange.go what goes in and out of it; layout.go the table of flights, with the size
// of each field; frame.go the encoding; release.go the echoes and the gate;
// inputs.go and outputs.go what binds and unmasks values; wipe.go the end of
// every secret; run.go the driver over a Network, local.go one in memory.
//
// # The wire
//
// A frame is a header of 67 bytes, sid (32) ‖ flight ‖ from ‖ to ‖ hash of the
// roster (32), and its fields in the order of the table, without lengths: all
// sizes follow from public parameters, so that a receiver knows them before it
// reads. Bits are packed, bit k being bit k%8 of byte k/8, padding bits are zero
// and are checked; blocks are 16 bytes, little-endian.
package mpc
