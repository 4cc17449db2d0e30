//go:build !purego

#include "textflag.h"

// VGF2P8AFFINEQB (Intel SDM, volume 2) multiplies each byte of a source by an
// 8×8 bit matrix: bit i of the result is the parity of byte 7−i of the matrix
// and the source. The product of two bit matrices whose entries stand in eight
// rows is therefore, for each pair of byte columns, one such multiplication,
// once the eight rows of a byte column stand in one word, transposed:
//
//	source   byte j, bit r      = bit 8c+j of row r      c = 0 … 15
//	matrix   byte 7−i, bit r    = bit 8b+i of chi r      b = 0 … 15
//	result   byte j, bit i      = Σ_r row r's bit 8c+j · chi r's bit 8b+i
//
// Both transposes are multiplications too, of a constant source by the word
// of eight rows as the matrix, the first row in its byte 7.
// All addresses follow from groups: constant-time in rows and in chi.

// byte 7−r of word k: byte k of row r, at 16r + k
DATA ·gather<>+0(SB)/8, $0x0010203040506070
DATA ·gather<>+8(SB)/8, $0x0111213141516171
DATA ·gather<>+16(SB)/8, $0x0212223242526272
DATA ·gather<>+24(SB)/8, $0x0313233343536373
DATA ·gather<>+32(SB)/8, $0x0414243444546474
DATA ·gather<>+40(SB)/8, $0x0515253545556575
DATA ·gather<>+48(SB)/8, $0x0616263646566676
DATA ·gather<>+56(SB)/8, $0x0717273747576777
DATA ·gather<>+64(SB)/8, $0x0818283848586878
DATA ·gather<>+72(SB)/8, $0x0919293949596979
DATA ·gather<>+80(SB)/8, $0x0a1a2a3a4a5a6a7a
DATA ·gather<>+88(SB)/8, $0x0b1b2b3b4b5b6b7b
DATA ·gather<>+96(SB)/8, $0x0c1c2c3c4c5c6c7c
DATA ·gather<>+104(SB)/8, $0x0d1d2d3d4d5d6d7d
DATA ·gather<>+112(SB)/8, $0x0e1e2e3e4e5e6e7e
DATA ·gather<>+120(SB)/8, $0x0f1f2f3f4f5f6f7f
GLOBL ·gather<>(SB), RODATA|NOPTR, $128

// func columnSumsGFNI(squares *[16][128]byte, rows, chi *Block, groups int, scratch *[8192]byte)
TEXT ·columnSumsGFNI(SB), NOSPLIT, $0-40
	MOVQ squares+0(FP), DI
	MOVQ rows+8(FP), SI
	MOVQ chi+16(FP), DX
	MOVQ groups+24(FP), CX
	MOVQ scratch+32(FP), R8

	VMOVDQU64    ·gather<>+0(SB), Z28
	VMOVDQU64    ·gather<>+64(SB), Z29
	MOVQ         $0x8040201008040201, AX
	VPBROADCASTQ AX, Z30
	MOVQ         $0x0102040810204080, AX
	VPBROADCASTQ AX, Z31
	MOVQ         CX, R9
	MOVQ         R8, R10

	// 256 bytes a group: 16 sources, 16 matrices
turn:
	VMOVDQU64      (SI), Z0
	VMOVDQU64      64(SI), Z1
	VMOVDQU64      (DX), Z2
	VMOVDQU64      64(DX), Z3
	VMOVDQA64      Z28, Z4
	VMOVDQA64      Z29, Z5
	VMOVDQA64      Z28, Z6
	VMOVDQA64      Z29, Z7
	VPERMI2B       Z1, Z0, Z4
	VPERMI2B       Z1, Z0, Z5
	VPERMI2B       Z3, Z2, Z6
	VPERMI2B       Z3, Z2, Z7
	VGF2P8AFFINEQB $0, Z4, Z30, Z4
	VGF2P8AFFINEQB $0, Z5, Z30, Z5
	VGF2P8AFFINEQB $0, Z6, Z31, Z6
	VGF2P8AFFINEQB $0, Z7, Z31, Z7
	VMOVDQU64      Z4, (R10)
	VMOVDQU64      Z5, 64(R10)
	VMOVDQU64      Z6, 128(R10)
	VMOVDQU64      Z7, 192(R10)
	ADDQ           $128, SI
	ADDQ           $128, DX
	ADDQ           $256, R10
	DECQ           R9
	JNZ            turn

	// 16 of the 32 registers of sums at a time: eight matrices, two registers of sources each
	MOVQ $2, BX
	ADDQ $128, R8 // the first matrix

