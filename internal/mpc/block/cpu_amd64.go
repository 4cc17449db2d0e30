//go:build !purego

package block

import "golang.org/x/sys/cpu"

// instructions says which assembly this machine can run. The flags of x/sys are
// set only where the operating system keeps the registers, too.
type instructions struct {
	aes    bool // AES-NI with the three-operand forms of AVX
	vaes   bool // AES on 512-bit registers
	avx2   bool
	clmul  bool // PCLMULQDQ with AVX
	vclmul bool // PCLMULQDQ on 512-bit registers
	gfni   bool // 8×8 bit matrices and byte permutations on 512-bit registers
}

// machine is written by tests alone, which take every path in turn.
var machine = detect()

func detect() instructions {
	x := &cpu.X86
	wide := x.HasAVX512F && x.HasAVX512BW && x.HasAVX512DQ && x.HasAVX512VL && x.HasBMI2
	return instructions{
		aes:    x.HasAES && x.HasAVX,
		vaes:   x.HasAES && x.HasAVX && wide && x.HasAVX512VAES,
		avx2:   x.HasAVX2,
		clmul:  x.HasPCLMULQDQ && x.HasAVX,
		vclmul: x.HasPCLMULQDQ && x.HasAVX && wide && x.HasAVX512VPCLMULQDQ,
		gfni:   wide && x.HasAVX512VBMI && x.HasAVX512GFNI,
	}
}
