//go:build !purego

#include "textflag.h"

// Four 64×64 bit matrices at once, word l of a register for matrix l, by the
// butterflies of transpose64 (Hacker's Delight, 7-3). In registers X and Y, bits
// j … of each 2j bits of X change place with bits 0 … of Y.
#define BUTTERFLY(x, y, j, mask) \
	VPSRLQ $j, x, Y8    \
	VPXOR  y, Y8, Y8    \
	VPAND  mask, Y8, Y8 \
	VPXOR  Y8, y, y     \
	VPSLLQ $j, Y8, Y8   \
	VPXOR  Y8, x, x

#define MASK(v, x, y) \
	MOVQ         $v, AX \
	VMOVQ        AX, x  \
	VPBROADCASTQ x, y

// Eight registers, three levels: distances of 4, 2, 1 registers.
#define COARSE \
	BUTTERFLY(Y0, Y4, 32, Y13) \
	BUTTERFLY(Y1, Y5, 32, Y13) \
	BUTTERFLY(Y2, Y6, 32, Y13) \
	BUTTERFLY(Y3, Y7, 32, Y13) \
	BUTTERFLY(Y0, Y2, 16, Y14) \
	BUTTERFLY(Y1, Y3, 16, Y14) \
	BUTTERFLY(Y4, Y6, 16, Y14) \
	BUTTERFLY(Y5, Y7, 16, Y14) \
	BUTTERFLY(Y0, Y1, 8, Y15) \
	BUTTERFLY(Y2, Y3, 8, Y15) \
	BUTTERFLY(Y4, Y5, 8, Y15) \
	BUTTERFLY(Y6, Y7, 8, Y15)

#define FINE \
	BUTTERFLY(Y0, Y4, 4, Y13) \
	BUTTERFLY(Y1, Y5, 4, Y13) \
	BUTTERFLY(Y2, Y6, 4, Y13) \
	BUTTERFLY(Y3, Y7, 4, Y13) \
	BUTTERFLY(Y0, Y2, 2, Y14) \
	BUTTERFLY(Y1, Y3, 2, Y14) \
	BUTTERFLY(Y4, Y6, 2, Y14) \
	BUTTERFLY(Y5, Y7, 2, Y14) \
	BUTTERFLY(Y0, Y1, 1, Y15) \
	BUTTERFLY(Y2, Y3, 1, Y15) \
	BUTTERFLY(Y4, Y5, 1, Y15) \
	BUTTERFLY(Y6, Y7, 1, Y15)

// func transpose64AVX2(words *[64][4]uint64, cols *byte, stride int)
TEXT ·transpose64AVX2(SB), NOSPLIT, $0-24
	MOVQ words+0(FP), DI
	MOVQ cols+8(FP), SI
	MOVQ stride+16(FP), DX
	MOVQ DX, R9
	SHLQ $3, R9 // eight columns

	MASK(0x00000000ffffffff, X13, Y13)
	MASK(0x0000ffff0000ffff, X14, Y14)
	MASK(0x00ff00ff00ff00ff, X15, Y15)
	MOVQ $8, CX

	// columns c, c + 8, … c + 56
coarse:
	MOVQ SI, R8
	VMOVDQU (R8), Y0
	ADDQ R9, R8
	VMOVDQU (R8), Y1
	ADDQ R9, R8
	VMOVDQU (R8), Y2
	ADDQ R9, R8
	VMOVDQU (R8), Y3
	ADDQ R9, R8
	VMOVDQU (R8), Y4
	ADDQ R9, R8
	VMOVDQU (R8), Y5
	ADDQ R9, R8
	VMOVDQU (R8), Y6
	ADDQ R9, R8
	VMOVDQU (R8), Y7
	ADDQ R9, R8
	COARSE
	VMOVDQU Y0, 0(DI)
	VMOVDQU Y1, 256(DI)
	VMOVDQU Y2, 512(DI)
	VMOVDQU Y3, 768(DI)
	VMOVDQU Y4, 1024(DI)
	VMOVDQU Y5, 1280(DI)
	VMOVDQU Y6, 1536(DI)
	VMOVDQU Y7, 1792(DI)
	ADDQ DX, SI
	ADDQ $32, DI
	DECQ CX
	JNZ  coarse

	MASK(0x0f0f0f0f0f0f0f0f, X13, Y13)
	MASK(0x3333333333333333, X14, Y14)
	MASK(0x5555555555555555, X15, Y15)
	MOVQ words+0(FP), DI
	MOVQ $8, CX

fine:
	VMOVDQU 0(DI), Y0
	VMOVDQU 32(DI), Y1
	VMOVDQU 64(DI), Y2
	VMOVDQU 96(DI), Y3
	VMOVDQU 128(DI), Y4
	VMOVDQU 160(DI), Y5
	VMOVDQU 192(DI), Y6
	VMOVDQU 224(DI), Y7
	FINE
	VMOVDQU Y0, 0(DI)
	VMOVDQU Y1, 32(DI)
	VMOVDQU Y2, 64(DI)
	VMOVDQU Y3, 96(DI)
	VMOVDQU Y4, 128(DI)
	VMOVDQU Y5, 160(DI)
	VMOVDQU Y6, 192(DI)
	VMOVDQU Y7, 224(DI)
	ADDQ $256, DI
	DECQ CX
	JNZ  fine
	VZEROUPPER
	RET

// func joinAVX2(dst *Block, lo, hi *[64][4]uint64)
TEXT ·joinAVX2(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ lo+8(FP), SI
	MOVQ hi+16(FP), DX
	MOVQ $64, CX

row:
	VMOVDQU      (SI), Y0
	VMOVDQU      (DX), Y1
	VPUNPCKLQDQ  Y1, Y0, Y2
	VPUNPCKHQDQ  Y1, Y0, Y3
	VMOVDQU      X2, (DI)
	VMOVDQU      X3, 1024(DI)
	VEXTRACTI128 $1, Y2, 2048(DI)
	VEXTRACTI128 $1, Y3, 3072(DI)
	ADDQ         $32, SI
	ADDQ         $32, DX
	ADDQ         $16, DI
	DECQ         CX
	JNZ          row
	VZEROUPPER
	RET