half:
	VMOVDQU64 0(DI), Z0
	VMOVDQU64 64(DI), Z1
	VMOVDQU64 128(DI), Z2
	VMOVDQU64 192(DI), Z3
	VMOVDQU64 256(DI), Z4
	VMOVDQU64 320(DI), Z5
	VMOVDQU64 384(DI), Z6
	VMOVDQU64 448(DI), Z7
	VMOVDQU64 512(DI), Z8
	VMOVDQU64 576(DI), Z9
	VMOVDQU64 640(DI), Z10
	VMOVDQU64 704(DI), Z11
	VMOVDQU64 768(DI), Z12
	VMOVDQU64 832(DI), Z13
	VMOVDQU64 896(DI), Z14
	VMOVDQU64 960(DI), Z15
	MOVQ CX, R9
	MOVQ R8, R10
	MOVQ scratch+32(FP), R11

next:
	VMOVDQU64 (R11), Z16
	VMOVDQU64 64(R11), Z17
	VGF2P8AFFINEQB.BCST $0, 0(R10), Z16, Z18
	VGF2P8AFFINEQB.BCST $0, 0(R10), Z17, Z19
	VPXORQ Z18, Z0, Z0
	VPXORQ Z19, Z1, Z1
	VGF2P8AFFINEQB.BCST $0, 8(R10), Z16, Z20
	VGF2P8AFFINEQB.BCST $0, 8(R10), Z17, Z21
	VPXORQ Z20, Z2, Z2
	VPXORQ Z21, Z3, Z3
	VGF2P8AFFINEQB.BCST $0, 16(R10), Z16, Z22
	VGF2P8AFFINEQB.BCST $0, 16(R10), Z17, Z23
	VPXORQ Z22, Z4, Z4
	VPXORQ Z23, Z5, Z5
	VGF2P8AFFINEQB.BCST $0, 24(R10), Z16, Z24
	VGF2P8AFFINEQB.BCST $0, 24(R10), Z17, Z25
	VPXORQ Z24, Z6, Z6
	VPXORQ Z25, Z7, Z7
	VGF2P8AFFINEQB.BCST $0, 32(R10), Z16, Z18
	VGF2P8AFFINEQB.BCST $0, 32(R10), Z17, Z19
	VPXORQ Z18, Z8, Z8
	VPXORQ Z19, Z9, Z9
	VGF2P8AFFINEQB.BCST $0, 40(R10), Z16, Z20
	VGF2P8AFFINEQB.BCST $0, 40(R10), Z17, Z21
	VPXORQ Z20, Z10, Z10
	VPXORQ Z21, Z11, Z11
	VGF2P8AFFINEQB.BCST $0, 48(R10), Z16, Z22
	VGF2P8AFFINEQB.BCST $0, 48(R10), Z17, Z23
	VPXORQ Z22, Z12, Z12
	VPXORQ Z23, Z13, Z13
	VGF2P8AFFINEQB.BCST $0, 56(R10), Z16, Z24
	VGF2P8AFFINEQB.BCST $0, 56(R10), Z17, Z25
	VPXORQ Z24, Z14, Z14
	VPXORQ Z25, Z15, Z15
	ADDQ $256, R10
	ADDQ $256, R11
	DECQ R9
	JNZ  next
	VMOVDQU64 Z0, 0(DI)
	VMOVDQU64 Z1, 64(DI)
	VMOVDQU64 Z2, 128(DI)
	VMOVDQU64 Z3, 192(DI)
	VMOVDQU64 Z4, 256(DI)
	VMOVDQU64 Z5, 320(DI)
	VMOVDQU64 Z6, 384(DI)
	VMOVDQU64 Z7, 448(DI)
	VMOVDQU64 Z8, 512(DI)
	VMOVDQU64 Z9, 576(DI)
	VMOVDQU64 Z10, 640(DI)
	VMOVDQU64 Z11, 704(DI)
	VMOVDQU64 Z12, 768(DI)
	VMOVDQU64 Z13, 832(DI)
	VMOVDQU64 Z14, 896(DI)
	VMOVDQU64 Z15, 960(DI)
	ADDQ $1024, DI
	ADDQ $64, R8
	DECQ BX
	JNZ  half
	VZEROUPPER
	RET
