package circuit_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/angler-dex/angler/internal/mpc/circuit"
	"github.com/angler-dex/angler/internal/mpc/circuit/circuittest"
)

// fullAdder is a file written by hand, with every gate that the format has: out = a + b (2 bits and carry), and 1.
const fullAdder = `9 13
2 2 2
2 3 1

2 1 0 2 9 XOR
2 1 0 2 4 AND
2 1 1 3 5 XOR
2 1 5 4 10 XOR
4 2 1 5 3 4 6 7 MAND
2 1 6 7 11 XOR
1 1 1 8 EQ
1 1 11 12 INV
1 1 8 8 EQW
`

func TestReadBristolByHand(t *testing.T) {
	// The last gate of fullAdder is wrong on purpose; without it the file is a circuit.
	text := strings.Replace(fullAdder, "1 1 8 8 EQW\n", "", 1)
	text = strings.Replace(text, "9 13", "8 13", 1)
	c, plan, err := circuit.ReadBristol(strings.NewReader(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	if plan.Parties != 2 || !slices.Equal(plan.InputBits, []int{2, 2}) || !slices.Equal(plan.OutputBits, []int{3, 1}) || c.ANDs() != 3 {
		t.Errorf("%+v, %v", plan, c)
	}
	for v := range 16 {
		a, b := v&3, v>>2
		out := c.Eval([]bool{a&1 == 1, a>>1 == 1, b&1 == 1, b>>1 == 1})
		got := 0
		for i, x := range out[:3] {
			if x {
				got |= 1 << i
			}
		}
		if got != a+b || out[3] == out[2] {
			t.Errorf("%d + %d = %d, carry and its negation %v", a, b, got, out[2:])
		}
	}
}

func TestReadBristolRefuses(t *testing.T) {
	_, _, err := circuit.ReadBristol(strings.NewReader(fullAdder), nil)
	if !errors.Is(err, circuit.ErrInvalid) || !strings.Contains(err.Error(), "line 13") || !strings.Contains(err.Error(), "second time") {
		t.Errorf("%v", err)
	}
	for text, want := range map[string]string{
		"":                                        "line 0",
		"1\n":                                     "line 1",
		"-1 4\n":                                  "not a number",
		"99999999999 4\n":                         "not a number",
		"1 3\n":                                   "ends before the input values",
		"1 3\n2 1 1\n":                            "ends before the output values",
		"1 3\n2 1\n1 1\n":                         "names 2 input values",
		"1 3\n1 70000\n1 1\n":                     "not a number",
		"1 80000\n1 70000\n1 1\n":                 "70000 input bits",
		"1 3\n2 1 1\n1 1\n":                       "ends after 0 gates",
		"1 3\n2 1 1\n1 1\n2 1 0 1 2\n":            "fields",
		"1 3\n2 1 1\n1 1\n2 1 0 1 2 NAND\n":       "is no gate",
		"1 3\n2 1 1\n1 1\n2 1 0 0 2 AND\n":        "AND of wire 0 with itself",
		"1 3\n2 1 1\n1 1\n2 1 0 2 2 AND\n":        "not driven before",
		"1 3\n2 1 1\n1 1\n2 1 0 3 2 AND\n":        "not a number",
		"1 3\n2 1 1\n1 1\n2 1 0 1 1 AND\n":        "second time",
		"1 4\n2 1 1\n1 1\n2 1 0 1 2 AND\n":        "no gate drives output wire 3",
		"1 3\n2 1 1\n1 1\n1 1 2 2 EQ\n":           "not a number",
		"1 3\n2 1 1\n1 1\n1 1 1 2 EQ\n":           "constant",
		"1 3\n2 1 1\n1 1\n2 1 0 1 2 AND\n1 1 x\n": "goes on",
		"1 3\n2 1 1\n1 1\n2 1 0 1 2 AND " + strings.Repeat("x", 1<<21): "longer",
	} {
		if _, _, err := circuit.ReadBristol(strings.NewReader(text), nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %q", text, err, want)
		}
	}
	three := func(_, _ []int) (circuit.Bristol, error) {
		return circuit.Bristol{Parties: 3, Owners: []int{1, 2}, Recipients: [][]int{{1}}}, nil
	}
	if _, _, err := circuit.ReadBristol(strings.NewReader("1 3\n2 1 1\n1 1\n2 1 0 1 2 XOR\n"), three); !errors.Is(err, circuit.ErrUnmasked) {
		t.Errorf("a sum of providers' inputs to a provider: %v", err)
	}
}

// What is written and read back computes the same: also with outputs that are inputs, that stand twice, dead gates and
// inputs that nobody reads.
func TestBristolRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 2026))
	whole := 0
	for range 200 {
		c := circuittest.Random(rng, 2+rng.IntN(4), 2+rng.IntN(30), rng.IntN(60), 1+rng.IntN(6))
		var text bytes.Buffer
		if err := c.WriteBristol(&text, circuit.Bristol{}); err != nil {
			t.Fatal(err)
		}
		same := func(inputs, outputs []int) (circuit.Bristol, error) {
			plan := circuit.Bristol{Parties: c.Parties}
			for k, at := 0, 0; k < len(inputs); at, k = at+inputs[k], k+1 {
				plan.Owners = append(plan.Owners, c.Inputs[at])
			}
			for k, at := 0, 0; k < len(outputs); at, k = at+outputs[k], k+1 {
				plan.Recipients = append(plan.Recipients, []int{c.Outputs[at].Party})
			}
			return plan, nil
		}
		back, _, err := circuit.ReadBristol(&text, same)
		if strings.Contains(fmt.Sprint(err), "constant") || errors.Is(err, circuit.ErrUnmasked) {
			continue // a random circuit may compute a constant, or an input, in many words
		}
		if err != nil {
			t.Fatal(err)
		}
		whole++
		if !slices.Equal(back.Inputs, c.Inputs) || len(back.Outputs) != len(c.Outputs) || back.ANDs() > c.ANDs() {
			t.Fatalf("%v became %v", c, back)
		}
		for range 20 {
			in := circuittest.Bits(rng, len(c.Inputs))
			if !slices.Equal(c.Eval(in), back.Eval(in)) {
				t.Fatalf("%v: another result at %v", c, in)
			}
		}
	}
	if whole < 100 {
		t.Errorf("only %d circuits came back", whole)
	}
}

