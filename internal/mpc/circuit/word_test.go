package circuit

import (
	"math/bits"
	"math/rand/v2"
	"testing"
)

func truth(v bool) uint64 {
	if v {
		return 1
	}
	return 0
}

// Each word function against uint64 arithmetic on random and extreme numbers, with its price in ANDs.
func TestWordsCompute(t *testing.T) {
	type fn struct {
		name  string
		ands  func(n int) int
		build func(b *Builder, x, y Word, s Bit) Word
		want  func(x, y, s, mask uint64) uint64
	}
	same := func(n int) int { return n }
	less := func(n int) int { return n - 1 }
	none := func(int) int { return 0 }
	fns := []fn{
		{"Add", less, func(b *Builder, x, y Word, _ Bit) Word { return b.Add(x, y) }, func(x, y, _, m uint64) uint64 { return (x + y) & m }},
		{"Sub", less, func(b *Builder, x, y Word, _ Bit) Word { return b.Sub(x, y) }, func(x, y, _, m uint64) uint64 { return (x - y) & m }},
		{"AddCarry", same, func(b *Builder, x, y Word, s Bit) Word { sum, c := b.AddCarry(x, y, s); return append(sum, c) },
			func(x, y, s, m uint64) uint64 { return (x + y + s) & (m<<1 | 1) }},
		{"Less", same, func(b *Builder, x, y Word, _ Bit) Word { return Word{b.Less(x, y)} }, func(x, y, _, _ uint64) uint64 { return truth(x < y) }},
		{"LessEq", same, func(b *Builder, x, y Word, _ Bit) Word { return Word{b.LessEq(x, y)} }, func(x, y, _, _ uint64) uint64 { return truth(x <= y) }},
		{"Equal", less, func(b *Builder, x, y Word, _ Bit) Word { return Word{b.Equal(x, y)} }, func(x, y, _, _ uint64) uint64 { return truth(x == y) }},
		{"IsZero", less, func(b *Builder, x, _ Word, _ Bit) Word { return Word{b.IsZero(x)} }, func(x, _, _, _ uint64) uint64 { return truth(x == 0) }},
		{"Any", less, func(b *Builder, x, _ Word, _ Bit) Word { return Word{b.Any(x)} }, func(x, _, _, _ uint64) uint64 { return truth(x != 0) }},
		{"Sum", none, func(b *Builder, x, _ Word, _ Bit) Word { return Word{b.Sum(x)} }, func(x, _, _, _ uint64) uint64 { return uint64(bits.OnesCount64(x) & 1) }},
		{"XorWord", none, func(b *Builder, x, y Word, _ Bit) Word { return b.XorWord(x, y) }, func(x, y, _, _ uint64) uint64 { return x ^ y }},
		{"NotWord", none, func(b *Builder, x, _ Word, _ Bit) Word { return b.NotWord(x) }, func(x, _, _, m uint64) uint64 { return ^x & m }},
		{"AndWord", same, func(b *Builder, x, y Word, _ Bit) Word { return b.AndWord(x, y) }, func(x, y, _, _ uint64) uint64 { return x & y }},
		{"MaskWord", same, func(b *Builder, x, _ Word, s Bit) Word { return b.MaskWord(s, x) }, func(x, _, s, _ uint64) uint64 { return x * s }},
		{"MuxWord", same, func(b *Builder, x, y Word, s Bit) Word { return b.MuxWord(s, x, y) }, func(x, y, s, _ uint64) uint64 { return s*x + (1-s)*y }},
		{"ConstWord", none, func(b *Builder, x, _ Word, _ Bit) Word { return b.XorWord(x, b.ConstWord(0x5a5a5a5a5a5a5a5a, len(x))) },
			func(x, _, _, m uint64) uint64 { return (x ^ 0x5a5a5a5a5a5a5a5a) & m }},
		{"RotateRight", none, func(_ *Builder, x, _ Word, _ Bit) Word { return x.RotateRight(3) },
			func(x, _, _, m uint64) uint64 { n := bits.OnesCount64(m); return (x>>(3%n) | x<<(n-3%n)) & m }},
	}
	rng := rand.New(rand.NewPCG(3, 4))
	for _, f := range fns {
		for _, n := range []int{1, 2, 7, 16, 33} {
			b := New(2)
			x, y, s := b.InputWord(0, n), b.InputWord(1, n), b.Input(0)
			b.OutputWord(0, f.build(b, x, y, s))
			c := mustBuild(t, b)
			if c.ANDs() != f.ands(n) {
				t.Errorf("%s of %d bits takes %d ANDs, want %d", f.name, n, c.ANDs(), f.ands(n))
			}
			mask := uint64(1)<<n - 1
			extremes := []uint64{0, 1, mask, mask - 1, mask >> 1, mask>>1 + 1}
			for k := range 200 {
				x, y, s := rng.Uint64()&mask, rng.Uint64()&mask, rng.Uint64()&1
				if k < 36 {
					x, y = extremes[k/6]&mask, extremes[k%6]&mask
				}
				if k%10 == 9 {
					y = x
				}
				in := append(append(bitsOf(x, n), bitsOf(y, n)...), s == 1)
				if got, want := number(c.Eval(in)), f.want(x, y, s, mask); got != want {
					t.Fatalf("%s of %d bits, x=%d y=%d s=%d: got %d, want %d", f.name, n, x, y, s, got, want)
				}
			}
		}
	}
}

func TestShiftRight(t *testing.T) {
	for n := range 10 {
		b := New(2)
		x := b.InputWord(0, 8)
		y := b.InputWord(0, 8)
		b.OutputWord(0, b.XorWord(y, x.ShiftRight(n)))
		if got := number(mustBuild(t, b).Eval(bitsOf(0xb7, 16))); got != 0xb7>>n {
			t.Errorf("0xb7 >> %d is %#x", n, got)
		}
	}
}

func TestWordsOfOneBitTwiceFold(t *testing.T) {
	b := New(2)
	x := b.InputWord(0, 4)
	sum, carry := b.AddCarry(x, x, False)
	b.OutputWord(0, append(sum[1:], carry))
	if c := mustBuild(t, b); c.ANDs() != 0 || number(c.Eval(bitsOf(11, 4))) != 11 {
		t.Errorf("2x is not x shifted for nothing: %v", c)
	}
	if b.Less(x, x) != False || b.LessEq(x, x) != True || b.Equal(x, x) != True {
		t.Error("x compared to itself does not fold")
	}
}

func TestOneHot(t *testing.T) {
	for n := 1; n <= 5; n++ {
		for _, always := range []bool{false, true} {
			b := New(2)
			on, want := b.Input(0), 1<<n-1
			w := b.InputWord(1, n)
			if always {
				on, want = True, 1<<n-1-n
			}
			b.OutputWord(0, b.OneHot(on, w))
			c := mustBuild(t, b)
			if c.ANDs() != want {
				t.Errorf("one-hot of %d bits takes %d ANDs, want %d", n, c.ANDs(), want)
			}
			for v := range uint64(2 << n) {
				hot := uint64(0)
				if always || v&1 == 1 {
					hot = 1 << (v >> 1)
				}
				if got := number(c.Eval(bitsOf(v, n+1))); got != hot {
					t.Errorf("one-hot of %d: %b", v>>1, got)
				}
			}
		}
	}
}

func TestUnequalWidthsPanic(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("words of unequal width are added")
		}
	}()
	b := New(2)
	b.Add(b.InputWord(0, 3), b.InputWord(0, 4))
}
