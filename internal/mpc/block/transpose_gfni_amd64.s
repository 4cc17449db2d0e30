//go:build !purego

#include "textflag.h"

// 512 rows by 128 columns in two stages. The first takes eight columns, 64
// bytes of each, transposes the 8×8 words so that a register has one word of
// each column, 64 rows, and the 8×8 bits within it (a constant times the word as a
// matrix: see columns_gfni_amd64.s); the result is one byte of each of 64 rows. The
// second takes the 16 such registers of 64 rows and transposes bytes.
//
// Both are perfect shuffles. If an entry of 2^m registers of 2^m entries has the
// address (register, place), 2m bits, then interleaving the lower and the
// upper halves of registers i and i + 2^(m−1) into registers 2i and 2i + 1
// rotates all addresses by one bit, and m times swaps register and place.

// words: lower halves of two registers interleaved, upper halves
DATA ·lower<>+0(SB)/8, $0x0000000000000000
DATA ·lower<>+8(SB)/8, $0x0000000000000008
DATA ·lower<>+16(SB)/8, $0x0000000000000001
DATA ·lower<>+24(SB)/8, $0x0000000000000009
DATA ·lower<>+32(SB)/8, $0x0000000000000002
DATA ·lower<>+40(SB)/8, $0x000000000000000a
DATA ·lower<>+48(SB)/8, $0x0000000000000003
DATA ·lower<>+56(SB)/8, $0x000000000000000b
GLOBL ·lower<>(SB), RODATA|NOPTR, $64
DATA ·upper<>+0(SB)/8, $0x0000000000000004
DATA ·upper<>+8(SB)/8, $0x000000000000000c
DATA ·upper<>+16(SB)/8, $0x0000000000000005
DATA ·upper<>+24(SB)/8, $0x000000000000000d
DATA ·upper<>+32(SB)/8, $0x0000000000000006
DATA ·upper<>+40(SB)/8, $0x000000000000000e
DATA ·upper<>+48(SB)/8, $0x0000000000000007
DATA ·upper<>+56(SB)/8, $0x000000000000000f
GLOBL ·upper<>(SB), RODATA|NOPTR, $64

// byte 7−c of word j: byte j of word c
DATA ·turn<>+0(SB)/8, $0x0008101820283038
DATA ·turn<>+8(SB)/8, $0x0109111921293139
DATA ·turn<>+16(SB)/8, $0x020a121a222a323a
DATA ·turn<>+24(SB)/8, $0x030b131b232b333b
DATA ·turn<>+32(SB)/8, $0x040c141c242c343c
DATA ·turn<>+40(SB)/8, $0x050d151d252d353d
DATA ·turn<>+48(SB)/8, $0x060e161e262e363e
DATA ·turn<>+56(SB)/8, $0x070f171f272f373f
GLOBL ·turn<>(SB), RODATA|NOPTR, $64

// The byte of row 4k + l goes to place k of lane l: so a row that leaves the second
// stage in lane l of register k stands where it belongs in memory.
DATA ·order<>+0(SB)/8, $0x1c1814100c080400
DATA ·order<>+8(SB)/8, $0x3c3834302c282420
DATA ·order<>+16(SB)/8, $0x1d1915110d090501
DATA ·order<>+24(SB)/8, $0x3d3935312d292521
DATA ·order<>+32(SB)/8, $0x1e1a16120e0a0602
DATA ·order<>+40(SB)/8, $0x3e3a36322e2a2622
DATA ·order<>+48(SB)/8, $0x1f1b17130f0b0703
DATA ·order<>+56(SB)/8, $0x3f3b37332f2b2723
GLOBL ·order<>(SB), RODATA|NOPTR, $64

#define WORDS(lo, hi, x, y) \
	VMOVDQA64 Z26, lo    \
	VMOVDQA64 Z27, hi    \
	VPERMI2Q  y, x, lo   \
	VPERMI2Q  y, x, hi

#define BITS(z, at) \
	VPERMB         z, Z28, z     \
	VGF2P8AFFINEQB $0, z, Z30, z \
	VPERMB         z, Z29, z     \
	VMOVDQU64      z, at(R8)

#define BYTES(lo, hi, x, y) \
	VPUNPCKLBW y, x, lo \
	VPUNPCKHBW y, x, hi

