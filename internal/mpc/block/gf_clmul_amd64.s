//go:build !purego

#include "textflag.h"

// Carry-less products: Gueron and Kounavis, "Intel Carry-Less Multiplication
// Instruction and its Usage for Computing the GCM Mode", 323640. The four
// 64×64 products of each pair are added up as they are (lazy reduction) and
// reduced once. No branch but on n, no address but from n.

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

// func innerProductCLMUL(dst, a, b *Block, n int)
TEXT ·innerProductCLMUL(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ a+8(FP), SI
	MOVQ b+16(FP), DX
	MOVQ n+24(FP), CX
	VPXOR X0, X0, X0
	VPXOR X1, X1, X1
	VPXOR X2, X2, X2
	VPXOR X3, X3, X3

next:
	VMOVDQU    (SI), X4
	VMOVDQU    (DX), X5
	VPCLMULQDQ $0x00, X4, X5, X6
	VPCLMULQDQ $0x11, X4, X5, X7
	VPCLMULQDQ $0x01, X4, X5, X8
	VPCLMULQDQ $0x10, X4, X5, X9
	VPXOR      X6, X0, X0
	VPXOR      X7, X1, X1
	VPXOR      X8, X2, X2
	VPXOR      X9, X3, X3
	ADDQ       $16, SI
	ADDQ       $16, DX
	DECQ       CX
	JNZ        next
	REDUCE
	VMOVDQU X0, (DI)
	VZEROALL
	RET
