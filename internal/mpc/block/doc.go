// Package block holds the 128-bit kernels that the rest of the multi-party
// computation is made of: the block itself with its XOR and masks, GF(2^128),
// the bit-matrix transpose of the OT extension, the fixed-key hash of garbling
// and OT, and the AES-CTR generator that stretches seeds.
//
// Everything here is constant-time in its data: no branch and no table index
// depends on the contents of a block. (Lengths, tweaks and the coefficients
// that are named public are not secret.) The one assumption about the machine
// is that its 64-bit multiplication takes constant time, which holds on amd64
// and arm64; crypto/aes is constant-time where the machine has AES
// instructions, which both have.
//
// The bit order is one everywhere: bit k of a vector is bit k%8 of byte k/8,
// bit k of a block is the coefficient of X^k, and blocks are written
// little-endian. A file x.go holds the exported form and the argument for it,
// x_generic.go the portable arithmetic below it, which is always built. On amd64,
// x_amd64.go and its .s files do the same with wider instructions where the
// machine has them (cpu_amd64.go); x_noasm.go stands for them elsewhere and under
// the build tag purego. Every path gives the same bits, and the tests run on each.
package block
