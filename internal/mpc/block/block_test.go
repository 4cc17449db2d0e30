package block

import (
	"bytes"
	"crypto/aes"
	"encoding/hex"
	"math/big"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
)

func rng(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

func randBlock(r *rand.Rand) Block { return Block{r.Uint64(), r.Uint64()} }

func randBlocks(r *rand.Rand, n int) []Block {
	v := make([]Block, n)
	for k := range v {
		v[k] = randBlock(r)
	}
	return v
}

func randBytes(r *rand.Rand, n int) []byte {
	v := make([]byte, n)
	for k := range v {
		v[k] = byte(r.Uint32())
	}
	return v
}

func toBig(a Block) *big.Int {
	v := new(big.Int).SetUint64(a.Hi)
	return v.Lsh(v, 64).Or(v, new(big.Int).SetUint64(a.Lo))
}

// slowMul multiplies bit by bit as big integers and reduces by long division.
func slowMul(a, b Block) Block {
	x, p := toBig(a), new(big.Int)
	for k := range 128 {
		if b.Bit(k) == 1 {
			p.Xor(p, new(big.Int).Lsh(x, uint(k)))
		}
	}
	m, _ := new(big.Int).SetString("100000000000000000000000000000087", 16)
	for p.BitLen() > 128 {
		p.Xor(p, new(big.Int).Lsh(m, uint(p.BitLen()-129)))
	}
	low := new(big.Int).And(p, new(big.Int).SetUint64(^uint64(0)))
	return Block{low.Uint64(), new(big.Int).Rsh(p, 64).Uint64()}
}

func TestMulAgainstLongDivision(t *testing.T) { onEveryPath(t, testMulAgainstLongDivision) }

func testMulAgainstLongDivision(t *testing.T) {
	r := rng(1)
	edges := []Block{{}, {1, 0}, {0, 1 << 63}, {^uint64(0), ^uint64(0)}, {0, ^uint64(0)}, {^uint64(0), 0}, {1 << 63, 0}, {0x1111111111111111, 0x1111111111111111}}
	for range 300 {
		edges = append(edges, randBlock(r))
	}
	for k, a := range edges {
		for _, b := range append(edges[:8:8], edges[(k*7+3)%len(edges)]) {
			if got, want := Mul(a, b), slowMul(a, b); got != want {
				t.Fatalf("%x · %x = %x, want %x", a, b, got, want)
			}
		}
	}
}

func TestHashIsTMMO(t *testing.T) { onEveryPath(t, testHashIsTMMO) }

func testHashIsTMMO(t *testing.T) {
	r := rng(2)
	start := randBlock(r)
	h := NewHash(start)
	k := start.Bytes()
	c, err := aes.NewCipher(k[:])
	if err != nil {
		t.Fatal(err)
	}
	pi := func(x Block) Block {
		b := x.Bytes()
		c.Encrypt(b[:], b[:])
		return FromBytes(b[:])
	}
	for _, n := range []int{0, 1, 31, 32, 33, 100} {
		xs, tweaks, dst := randBlocks(r, n), randBlocks(r, n), make([]Block, n)
		h.SumN(dst, tweaks, xs)
		for j := range dst {
			want := pi(pi(xs[j]).Xor(tweaks[j])).Xor(pi(xs[j]))
			if dst[j] != want || h.Sum(tweaks[j], xs[j]) != want {
				t.Fatalf("n = %d, %d: %x, want %x", n, j, dst[j], want)
			}
		}
		if n > 0 {
			h.SumTweaks(dst, tweaks, xs[0])
			for j := range dst {
				if want := h.Sum(tweaks[j], xs[0]); dst[j] != want {
					t.Fatalf("one input, tweak %d: %x, want %x", j, dst[j], want)
				}
			}
			want := h.Sum(tweaks[0], xs[0])
			h.SumN(xs, tweaks, xs)
			if xs[0] != want {
				t.Fatal("in place differs")
			}
		}
	}
}

func TestHashGolden(t *testing.T) { onEveryPath(t, testHashGolden) }

// A pinned value: whoever changes the hash changes the protocol's version.
func testHashGolden(t *testing.T) {
	start, _ := hex.DecodeString("000102030405060708090a0b0c0d0e0f")
	x, _ := hex.DecodeString("00112233445566778899aabbccddeeff")
	got := NewHash(FromBytes(start)).Sum(Block{Lo: 7, Hi: 9}, FromBytes(x)).Bytes()
	if want := "d4a6260edc447f74a2f423ff17ad1e2e"; hex.EncodeToString(got[:]) != want {
		t.Fatalf("%x, want %s", got, want)
	}
}

func TestHashConcurrently(t *testing.T) {
	r := rng(6)
	h := NewHash(randBlock(r))
	xs, tweaks := randBlocks(r, 100), randBlocks(r, 100)
	want := make([]Block, 100)
	h.SumN(want, tweaks, xs)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			got := make([]Block, 100)
			for range 20 {
				h.SumN(got, tweaks, xs)
				if !slices.Equal(got, want) {
					t.Error("differs")
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestTransposeRefusesShortSlices(t *testing.T) {
	for _, f := range []func(){
		func() { Transpose(make([]Block, 7), make([]byte, 128), 1, 8) },
		func() { Transpose(make([]Block, 9), make([]byte, 128*2), 1, 9) },
		func() { Transpose(make([]Block, 8), make([]byte, 127), 1, 8) },
		func() { Transpose(nil, nil, 1, -1) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("out of range was accepted")
				}
			}()
			f()
		}()
	}
}

func TestTranspose(t *testing.T) { onEveryPath(t, testTranspose) }

func testTranspose(t *testing.T) {
	r := rng(3)
	for _, rows := range []int{0, 1, 7, 8, 63, 64, 65, 127, 128, 129, 200, 1000, 1031} {
		for _, pad := range []int{0, 1, 13} {
			stride := (rows+7)/8 + pad
			cols := randBytes(r, 127*stride+(rows+7)/8)
			dst := make([]Block, rows)
			Transpose(dst, cols, stride, rows)
			for k := range dst {
				for c := range 128 {
					if uint64(cols[c*stride+k/8]>>(k%8)&1) != dst[k].Bit(c) {
						t.Fatalf("rows %d: row %d, column %d", rows, k, c)
					}
				}
			}
		}
	}
}

func TestSums(t *testing.T) { onEveryPath(t, testSums) }

func testSums(t *testing.T) {
	r := rng(4)
	for _, n := range []int{0, 1, 2, 3, 4, 5, 127, 128, 131, 400} {
		rows, chi, bits := randBlocks(r, n), randBlocks(r, n), randBytes(r, (n+7)/8)
		sums := ColumnSums(rows, chi)
		for c := range sums {
			var want Block
			for k := range rows {
				want = want.Xor(chi[k].Mask(rows[k].Bit(c)))
			}
			if sums[c] != want {
				t.Fatalf("n = %d, column %d", n, c)
			}
		}
		var want, dot, packed Block
		for k := range rows {
			want = want.Xor(chi[k].Mask(uint64(bits[k/8] >> (k % 8))))
			dot = dot.Xor(slowMul(rows[k], chi[k]))
		}
		if got := InnerProductBits(bits, chi); got != want {
			t.Fatalf("n = %d: bits", n)
		}
		if got := InnerProduct(rows, chi); got != dot {
			t.Fatalf("n = %d: inner product", n)
		}
		x := Block{1, 0}
		for k := range rows {
			packed = packed.Xor(Mul(rows[k], x))
			x = x.Double()
		}
		if got := Pack(rows); got != packed {
			t.Fatalf("n = %d: pack", n)
		}
	}
}

func TestBlock(t *testing.T) {
	r := rng(5)
	for range 200 {
		a, b := randBlock(r), randBlock(r)
		enc := a.Bytes()
		if FromBytes(enc[:]) != a || !bytes.Equal(a.Append(nil), enc[:]) {
			t.Fatal("encoding")
		}
		for k := range 128 {
			if a.Bit(k) != uint64(enc[k/8]>>(k%8)&1) {
				t.Fatal("bit order")
			}
			one := Block{}
			if k < 64 {
				one.Lo = 1 << k
			} else {
				one.Hi = 1 << (k - 64)
			}
			if a.Equal(a.Xor(one)) || one.IsZero() {
				t.Fatalf("a difference in bit %d was not seen", k)
			}
		}
		if !a.Equal(a) || !(Block{}).IsZero() || a.Mask(1) != a || a.Mask(0) != (Block{}) || a.LSB() != a.Bit(0) {
			t.Fatal("equal, mask, lsb")
		}
		if a.Xor(b).Xor(b) != a || a.And(b).Xor(a.And(a.Xor(b))) != a {
			t.Fatal("xor, and")
		}
		if a.Double() != slowMul(a, Block{2, 0}) {
			t.Fatal("double")
		}
	}
	u, v := randBlocks(r, 33), randBlocks(r, 33)
	w := append([]Block(nil), u...)
	XorInto(w, v)
	for k := range w {
		if w[k] != u[k].Xor(v[k]) {
			t.Fatal("XorInto")
		}
	}
	p, q := randBytes(r, 77), randBytes(r, 80)
	dst := make([]byte, 77)
	XorBytes(dst, p, q)
	for k := range dst {
		if dst[k] != p[k]^q[k] {
			t.Fatal("XorBytes")
		}
	}
}
