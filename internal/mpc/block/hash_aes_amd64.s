//go:build !purego

#include "textflag.h"
#include "aes_amd64.h"

// AES instructions: Intel, "Advanced Encryption Standard (AES) New
// Instructions Set", 323641. Only VEX and EVEX forms are used, whose memory
// operands need not be aligned. No branch but on n, no address but from n: all is
// constant-time in keys, inputs and tweaks.

// One step of the key schedule: the words of X0 become their running sums, plus
// SubWord(RotWord(last word)) ^ rcon, broadcast.
#define EXPAND(rcon, at) \
	VAESKEYGENASSIST $rcon, X0, X1 \
	VPSHUFD $0xff, X1, X1 \
	VPSLLDQ $4, X0, X2    \
	VPXOR   X2, X0, X0    \
	VPSLLDQ $4, X2, X2    \
	VPXOR   X2, X0, X0    \
	VPSLLDQ $4, X2, X2    \
	VPXOR   X2, X0, X0    \
	VPXOR   X1, X0, X0    \
	VMOVDQU X0, at(DI)

// func expandKey(rk *roundKeys, key *Block)
TEXT ·expandKey(SB), NOSPLIT, $0-16
	MOVQ    rk+0(FP), DI
	MOVQ    key+8(FP), SI
	VMOVDQU (SI), X0
	VMOVDQU X0, (DI)
	EXPAND(0x01, 16)
	EXPAND(0x02, 32)
	EXPAND(0x04, 48)
	EXPAND(0x08, 64)
	EXPAND(0x10, 80)
	EXPAND(0x20, 96)
	EXPAND(0x40, 112)
	EXPAND(0x80, 128)
	EXPAND(0x1b, 144)
	EXPAND(0x36, 160)
	VPXOR   X0, X0, X0
	VPXOR   X1, X1, X1
	VPXOR   X2, X2, X2
	RET

// Eight blocks at a time; their first encryptions wait in X8…X15.

// func tmmoAES(rk *roundKeys, dst, tweaks, x *Block, n int)
TEXT ·tmmoAES(SB), NOSPLIT, $0-40
	MOVQ rk+0(FP), R8
	MOVQ dst+8(FP), DI
	MOVQ tweaks+16(FP), DX
	MOVQ x+24(FP), SI
	MOVQ n+32(FP), CX

eight:
	CMPQ CX, $8
	JB   one
	VMOVDQU (R8), X8
	VPXOR 0(SI), X8, X0
	VPXOR 16(SI), X8, X1
	VPXOR 32(SI), X8, X2
	VPXOR 48(SI), X8, X3
	VPXOR 64(SI), X8, X4
	VPXOR 80(SI), X8, X5
	VPXOR 96(SI), X8, X6
	VPXOR 112(SI), X8, X7
	AES8
	VMOVDQA X0, X8
	VMOVDQA X1, X9
	VMOVDQA X2, X10
	VMOVDQA X3, X11
	VMOVDQA X4, X12
	VMOVDQA X5, X13
	VMOVDQA X6, X14
	VMOVDQA X7, X15
	VPXOR 0(DX), X0, X0
	VPXOR 16(DX), X1, X1
	VPXOR 32(DX), X2, X2
	VPXOR 48(DX), X3, X3
	VPXOR 64(DX), X4, X4
	VPXOR 80(DX), X5, X5
	VPXOR 96(DX), X6, X6
	VPXOR 112(DX), X7, X7
	VPXOR (R8), X0, X0
	VPXOR (R8), X1, X1
	VPXOR (R8), X2, X2
	VPXOR (R8), X3, X3
	VPXOR (R8), X4, X4
	VPXOR (R8), X5, X5
	VPXOR (R8), X6, X6
	VPXOR (R8), X7, X7
	AES8
	VPXOR X8, X0, X0
	VPXOR X9, X1, X1
	VPXOR X10, X2, X2
	VPXOR X11, X3, X3
	VPXOR X12, X4, X4
	VPXOR X13, X5, X5
	VPXOR X14, X6, X6
	VPXOR X15, X7, X7
	VMOVDQU X0, 0(DI)
	VMOVDQU X1, 16(DI)
	VMOVDQU X2, 32(DI)
	VMOVDQU X3, 48(DI)
	VMOVDQU X4, 64(DI)
	VMOVDQU X5, 80(DI)
	VMOVDQU X6, 96(DI)
	VMOVDQU X7, 112(DI)
	ADDQ $128, SI
	ADDQ $128, DX
	ADDQ $128, DI
	SUBQ $8, CX
	JMP  eight

one:
	TESTQ CX, CX
	JZ    done
	VMOVDQU (R8), X0
	VPXOR   (SI), X0, X0
	AES1
	VMOVDQA X0, X8
	VPXOR   (DX), X0, X0
	VPXOR   (R8), X0, X0
	AES1
	VPXOR   X8, X0, X0
	VMOVDQU X0, (DI)
	ADDQ    $16, SI
	ADDQ    $16, DX
	ADDQ    $16, DI
	DECQ    CX
	JMP     one

done:
	VZEROALL
	RET

// func tmmoTweaksAES(rk *roundKeys, dst, tweaks, x *Block, n int)
TEXT ·tmmoTweaksAES(SB), NOSPLIT, $0-40
	MOVQ rk+0(FP), R8
	MOVQ dst+8(FP), DI
	MOVQ tweaks+16(FP), DX
	MOVQ x+24(FP), SI
	MOVQ n+32(FP), CX
	VMOVDQU (R8), X9
	VPXOR   (SI), X9, X0
	AES1
	VMOVDQA X0, X8         // the one first encryption
	VPXOR   X0, X9, X9

eight:
	CMPQ CX, $8
	JB   one
	VPXOR 0(DX), X9, X0
	VPXOR 16(DX), X9, X1
	VPXOR 32(DX), X9, X2
	VPXOR 48(DX), X9, X3
	VPXOR 64(DX), X9, X4
	VPXOR 80(DX), X9, X5
	VPXOR 96(DX), X9, X6
	VPXOR 112(DX), X9, X7
	AES8
	VPXOR X8, X0, X0
	VPXOR X8, X1, X1
	VPXOR X8, X2, X2
	VPXOR X8, X3, X3
	VPXOR X8, X4, X4
	VPXOR X8, X5, X5
	VPXOR X8, X6, X6
	VPXOR X8, X7, X7
	VMOVDQU X0, 0(DI)
	VMOVDQU X1, 16(DI)
	VMOVDQU X2, 32(DI)
	VMOVDQU X3, 48(DI)
	VMOVDQU X4, 64(DI)
	VMOVDQU X5, 80(DI)
	VMOVDQU X6, 96(DI)
	VMOVDQU X7, 112(DI)
	ADDQ $128, DX
	ADDQ $128, DI
	SUBQ $8, CX
	JMP  eight

one:
	TESTQ CX, CX
	JZ    done
	VPXOR   (DX), X9, X0
	AES1
	VPXOR   X8, X0, X0
	VMOVDQU X0, (DI)
	ADDQ    $16, DX
	ADDQ    $16, DI
	DECQ    CX
	JMP     one

done:
	VZEROALL
	RET
