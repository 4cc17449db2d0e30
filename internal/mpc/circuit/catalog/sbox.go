package catalog

import "github.com/angler-dex/angler/internal/mpc/circuit"

// sbox is the S-box of AES for 32 ANDs at depth 6: Boyar and Peralta, "A Small Depth-16 Circuit for the AES S-Box" (SEC 2012,
// eprint 2011/332), their variable names, x0 and s0 being the highest bits. A linear layer, the inversion in GF(2^8) over a
// tower of fields, a linear layer.
func sbox(b *circuit.Builder, in circuit.Word) circuit.Word {
	y, x7 := sboxTop(b, in)
	return sboxBottom(b, sboxMiddle(b, y, x7))
}

// sboxTop is the linear layer before the inversion: y[1] … y[21], and x7, which the inversion reads as it is.
func sboxTop(b *circuit.Builder, in circuit.Word) (y [22]circuit.Bit, x7 circuit.Bit) {
	x := [8]circuit.Bit{in[7], in[6], in[5], in[4], in[3], in[2], in[1], in[0]}
	y[14] = b.Xor(x[3], x[5])
	y[13] = b.Xor(x[0], x[6])
	y[9] = b.Xor(x[0], x[3])
	y[8] = b.Xor(x[0], x[5])
	t0 := b.Xor(x[1], x[2])
	y[1] = b.Xor(t0, x[7])
	y[4] = b.Xor(y[1], x[3])
	y[12] = b.Xor(y[13], y[14])
	y[2] = b.Xor(y[1], x[0])
	y[5] = b.Xor(y[1], x[6])
	y[3] = b.Xor(y[5], y[8])
	t1 := b.Xor(x[4], y[12])
	y[15] = b.Xor(t1, x[5])
	y[20] = b.Xor(t1, x[1])
	y[6] = b.Xor(y[15], x[7])
	y[10] = b.Xor(y[15], t0)
	y[11] = b.Xor(y[20], y[9])
	y[7] = b.Xor(x[7], y[11])
	y[17] = b.Xor(y[10], y[11])
	y[19] = b.Xor(y[10], y[8])
	y[16] = b.Xor(t0, y[11])
	y[21] = b.Xor(y[13], y[16])
	y[18] = b.Xor(x[0], y[16])
	return y, x[7]
}

// sboxMiddle is the inversion: all 32 ANDs, z[0] … z[17].
func sboxMiddle(b *circuit.Builder, y [22]circuit.Bit, x7 circuit.Bit) (z [18]circuit.Bit) {
	t2 := b.And(y[12], y[15])
	t4 := b.Xor(b.And(y[3], y[6]), t2)
	t6 := b.Xor(b.And(y[4], x7), t2)
	t7 := b.And(y[13], y[16])
	t9 := b.Xor(b.And(y[5], y[1]), t7)
	t11 := b.Xor(b.And(y[2], y[7]), t7)
	t12 := b.And(y[9], y[11])
	t14 := b.Xor(b.And(y[14], y[17]), t12)
	t16 := b.Xor(b.And(y[8], y[10]), t12)
	t21 := b.Xor(b.Xor(t4, t14), y[20])
	t22 := b.Xor(b.Xor(t6, t16), y[19])
	t23 := b.Xor(b.Xor(t9, t14), y[21])
	t24 := b.Xor(b.Xor(t11, t16), y[18])

	t25 := b.Xor(t21, t22)
	t26 := b.And(t21, t23)
	t27 := b.Xor(t24, t26)
	t29 := b.Xor(b.And(t25, t27), t22)
	t30 := b.Xor(t23, t24)
	t31 := b.Xor(t22, t26)
	t33 := b.Xor(b.And(t31, t30), t24)
	t34 := b.Xor(t23, t33)
	t35 := b.Xor(t27, t33)
	t36 := b.And(t24, t35)
	t37 := b.Xor(t36, t34)
	t38 := b.Xor(t27, t36)
	t40 := b.Xor(t25, b.And(t29, t38))
	t41 := b.Xor(t40, t37)
	t42 := b.Xor(t29, t33)
	t43 := b.Xor(t29, t40)
	t44 := b.Xor(t33, t37)
	t45 := b.Xor(t42, t41)

	inverse := [9]circuit.Bit{t44, t37, t33, t43, t40, t29, t42, t45, t41}
	left := [9]circuit.Bit{y[15], y[6], x7, y[16], y[1], y[7], y[11], y[17], y[10]}
	right := [9]circuit.Bit{y[12], y[3], y[4], y[13], y[5], y[2], y[9], y[14], y[8]}
	for k := range inverse {
		z[k] = b.And(inverse[k], left[k])
		z[9+k] = b.And(inverse[k], right[k])
	}
	return z
}

// sboxBottom is the linear layer after the inversion, with the constant 0x63.
func sboxBottom(b *circuit.Builder, z [18]circuit.Bit) circuit.Word {
	t46 := b.Xor(z[15], z[16])
	t47 := b.Xor(z[10], z[11])
	t48 := b.Xor(z[5], z[13])
	t49 := b.Xor(z[9], z[10])
	t50 := b.Xor(z[2], z[12])
	t51 := b.Xor(z[2], z[5])
	t52 := b.Xor(z[7], z[8])
	t53 := b.Xor(z[0], z[3])
	t54 := b.Xor(z[6], z[7])
	t55 := b.Xor(z[16], z[17])
	t56 := b.Xor(z[12], t48)
	t57 := b.Xor(t50, t53)
	t58 := b.Xor(z[4], t46)
	t59 := b.Xor(z[3], t54)
	t60 := b.Xor(t46, t57)
	t61 := b.Xor(z[14], t57)
	t62 := b.Xor(t52, t58)
	t63 := b.Xor(t49, t58)
	t64 := b.Xor(z[4], t59)
	t65 := b.Xor(t61, t62)
	t66 := b.Xor(z[1], t63)
	s0 := b.Xor(t59, t63)
	s6 := b.Not(b.Xor(t56, t62))
	s7 := b.Not(b.Xor(t48, t60))
	t67 := b.Xor(t64, t65)
	s3 := b.Xor(t53, t66)
	s4 := b.Xor(t51, t66)
	s5 := b.Xor(t47, t65)
	s1 := b.Not(b.Xor(t64, s3))
	s2 := b.Not(b.Xor(t55, t67))
	return circuit.Word{s7, s6, s5, s4, s3, s2, s1, s0}
}
