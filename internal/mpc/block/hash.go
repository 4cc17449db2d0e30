package block

// Hash is a tweakable circular correlation robust (TCCR) hash of 128 bits to 128
// bits. With π = AES-128 under the start point as its key, it is TMMO of Guo, Katz,
// Wang and Yu, "Efficient and Secure Multiparty Computation from Fixed-Key Block Ciphers"
// (IEEE S&P 2020, eprint 2019/074, section 7.4):
//
//	H(x, i) = π(π(x) ⊕ i) ⊕ π(x)
//
// # What it gives
//
// TCCR: for a secret Δ of min-entropy ρ, nobody tells (w, i, b) ↦ H(w ⊕ Δ, i) ⊕ b·Δ from
// a random function, who never asks for one (w, i) with both b. That covers what
// half-gates, the leaky AND and the leaves of a PPRF need, and CCR and CR are special
// cases. Model: AES-128 is an ideal cipher (under one key, a random permutation
// that anybody can evaluate both ways). An adversary with p evaluations of AES and q hashes
// under one (start point, Δ) has an advantage of about p·q/2^ρ + (p·q + q²)/2^128: it has to
// hit an inner input w ⊕ Δ, or an inner output π(w ⊕ Δ), or an outer input; outer inputs
// of one w differ by their tweaks, of different w they meet by chance. With q = 2^20
// hashes under one Δ that is 2^107 evaluations.
//
// Multi-instance: keys differ from instance to instance, so an evaluation of
// AES serves against one of them only, and with u instances the advantage is
// the above for the largest q, and u²/2^129 for two start points being equal. This is what
// MITCCRH (Guo, Katz, Wang, Weng, Yu, CRYPTO 2020, eprint 2019/1168) does by a key
// a tweak. There q is the hashes of one gate and here those of one start point; in
// exchange one key schedule serves a start point, and the tweak is data.
//
// # How to use it
//
//   - The start point is the output of a random oracle over a transcript that
//     fixes all that the peers contribute: for the rows of the leaky ANDs, of the
//     OT extension's frames between the two parties; for garbling, of the
//     broadcasts. Nobody can then prepare for it. It need not be secret. In
//     the ideal-cipher model it gains nothing to grind for one.
//   - A tweak occurs once for each Δ under one start point and input: leaky AND, the
//     triple and the ordered pair; garbling, gate, side, sender and recipient.
//     A tweak is 128 bits: place its parts side by side, do not hash them.
//   - Give each Δ its own start point where that is easy (by the sender's index): q
//     is then what one party computes.
//
// A Hash is immutable: any number of goroutines may use one. Constant-time in x
// and in the tweak.
type Hash struct{ key fixedKey }

// NewHash returns the hash with the given start point.
func NewHash(start Block) *Hash { return &Hash{newFixedKey(start)} }

// Sum returns H(x, tweak).
func (h *Hash) Sum(tweak, x Block) Block {
	dst, tweaks := [1]Block{}, [1]Block{tweak}
	h.key.sumTweaks(dst[:], tweaks[:], x)
	return dst[0]
}

// SumN sets dst[k] = H(xs[k], tweaks[k]) for every k < len(dst); tweaks and xs
// are at least as long. dst may be one of them, but not overlap it otherwise.
func (h *Hash) SumN(dst, tweaks, xs []Block) {
	h.key.sumN(dst, tweaks[:len(dst)], xs[:len(dst)])
}

// SumTweaks sets dst[k] = H(x, tweaks[k]) for every k < len(dst): one input
// under many tweaks, for little more than half the price of SumN. dst may be
// tweaks, but not overlap it otherwise.
func (h *Hash) SumTweaks(dst, tweaks []Block, x Block) {
	h.key.sumTweaks(dst, tweaks[:len(dst)], x)
}
