// AES-NI: eight blocks in X0…X7 hide the latency of an AESENC; the round keys are
// in memory at R8.

#define ROUND8(key) \
	VAESENC key, X0, X0 \
	VAESENC key, X1, X1 \
	VAESENC key, X2, X2 \
	VAESENC key, X3, X3 \
	VAESENC key, X4, X4 \
	VAESENC key, X5, X5 \
	VAESENC key, X6, X6 \
	VAESENC key, X7, X7

#define LAST8(key) \
	VAESENCLAST key, X0, X0 \
	VAESENCLAST key, X1, X1 \
	VAESENCLAST key, X2, X2 \
	VAESENCLAST key, X3, X3 \
	VAESENCLAST key, X4, X4 \
	VAESENCLAST key, X5, X5 \
	VAESENCLAST key, X6, X6 \
	VAESENCLAST key, X7, X7

#define AES8 \
	ROUND8(16(R8)) \
	ROUND8(32(R8)) \
	ROUND8(48(R8)) \
	ROUND8(64(R8)) \
	ROUND8(80(R8)) \
	ROUND8(96(R8)) \
	ROUND8(112(R8)) \
	ROUND8(128(R8)) \
	ROUND8(144(R8)) \
	LAST8(160(R8))

#define AES1 \
	VAESENC 16(R8), X0, X0 \
	VAESENC 32(R8), X0, X0 \
	VAESENC 48(R8), X0, X0 \
	VAESENC 64(R8), X0, X0 \
	VAESENC 80(R8), X0, X0 \
	VAESENC 96(R8), X0, X0 \
	VAESENC 112(R8), X0, X0 \
	VAESENC 128(R8), X0, X0 \
	VAESENC 144(R8), X0, X0 \
	VAESENCLAST 160(R8), X0, X0
