package circuit

import (
	"errors"
	"math/rand/v2"
	"testing"
)

func mustBuild(t *testing.T, b *Builder) *Circuit {
	t.Helper()
	c, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func bitsOf(v uint64, n int) []bool {
	out := make([]bool, n)
	for i := range out {
		out[i] = v>>i&1 == 1
	}
	return out
}

func number(bits []bool) uint64 {
	var v uint64
	for i, x := range bits {
		if x {
			v |= 1 << i
		}
	}
	return v
}

func TestBitsCompute(t *testing.T) {
	b := New(2)
	x, y, s := b.Input(0), b.Input(1), b.Input(0)
	for _, z := range []Bit{b.And(x, y), b.Xor(x, y), b.Not(x), b.Or(x, y), b.Mux(s, x, y), b.And(b.Not(x), y), b.Not(b.And(x, b.Not(y)))} {
		b.Output(0, z)
	}
	c := mustBuild(t, b)
	for v := range uint64(8) {
		in := bitsOf(v, 3)
		x, y, s := in[0], in[1], in[2]
		mux := y
		if s {
			mux = x
		}
		want := []bool{x && y, x != y, !x, x || y, mux, !x && y, !x || y}
		for k, got := range c.Eval(in) {
			if got != want[k] {
				t.Errorf("output %d of %v: got %v", k, in, got)
			}
		}
	}
}

func TestConstantsFold(t *testing.T) {
	b := New(2)
	x := b.Input(1)
	for _, tc := range []struct {
		name      string
		got, want Bit
	}{
		{"x ∧ 0", b.And(x, False), False},
		{"1 ∧ x", b.And(True, x), x},
		{"1 ∧ 1", b.And(True, True), True},
		{"x ∧ ¬x", b.And(x, b.Not(x)), False},
		{"x ⊕ 0", b.Xor(x, False), x},
		{"x ⊕ 1", b.Xor(x, True), b.Not(x)},
		{"x ⊕ x", b.Xor(x, x), False},
		{"x ⊕ ¬x", b.Xor(x, b.Not(x)), True},
		{"¬¬x", b.Not(b.Not(x)), x},
		{"x ∨ 1", b.Or(x, True), True},
		{"x ∨ x", b.Or(x, x), x},
		{"mux(s, x, x)", b.Mux(b.Input(0), x, x), x},
		{"mux(1, x, 0)", b.Mux(True, x, False), x},
		{"Const", b.Const(true), True},
	} {
		if tc.got != tc.want {
			t.Errorf("%s is bit %d, want %d", tc.name, tc.got, tc.want)
		}
	}
	if got := len(b.nodes); got != 3 {
		t.Errorf("folding left %d nodes, want the constant and two inputs", got)
	}
}

func TestCommonSubexpressionsMerge(t *testing.T) {
	b := New(2)
	x, y := b.Input(0), b.Input(1)
	if b.And(x, y) != b.And(y, x) || b.Xor(x, y) != b.Xor(y, x) {
		t.Error("operands in another order make another gate")
	}
	if b.Xor(b.Not(x), y) != b.Not(b.Xor(x, y)) {
		t.Error("a negation under a XOR makes another gate")
	}
	if b.Xor(b.Xor(x, y), y) != x || b.Xor(x, b.Xor(y, x)) != y {
		t.Error("(x ⊕ y) ⊕ y is not x")
	}
	b.Output(0, b.And(x, y))
	b.Output(0, b.And(y, x))
	if c := mustBuild(t, b); c.ANDs() != 1 || len(c.Gates) != 1 {
		t.Errorf("got %v, want one gate", c)
	}
}

func TestDeadGatesGoAndInputsStay(t *testing.T) {
	b := New(3)
	x, unused, y := b.Input(1), b.Input(2), b.Input(0)
	b.And(x, unused)
	b.Not(b.Xor(x, y))
	z := b.And(x, y)
	b.And(z, unused)
	b.Output(0, z)
	c := mustBuild(t, b)
	if len(c.Inputs) != 3 || c.Inputs[0] != 1 || c.Inputs[1] != 2 || c.Inputs[2] != 0 {
		t.Errorf("inputs are owned by %v", c.Inputs)
	}
	if len(c.Gates) != 1 || c.Gates[0] != (Gate{Op: AND, A: 0, B: 2, Out: 3}) {
		t.Errorf("gates are %v", c.Gates)
	}
	if got := c.InputsOf(2); len(got) != 1 || got[0] != 1 {
		t.Errorf("party 2 owns %v", got)
	}
}

func TestInputsDeclaredLateStillComeFirst(t *testing.T) {
	b := New(2)
	x, y := b.Input(0), b.Input(1)
	z := b.And(x, y)
	b.Output(1, b.And(z, b.Input(1)))
	b.Output(0, z)
	b.Output(1, b.Not(z))
	c := mustBuild(t, b)
	if got := c.Eval([]bool{true, true, true}); !got[0] || !got[1] || got[2] {
		t.Errorf("got %v", got)
	}
	if got := c.OutputsOf(1); len(got) != 2 || got[0] != 0 || got[1] != 2 {
		t.Errorf("party 1 has outputs %v", got)
	}
}

func TestBuildRefuses(t *testing.T) {
	for name, builder := range map[string]func() *Builder{
		"AND(w, w)": func() *Builder {
			b := New(2)
			x := b.Input(0)
			b.Output(0, b.And(x, x))
			return b
		},
		"owner beyond the parties": func() *Builder { b := New(2); b.Output(0, b.Input(2)); return b },
		"negative owner":           func() *Builder { b := New(2); b.Output(0, b.Input(-1)); return b },
		"recipient beyond":         func() *Builder { b := New(2); b.Output(2, b.Input(0)); return b },
		"constant output":          func() *Builder { b := New(2); x := b.Input(0); b.Output(0, b.Xor(x, x)); return b },
		"one party":                func() *Builder { return New(1) },
		"too many parties":         func() *Builder { return New(MaxParties + 1) },
	} {
		if c, err := builder().Build(); !errors.Is(err, ErrInvalid) || c != nil {
			t.Errorf("%s: got %v, %v", name, c, err)
		}
	}
}

// The same calls give the same circuit, gate by gate, and so the same hash; whatever a circuit says is in its hash.
func TestHashIsStableAndComplete(t *testing.T) {
	build := func() *Circuit {
		b := New(3)
		x, y := b.InputWord(0, 8), b.InputWord(1, 8)
		b.InputWord(2, 2)
		b.OutputWord(0, b.MuxWord(b.Less(x, y), x, y))
		b.Output(2, b.Less(y, x))
		return mustBuild(t, b)
	}
	base := build().Hash()
	for range 10 {
		if build().Hash() != base {
			t.Fatal("the hash changes from build to build")
		}
	}
	seen := map[[32]byte]string{base: "the circuit"}
	for name, change := range map[string]func(c *Circuit){
		"parties":   func(c *Circuit) { c.Parties++ },
		"owner":     func(c *Circuit) { c.Inputs[3] = 2 },
		"operation": func(c *Circuit) { c.Gates[2].Op = XOR + AND - c.Gates[2].Op%2 },
		"operand A": func(c *Circuit) { c.Gates[5].A++ },
		"operand B": func(c *Circuit) { c.Gates[5].B++ },
		"wire":      func(c *Circuit) { c.Outputs[0].Wire-- },
		"recipient": func(c *Circuit) { c.Outputs[0].Party++ },
		"class":     func(c *Circuit) { c.Outputs[0].Class = Conditional },
		"condition": func(c *Circuit) { c.Outputs[0].Class, c.Outputs[0].If = Conditional, 1 },
		"input":     func(c *Circuit) { c.Inputs = append(c.Inputs, 0) },
		"output":    func(c *Circuit) { c.Outputs = append(c.Outputs, c.Outputs[0]) },
		"gate":      func(c *Circuit) { c.Gates = c.Gates[:len(c.Gates)-1] },
	} {
		c := build()
		change(c)
		if other, ok := seen[c.Hash()]; ok {
			t.Errorf("changed %s: same hash as %s", name, other)
		}
		seen[c.Hash()] = name
	}
}

// Random programs: what is built computes what the calls say, however much was folded, merged and dropped.
func FuzzBuild(f *testing.F) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		program := make([]byte, 3*rng.IntN(60))
		for i := range program {
			program[i] = byte(rng.Uint32())
		}
		f.Add(program, uint16(rng.Uint32()))
	}
	f.Fuzz(func(t *testing.T, program []byte, inputs uint16) {
		const n = 8
		b := New(2)
		bits, values := Word{False, True}, []bool{false, true}
		for i := range n {
			bits, values = append(bits, b.Input(i%2)), append(values, inputs>>i&1 == 1)
		}
		for ; len(program) >= 3 && len(bits) < 1000; program = program[3:] {
			x, y := int(program[1])%len(bits), int(program[2])%len(bits)
			switch program[0] % 4 {
			case 0:
				bits, values = append(bits, b.and(bits[x], bits[y])), append(values, values[x] && values[y])
			case 1:
				bits, values = append(bits, b.Xor(bits[x], bits[y])), append(values, values[x] != values[y])
			case 2:
				bits, values = append(bits, b.Not(bits[x])), append(values, !values[x])
			case 3:
				bits, values = append(bits, b.Or(bits[x], bits[y])), append(values, values[x] || values[y])
			}
		}
		var want []bool
		for i, x := range bits {
			if x.constant() {
				if values[i] != (x == True) {
					t.Fatalf("bit %d was folded to a wrong constant", i)
				}
				continue
			}
			b.Output(0, x)
			want = append(want, values[i])
		}
		c := mustBuild(t, b)
		for i, got := range c.Eval(values[2 : 2+n]) {
			if got != want[i] {
				t.Fatalf("output %d is %v", i, got)
			}
		}
	})
}

// TestManyGatesAreMerged: a gate is found again however many there are, and operations and operands are told apart.
func TestManyGatesAreMerged(t *testing.T) {
	const n = 90 // some 8,000 gates: the table grows several times
	b := New(2)
	x := b.InputWord(0, n)
	seen := make(map[Bit]bool)
	for range 2 {
		for i := range n {
			for j := range i {
				seen[b.And(x[i], x[j])] = true
				seen[b.Xor(x[j], x[i])] = true
			}
		}
		if len(seen) != n*(n-1) {
			t.Fatalf("%d gates, want %d", len(seen), n*(n-1))
		}
	}
}
