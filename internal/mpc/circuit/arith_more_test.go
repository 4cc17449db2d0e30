package circuit_test

import (
	"math/rand/v2"
	"testing"

	"github.com/angler-dex/angler/internal/mpc/circuit"
)

func number(bits []bool) uint64 {
	var v uint64
	for i, x := range bits {
		if x {
			v |= 1 << i
		}
	}
	return v
}

func bitsOf(v uint64, n int) []bool {
	bits := make([]bool, n)
	for i := range bits {
		bits[i] = v>>i&1 == 1
	}
	return bits
}

func TestMul(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	for _, size := range [][2]int{{1, 1}, {4, 4}, {8, 3}, {3, 8}, {16, 32}, {32, 32}} {
		n, m := size[0], size[1]
		b := circuit.New(2)
		b.OutputWord(0, b.Mul(b.InputWord(0, n), b.InputWord(1, m)))
		if n == 1 && m == 1 { // the product of two bits has a high bit that is always 0
			if _, err := b.Build(); err == nil {
				t.Error("a constant output was built")
			}
			continue
		}
		c, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		if most := 2*n*m - n; c.ANDs() > most {
			t.Errorf("%d×%d bits: %d ANDs, at most %d", n, m, c.ANDs(), most)
		}
		for k := range 300 {
			x, y := rng.Uint64()>>(64-n), rng.Uint64()>>(64-m)
			if k == 0 {
				x, y = 1<<n-1, 1<<m-1
			}
			if got := number(c.Eval(append(bitsOf(x, n), bitsOf(y, m)...))); got != x*y {
				t.Fatalf("%d · %d = %d", x, y, got)
			}
		}
	}
}

func TestMulByConstant(t *testing.T) {
	b := circuit.New(2)
	b.OutputWord(0, b.Mul(b.InputWord(1, 16), b.ConstWord(10, 4))[1:])
	c, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	if c.ANDs() > 20 { // 10 has two ones: one adder
		t.Errorf("%v", c)
	}
	for _, x := range []uint64{0, 1, 6553, 65535} {
		if got := 2 * number(c.Eval(bitsOf(x, 16))); got != 10*x {
			t.Errorf("10 · %d = %d", x, got)
		}
	}
}

func TestPrefixes(t *testing.T) {
	for n := 1; n <= 9; n++ {
		b := circuit.New(2)
		w := b.InputWord(0, n)
		words := []circuit.Word{b.PrefixOr(w), b.PrefixOrTree(w), b.PrefixAnd(w), b.First(w)}
		for _, z := range words {
			b.OutputWord(0, z)
		}
		c, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		for v := range uint64(1 << n) {
			out := c.Eval(bitsOf(v, n))
			or, tree, and, first := number(out[:n]), number(out[n:2*n]), number(out[2*n:3*n]), number(out[3*n:])
			lowest := v & -v
			wantOr := (1<<n - 1) &^ (lowest - 1)
			if v == 0 {
				wantOr = 0
			}
			ones := uint64(0)
			for i := 0; i < n && v>>i&1 == 1; i++ {
				ones |= 1 << i
			}
			if or != wantOr || tree != wantOr || and != ones || first != lowest {
				t.Fatalf("%0*b: or %b, tree %b, and %b, first %b", n, v, or, tree, and, first)
			}
		}
	}
	counts := map[string]func(*circuit.Builder, circuit.Word) circuit.Word{
		"or": (*circuit.Builder).PrefixOr, "tree": (*circuit.Builder).PrefixOrTree, "first": (*circuit.Builder).First,
	}
	for name, want := range map[string][2]int{"or": {31, 31}, "tree": {80, 5}, "first": {31, 31}} {
		b := circuit.New(2)
		b.OutputWord(0, counts[name](b, b.InputWord(0, 32)))
		c, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		if c.ANDs() != want[0] || c.Depth() != want[1] {
			t.Errorf("%s: %v, want %d ANDs in depth %d", name, c, want[0], want[1])
		}
	}
}
