//go:build !purego

#include "textflag.h"

// The kernel of gf_clmul_amd64.s with four pairs in a register, and the
// selective sum, which needs AVX-512 alone.

// The 256-bit product is X0 + (X2 ^ X3)·X^64 + X1·X^128. X^128 = X^7+X^2+X+1,
// which is 0x87: the highest word folds into words 1 and 2, then word 2
// into words 0 and 1.
#define REDUCE \
	VPXOR      X3, X2, X2        \
	VPSLLDQ    $8, X2, X3        \
	VPXOR      X3, X0, X0        \
	VPSRLDQ    $8, X2, X2        \
	VPXOR      X2, X1, X1        \
	MOVQ       $0x87, AX         \
	VMOVQ      AX, X4            \
	VPCLMULQDQ $0x01, X4, X1, X5 \
	VPSLLDQ    $8, X5, X6        \
	VPXOR      X6, X0, X0        \
	VPSRLDQ    $8, X5, X5        \
	VPXOR      X5, X1, X1        \
	VPCLMULQDQ $0x00, X4, X1, X5 \
	VPXOR      X5, X0, X0

// Four lanes of a register become one, the sum.
#define LANES(z, y, x) \
	VEXTRACTI64X4 $1, z, Y4  \
	VPXORQ        Y4, y, y   \
	VEXTRACTI128  $1, y, X4  \
	VPXOR         X4, x, x

#define PRODUCTS \
	VPCLMULQDQ $0x00, Z16, Z17, Z20 \
	VPCLMULQDQ $0x11, Z16, Z17, Z21 \
	VPCLMULQDQ $0x01, Z16, Z17, Z22 \
	VPCLMULQDQ $0x10, Z16, Z17, Z23 \
	VPXORQ     Z20, Z0, Z0          \
	VPXORQ     Z21, Z1, Z1          \
	VPXORQ     Z22, Z2, Z2          \
	VPXORQ     Z23, Z3, Z3

// func innerProductVCLMUL(dst, a, b *Block, n int)
TEXT ·innerProductVCLMUL(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ a+8(FP), SI
	MOVQ b+16(FP), DX
	MOVQ n+24(FP), CX
	VPXORQ Z0, Z0, Z0
	VPXORQ Z1, Z1, Z1
	VPXORQ Z2, Z2, Z2
	VPXORQ Z3, Z3, Z3

four:
	CMPQ      CX, $4
	JB        rest
	VMOVDQU64 (SI), Z16
	VMOVDQU64 (DX), Z17
	PRODUCTS
	ADDQ      $64, SI
	ADDQ      $64, DX
	SUBQ      $4, CX
	JMP       four

rest:
	TESTQ       CX, CX
	JZ          sum
	SHLQ        $1, CX
	MOVQ        $-1, AX
	BZHIQ       CX, AX, AX
	KMOVB       AX, K1
	VMOVDQU64.Z (SI), K1, Z16
	VMOVDQU64.Z (DX), K1, Z17
	PRODUCTS

sum:
	LANES(Z0, Y0, X0)
	LANES(Z1, Y1, X1)
	LANES(Z2, Y2, X2)
	LANES(Z3, Y3, X3)
	REDUCE
	VMOVDQU X0, (DI)
	VPXORQ  Z16, Z16, Z16
	VPXORQ  Z17, Z17, Z17
	VZEROALL
	RET

// Four coefficients, added under the lowest 8 bits of AX. They are loaded
// whole: what is read does not depend on the bits.
#define SELECT(at, acc, k) \
	KMOVB     AX, k            \
	SHRQ      $8, AX           \
	VMOVDQU64 at(DX), Z16      \
	VPXORQ    Z16, acc, k, acc

// func innerProductBitsAVX512(dst *Block, bits *byte, chi *Block, groups int)
TEXT ·innerProductBitsAVX512(SB), NOSPLIT, $0-32
	MOVQ   dst+0(FP), DI
	MOVQ   bits+8(FP), SI
	MOVQ   chi+16(FP), DX
	MOVQ   groups+24(FP), CX
	MOVQ   $0x5555555555555555, R8
	VPXORQ Z0, Z0, Z0
	VPXORQ Z1, Z1, Z1
	VPXORQ Z2, Z2, Z2
	VPXORQ Z3, Z3, Z3

next:
	// each bit twice, for the two words of its coefficient
	MOVL  (SI), AX
	PDEPQ R8, AX, AX
	LEAQ  (AX)(AX*2), AX
	SELECT(0, Z0, K1)
	SELECT(64, Z1, K2)
	SELECT(128, Z2, K3)
	SELECT(192, Z3, K4)
	SELECT(256, Z0, K1)
	SELECT(320, Z1, K2)
	SELECT(384, Z2, K3)
	SELECT(448, Z3, K4)
	ADDQ  $4, SI
	ADDQ  $512, DX
	DECQ  CX
	JNZ   next
	VPXORQ Z1, Z0, Z0
	VPTERNLOGQ $0x96, Z3, Z2, Z0
	LANES(Z0, Y0, X0)
	VMOVDQU X0, (DI)
	VZEROALL
	RET
