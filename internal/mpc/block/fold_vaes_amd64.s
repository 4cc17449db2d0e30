//go:build !purego

#include "textflag.h"

// RotWord of a key's last word, in all four columns.
DATA ·foldRotate<>+0(SB)/8, $0x0c0f0e0d0c0f0e0d
DATA ·foldRotate<>+8(SB)/8, $0x0c0f0e0d0c0f0e0d
GLOBL ·foldRotate<>(SB), RODATA|NOPTR, $16
DATA ·foldRcon<>+0(SB)/8, $0x0000000200000001
DATA ·foldRcon<>+8(SB)/8, $0x0000000800000004
DATA ·foldRcon<>+16(SB)/8, $0x0000002000000010
DATA ·foldRcon<>+24(SB)/8, $0x0000008000000040
DATA ·foldRcon<>+32(SB)/8, $0x000000360000001b
GLOBL ·foldRcon<>(SB), RODATA|NOPTR, $40
DATA ·foldFirst<>+0(SB)/8, $0x0000000000000000
DATA ·foldFirst<>+8(SB)/8, $0x0000000000000000
DATA ·foldFirst<>+16(SB)/8, $0x0000000000000000
DATA ·foldFirst<>+24(SB)/8, $0x0000000000000001
DATA ·foldFirst<>+32(SB)/8, $0x0000000000000000
DATA ·foldFirst<>+40(SB)/8, $0x0000000000000002
DATA ·foldFirst<>+48(SB)/8, $0x0000000000000000
DATA ·foldFirst<>+56(SB)/8, $0x0000000000000003
GLOBL ·foldFirst<>(SB), RODATA|NOPTR, $64
DATA ·foldSwap<>+0(SB)/8, $0x0001020304050607
DATA ·foldSwap<>+8(SB)/8, $0x08090a0b0c0d0e0f
GLOBL ·foldSwap<>(SB), RODATA|NOPTR, $16
DATA ·foldFour<>+0(SB)/8, $0x0000000000000000
DATA ·foldFour<>+8(SB)/8, $0x0000000000000004
GLOBL ·foldFour<>(SB), RODATA|NOPTR, $16

// A round of the key schedule for the four keys in Z0 (FIPS 197, 5.2). All columns of Z1
// being equal, the last round of the cipher on it is SubWord and the addition of Rcon.
#define SCHEDULE(rcon, at) \
	VPSHUFB        Z16, Z0, Z1                        \
	VPBROADCASTD   ·foldRcon<>+rcon(SB), Z2           \
	VAESENCLAST    Z2, Z1, Z1                         \
	VPSLLDQ        $4, Z0, Z3                         \
	VPXORQ         Z3, Z0, Z0                         \
	VPSLLDQ        $8, Z0, Z3                         \
	VPTERNLOGQ     $0x96, Z1, Z3, Z0                  \
	VMOVDQU64      Z0, at(DI)

