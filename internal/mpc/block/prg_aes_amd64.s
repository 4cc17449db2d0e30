//go:build !purego

#include "textflag.h"
#include "aes_amd64.h"

// Counters are (hi, lo) in two words, which are swapped to big-endian for the cipher.

DATA ·swap<>+0(SB)/8, $0x0001020304050607
DATA ·swap<>+8(SB)/8, $0x08090a0b0c0d0e0f
GLOBL ·swap<>(SB), RODATA|NOPTR, $16

#define COUNTER(x) \
	VPSHUFB X10, X8, x \
	VPXOR   X11, x, x  \
	VPADDQ  X9, X8, X8

// func counterAES(rk *roundKeys, dst *byte, n int, hi, lo uint64)
TEXT ·counterAES(SB), NOSPLIT, $0-40
	MOVQ rk+0(FP), R8
	MOVQ dst+8(FP), DI
	MOVQ n+16(FP), CX
	VMOVDQU hi+24(FP), X8 // hi and lo
	MOVQ    $1, AX
	VMOVQ   AX, X9
	VPSLLDQ $8, X9, X9
	VMOVDQU ·swap<>(SB), X10
	VMOVDQU (R8), X11

eight:
	CMPQ CX, $8
	JB   one
	COUNTER(X0)
	COUNTER(X1)
	COUNTER(X2)
	COUNTER(X3)
	COUNTER(X4)
	COUNTER(X5)
	COUNTER(X6)
	COUNTER(X7)
	AES8
	VMOVDQU X0, 0(DI)
	VMOVDQU X1, 16(DI)
	VMOVDQU X2, 32(DI)
	VMOVDQU X3, 48(DI)
	VMOVDQU X4, 64(DI)
	VMOVDQU X5, 80(DI)
	VMOVDQU X6, 96(DI)
	VMOVDQU X7, 112(DI)
	ADDQ $128, DI
	SUBQ $8, CX
	JMP  eight

one:
	TESTQ CX, CX
	JZ    done
	COUNTER(X0)
	AES1
	VMOVDQU X0, (DI)
	ADDQ    $16, DI
	DECQ    CX
	JMP     one

done:
	VZEROALL
	RET