func TestWriteBristolWantsFittingValues(t *testing.T) {
	b := circuit.New(2)
	b.Output(0, b.And(b.Input(0), b.Input(1)))
	c, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.WriteBristol(new(bytes.Buffer), circuit.Bristol{InputBits: []int{3}}); !errors.Is(err, circuit.ErrInvalid) {
		t.Errorf("%v", err)
	}
	var text bytes.Buffer
	if err := c.WriteBristol(&text, circuit.Bristol{InputBits: []int{2}}); err != nil || !strings.HasPrefix(text.String(), "1 3\n1 2\n1 1\n\n2 1 0 1 2 AND\n") {
		t.Errorf("%v:\n%s", err, &text)
	}
}

func FuzzReadBristol(f *testing.F) {
	f.Add([]byte(fullAdder))
	f.Add([]byte("1 3\n2 1 1\n1 1\n\n2 1 0 1 2 AND\n"))
	f.Add([]byte("1 10\n2 0 0\n2 0 0\n1 1 0 0 EQ "))
	f.Add([]byte("2 4\n1 2\n1 1\n4 2 0 1 1 0 2 3 MAND\n1 1 3 4 EQW\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, plan, err := circuit.ReadBristol(bytes.NewReader(text), nil)
		if err != nil {
			return
		}
		if err = c.Validate(); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err = c.WriteBristol(&out, plan); err != nil {
			t.Fatal(err)
		}
		back, _, err := circuit.ReadBristol(&out, nil)
		if err != nil {
			t.Fatalf("%v, written from %q", err, text)
		}
		in := make([]bool, len(c.Inputs))
		for k := range in {
			in[k] = k%3 == len(text)%3
		}
		if !slices.Equal(c.Eval(in), back.Eval(in)) {
			t.Fatalf("another result, from %q", text)
		}
	})
}