// func foldKeysVAES(dst *foldKeys, seeds *Block, groups int)
TEXT ·foldKeysVAES(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ seeds+8(FP), SI
	MOVQ groups+16(FP), CX
	VBROADCASTI32X4 ·foldRotate<>(SB), Z16

group:
	VMOVDQU64 (SI), Z0
	VMOVDQU64 Z0, (DI)
	SCHEDULE(0, 64)
	SCHEDULE(4, 128)
	SCHEDULE(8, 192)
	SCHEDULE(12, 256)
	SCHEDULE(16, 320)
	SCHEDULE(20, 384)
	SCHEDULE(24, 448)
	SCHEDULE(28, 512)
	SCHEDULE(32, 576)
	SCHEDULE(36, 640)
	ADDQ $64, SI
	ADDQ $704, DI
	DECQ CX
	JNZ  group
	VPXORQ Z16, Z16, Z16
	VZEROALL
	RET

// A tile is 128 bytes of each column: two registers. Z0…Z7 are the tiles of four
// leaves, Z8 and Z9 that of u, Z10…Z25 those of v_0 … v_7, Z26 and Z27 the
// counters, Z28…Z31 round keys of the four leaves.
#define LOAD(at) \
	VBROADCASTI32X4 (at+0)(R8), Z28  \
	VBROADCASTI32X4 (at+16)(R8), Z29 \
	VBROADCASTI32X4 (at+32)(R8), Z30 \
	VBROADCASTI32X4 (at+48)(R8), Z31

#define ROUND(at) \
	LOAD(at)              \
	VAESENC Z28, Z0, Z0   \
	VAESENC Z28, Z1, Z1   \
	VAESENC Z29, Z2, Z2   \
	VAESENC Z29, Z3, Z3   \
	VAESENC Z30, Z4, Z4   \
	VAESENC Z30, Z5, Z5   \
	VAESENC Z31, Z6, Z6   \
	VAESENC Z31, Z7, Z7

// func foldVAES(v *byte, stride int, u *byte, n int, keys *foldKeys, groups int, hi, lo uint64)
TEXT ·foldVAES(SB), NOSPLIT, $0-64
	MOVQ v+0(FP), DI
	MOVQ stride+8(FP), R9
	MOVQ u+16(FP), SI
	MOVQ n+24(FP), CX
	MOVQ groups+40(FP), R10
	VBROADCASTI32X4 hi+48(FP), Z26 // hi and lo
	VPADDQ          ·foldFirst<>(SB), Z26, Z26
	MOVQ            $-1, R11
	KMOVQ           R11, K1
	KMOVQ           R11, K2

tile:
	CMPQ  CX, $128
	JAE   whole
	// The last tile is written under masks of bytes: min(n, 64) and the rest.
	MOVQ  $64, AX
	CMPQ  CX, AX
	CMOVQCS CX, AX
	MOVQ  CX, BX
	SUBQ  AX, BX
	BZHIQ AX, R11, AX
	BZHIQ BX, R11, BX
	KMOVQ AX, K1
	KMOVQ BX, K2

whole:
	// Z26 has the next four counters: this tile's two registers of them go to Z27 and,
	// in each group anew, to Z0.
	VBROADCASTI32X4 ·foldFour<>(SB), Z28
	VPADDQ          Z28, Z26, Z27
	VPXORQ Z8, Z8, Z8
	VPXORQ Z9, Z9, Z9
	VPXORQ Z10, Z10, Z10
	VPXORQ Z11, Z11, Z11
	VPXORQ Z12, Z12, Z12
	VPXORQ Z13, Z13, Z13
	VPXORQ Z14, Z14, Z14
	VPXORQ Z15, Z15, Z15
	VPXORQ Z16, Z16, Z16
	VPXORQ Z17, Z17, Z17
	VPXORQ Z18, Z18, Z18
	VPXORQ Z19, Z19, Z19
	VPXORQ Z20, Z20, Z20
	VPXORQ Z21, Z21, Z21
	VPXORQ Z22, Z22, Z22
	VPXORQ Z23, Z23, Z23
	VPXORQ Z24, Z24, Z24
	VPXORQ Z25, Z25, Z25
	MOVQ keys+32(FP), R8
	XORQ DX, DX // the group

group:
	VBROADCASTI32X4 ·foldSwap<>(SB), Z28
	VPSHUFB Z28, Z26, Z0
	VPSHUFB Z28, Z27, Z1
	LOAD(0)
	VPXORQ Z31, Z0, Z6
	VPXORQ Z31, Z1, Z7
	VPXORQ Z30, Z0, Z4
	VPXORQ Z30, Z1, Z5
	VPXORQ Z29, Z0, Z2
	VPXORQ Z29, Z1, Z3
	VPXORQ Z28, Z0, Z0
	VPXORQ Z28, Z1, Z1
	ROUND(64)
	ROUND(128)
	ROUND(192)
	ROUND(256)
	ROUND(320)
	ROUND(384)
	ROUND(448)
	ROUND(512)
	ROUND(576)
	LOAD(640)
	VAESENCLAST Z28, Z0, Z0
	VAESENCLAST Z28, Z1, Z1
	VAESENCLAST Z29, Z2, Z2
	VAESENCLAST Z29, Z3, Z3
	VAESENCLAST Z30, Z4, Z4
	VAESENCLAST Z30, Z5, Z5
	VAESENCLAST Z31, Z6, Z6
	VAESENCLAST Z31, Z7, Z7
	VPTERNLOGQ $0x96, Z2, Z6, Z10 // v_0: leaves 1 and 3
	VPTERNLOGQ $0x96, Z3, Z7, Z11
	VPTERNLOGQ $0x96, Z4, Z6, Z12 // v_1: leaves 2 and 3
	VPTERNLOGQ $0x96, Z5, Z7, Z13
	VPTERNLOGQ $0x96, Z2, Z4, Z0  // the sum of all four goes to u, …
	VPTERNLOGQ $0x96, Z3, Z5, Z1
	VPXORQ     Z6, Z0, Z0
	VPXORQ     Z7, Z1, Z1
	VPXORQ     Z0, Z8, Z8
	VPXORQ     Z1, Z9, Z9
	TESTQ  $1, DX // … and where the group has bit 2, to v_2
	JZ     bit3
	VPXORQ Z0, Z14, Z14
	VPXORQ Z1, Z15, Z15

bit3:
	TESTQ  $2, DX
	JZ     bit4
	VPXORQ Z0, Z16, Z16
	VPXORQ Z1, Z17, Z17

bit4:
	TESTQ  $4, DX
	JZ     bit5
	VPXORQ Z0, Z18, Z18
	VPXORQ Z1, Z19, Z19

bit5:
	TESTQ  $8, DX
	JZ     bit6
	VPXORQ Z0, Z20, Z20
	VPXORQ Z1, Z21, Z21

bit6:
	TESTQ  $16, DX
	JZ     bit7
	VPXORQ Z0, Z22, Z22
	VPXORQ Z1, Z23, Z23

bit7:
	TESTQ  $32, DX
	JZ     folded
	VPXORQ Z0, Z24, Z24
	VPXORQ Z1, Z25, Z25

folded:
	ADDQ $704, R8
	INCQ DX
	CMPQ DX, R10
	JB   group

	VMOVDQU8 Z8, K1, 0(SI)
	VMOVDQU8 Z9, K2, 64(SI)
	MOVQ     DI, BX
	MOVQ     R10, AX // 2^(k-2)
	VMOVDQU8 Z10, K1, 0(BX)
	VMOVDQU8 Z11, K2, 64(BX)
	ADDQ     R9, BX
	VMOVDQU8 Z12, K1, 0(BX)
	VMOVDQU8 Z13, K2, 64(BX)
	ADDQ     R9, BX
	SHRQ     $1, AX
	JZ       written
	VMOVDQU8 Z14, K1, 0(BX)
	VMOVDQU8 Z15, K2, 64(BX)
	ADDQ     R9, BX
	SHRQ     $1, AX
	JZ       written
	VMOVDQU8 Z16, K1, 0(BX)
	VMOVDQU8 Z17, K2, 64(BX)
	ADDQ     R9, BX
	SHRQ     $1, AX
	JZ       written
	VMOVDQU8 Z18, K1, 0(BX)
	VMOVDQU8 Z19, K2, 64(BX)
	ADDQ     R9, BX
	SHRQ     $1, AX
	JZ       written
	VMOVDQU8 Z20, K1, 0(BX)
	VMOVDQU8 Z21, K2, 64(BX)
	ADDQ     R9, BX
	SHRQ     $1, AX
	JZ       written
	VMOVDQU8 Z22, K1, 0(BX)
	VMOVDQU8 Z23, K2, 64(BX)
	ADDQ     R9, BX
	SHRQ     $1, AX
	JZ       written
	VMOVDQU8 Z24, K1, 0(BX)
	VMOVDQU8 Z25, K2, 64(BX)
	ADDQ     R9, BX

written:
	VBROADCASTI32X4 ·foldFour<>(SB), Z28
	VPADDQ Z28, Z27, Z26
	ADDQ   $128, DI
	ADDQ   $128, SI
	SUBQ   $128, CX
	JA     tile
	VPXORQ Z16, Z16, Z16
	VPXORQ Z17, Z17, Z17
	VPXORQ Z18, Z18, Z18
	VPXORQ Z19, Z19, Z19
	VPXORQ Z20, Z20, Z20
	VPXORQ Z21, Z21, Z21
	VPXORQ Z22, Z22, Z22
	VPXORQ Z23, Z23, Z23
	VPXORQ Z24, Z24, Z24
	VPXORQ Z25, Z25, Z25
	VPXORQ Z26, Z26, Z26
	VPXORQ Z27, Z27, Z27
	VPXORQ Z28, Z28, Z28
	VPXORQ Z29, Z29, Z29
	VPXORQ Z30, Z30, Z30
	VPXORQ Z31, Z31, Z31
	VZEROALL
	RET