// func transposeGFNI(dst *Block, cols *byte, stride int, mask uint64, scratch *[8192]byte)
TEXT ·transposeGFNI(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ cols+8(FP), SI
	MOVQ stride+16(FP), DX
	MOVQ mask+24(FP), AX
	MOVQ scratch+32(FP), R8

	KMOVQ        AX, K1
	VMOVDQU64    ·lower<>(SB), Z26
	VMOVDQU64    ·upper<>(SB), Z27
	VMOVDQU64    ·turn<>(SB), Z28
	VMOVDQU64    ·order<>(SB), Z29
	MOVQ         $0x8040201008040201, AX
	VPBROADCASTQ AX, Z30
	MOVQ         $16, CX

columns:
	VMOVDQU8.Z (SI), K1, Z0
	ADDQ DX, SI
	VMOVDQU8.Z (SI), K1, Z1
	ADDQ DX, SI
	VMOVDQU8.Z (SI), K1, Z2
	ADDQ DX, SI
	VMOVDQU8.Z (SI), K1, Z3
	ADDQ DX, SI
	VMOVDQU8.Z (SI), K1, Z4
	ADDQ DX, SI
	VMOVDQU8.Z (SI), K1, Z5
	ADDQ DX, SI
	VMOVDQU8.Z (SI), K1, Z6
	ADDQ DX, SI
	VMOVDQU8.Z (SI), K1, Z7
	ADDQ DX, SI
	WORDS(Z8, Z9, Z0, Z4)
	WORDS(Z10, Z11, Z1, Z5)
	WORDS(Z12, Z13, Z2, Z6)
	WORDS(Z14, Z15, Z3, Z7)
	WORDS(Z16, Z17, Z8, Z12)
	WORDS(Z18, Z19, Z9, Z13)
	WORDS(Z20, Z21, Z10, Z14)
	WORDS(Z22, Z23, Z11, Z15)
	WORDS(Z0, Z1, Z16, Z20)
	WORDS(Z2, Z3, Z17, Z21)
	WORDS(Z4, Z5, Z18, Z22)
	WORDS(Z6, Z7, Z19, Z23)
	BITS(Z0, 0)
	BITS(Z1, 1024)
	BITS(Z2, 2048)
	BITS(Z3, 3072)
	BITS(Z4, 4096)
	BITS(Z5, 5120)
	BITS(Z6, 6144)
	BITS(Z7, 7168)
	ADDQ $64, R8
	DECQ CX
	JNZ  columns

	SUBQ $1024, R8
	MOVQ $8, CX

rows:
	VMOVDQU64 0(R8), Z0
	VMOVDQU64 64(R8), Z1
	VMOVDQU64 128(R8), Z2
	VMOVDQU64 192(R8), Z3
	VMOVDQU64 256(R8), Z4
	VMOVDQU64 320(R8), Z5
	VMOVDQU64 384(R8), Z6
	VMOVDQU64 448(R8), Z7
	VMOVDQU64 512(R8), Z8
	VMOVDQU64 576(R8), Z9
	VMOVDQU64 640(R8), Z10
	VMOVDQU64 704(R8), Z11
	VMOVDQU64 768(R8), Z12
	VMOVDQU64 832(R8), Z13
	VMOVDQU64 896(R8), Z14
	VMOVDQU64 960(R8), Z15
	BYTES(Z16, Z17, Z0, Z8)
	BYTES(Z18, Z19, Z1, Z9)
	BYTES(Z20, Z21, Z2, Z10)
	BYTES(Z22, Z23, Z3, Z11)
	BYTES(Z24, Z25, Z4, Z12)
	BYTES(Z26, Z27, Z5, Z13)
	BYTES(Z28, Z29, Z6, Z14)
	BYTES(Z30, Z31, Z7, Z15)
	BYTES(Z0, Z1, Z16, Z24)
	BYTES(Z2, Z3, Z17, Z25)
	BYTES(Z4, Z5, Z18, Z26)
	BYTES(Z6, Z7, Z19, Z27)
	BYTES(Z8, Z9, Z20, Z28)
	BYTES(Z10, Z11, Z21, Z29)
	BYTES(Z12, Z13, Z22, Z30)
	BYTES(Z14, Z15, Z23, Z31)
	BYTES(Z16, Z17, Z0, Z8)
	BYTES(Z18, Z19, Z1, Z9)
	BYTES(Z20, Z21, Z2, Z10)
	BYTES(Z22, Z23, Z3, Z11)
	BYTES(Z24, Z25, Z4, Z12)
	BYTES(Z26, Z27, Z5, Z13)
	BYTES(Z28, Z29, Z6, Z14)
	BYTES(Z30, Z31, Z7, Z15)
	BYTES(Z0, Z1, Z16, Z24)
	BYTES(Z2, Z3, Z17, Z25)
	BYTES(Z4, Z5, Z18, Z26)
	BYTES(Z6, Z7, Z19, Z27)
	BYTES(Z8, Z9, Z20, Z28)
	BYTES(Z10, Z11, Z21, Z29)
	BYTES(Z12, Z13, Z22, Z30)
	BYTES(Z14, Z15, Z23, Z31)
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
	ADDQ $1024, R8
	ADDQ $1024, DI
	DECQ CX
	JNZ  rows
	VZEROUPPER
	RET
