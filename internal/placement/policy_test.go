package placement

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math/bits"
	"os"
	"strings"
	"testing"

	"github.com/angler-dex/angler/internal/mpc/circuit"
)

var update = flag.Bool("update", false, "write the golden file anew; commit the change only if you understand what caused it")

const golden = "../../testdata/circuits/placement.txt"

// The circuits of all functions and parameters, and what they cost: a change here makes parties of two versions refuse each
// other.
func TestGoldenSizes(t *testing.T) {
	var lines strings.Builder
	for _, policy := range samples() {
		for _, n := range []int{1, 2, 3, 4, 8, 16, 32, 64} {
			if testing.Short() && n > 8 {
				break
			}
			c := mustBuild(t, mustNew(t, policy, n), identity(n))
			hash := c.Hash()
			fmt.Fprintf(&lines, "%s, %d providers: %v, hash %x\n", policy, n, c.Stats(), hash[:8])
		}
	}
	if *update {
		if err := os.WriteFile(golden, []byte(lines.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(lines.String()) {
		if !strings.Contains(string(want), line) {
			t.Errorf("this circuit is another: %s", line)
		}
	}
	if !testing.Short() && lines.String() != string(want) {
		t.Errorf("the circuits changed:\n%swant\n%s", lines.String(), want)
	}
}

func TestNewByPolicy(t *testing.T) {
	f, err := New(LowestPricePolicy, 5)
	if err != nil {
		t.Fatal(err)
	}
	if f.Parties() != 6 || f.Leaves() != 5 {
		t.Errorf("%d parties, %d leaves", f.Parties(), f.Leaves())
	}
	if _, err := f.Build(identity(5)); err != nil {
		t.Error(err)
	}
	for _, name := range Policies() {
		if _, err := New(name, 1); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, n := range []int{-1, 0, MaxProviders + 1} {
			if _, err := New(name, n); !errors.Is(err, ErrProviders) {
				t.Errorf("%s of %d providers: %v", name, n, err)
			}
		}
	}
	if _, err := New("highest-price", 5); !errors.Is(err, ErrPolicy) || !strings.Contains(err.Error(), LowestPricePolicy) {
		t.Errorf("an unknown policy: %v", err)
	}
}

func TestParsePolicy(t *testing.T) {
	for text, want := range map[string]string{
		"lowest-price":                        "lowest-price",
		"split;winners=4":                     "split;winners=4",
		"fit;tiers;cap;winners=2":             "fit;cap;tiers;winners=2",
		"second-price;with=storage,gpu":       "second-price;with=gpu,storage",
		"lowest-price;with=a;tiers;handicap":  "lowest-price;handicap;tiers;with=a",
		"split;with=a,b,c,d;winners=8;cap":    "split;cap;winners=8;with=a,b,c,d",
		"fit;with=" + strings.Repeat("x", 32): "fit;with=" + strings.Repeat("x", 32),
		"fit;handicap;with=gpu;tiers;cap":     "fit;cap;handicap;tiers;with=gpu",
	} {
		p, err := ParsePolicy(text)
		if err != nil || p.String() != want {
			t.Errorf("%s: %s, %v", text, p, err)
		}
		if _, err := New(text, 3); (err == nil) != (text == want) {
			t.Errorf("New takes %s: %v", text, err)
		}
	}
	for text, why := range map[string]string{
		"":                                    "this version has fit, lowest-price, second-price, split",
		"highest-price":                       "this version has",
		"Split":                               "this version has",
		"split;":                              "unknown parameter",
		"split;winner=4":                      "unknown parameter",
		"split;winners":                       "winners must be a number from 2 to 8",
		"split;winners=1":                     "winners must be a number",
		"split;winners=9":                     "winners must be a number",
		"split;winners=04":                    "winners must be a number",
		"split;winners=+4":                    "winners must be a number",
		"split;cap;cap":                       "given twice",
		"split;winners=4;winners=4":           "given twice",
		"split;cap=5":                         "cap has no value",
		"lowest-price;winners=4":              "winners belongs to split and fit",
		"second-price;cap":                    "cap belongs to split and fit",
		"fit;with":                            "with must be 1 to 4 different names",
		"fit;with=":                           "with must be",
		"fit;with=a,a":                        "with must be",
		"fit;with=a,b,c,d,e":                  "with must be",
		"fit;with=A":                          "with must be",
		"fit;with=" + strings.Repeat("x", 33): "with must be",
		"fit;with=" + strings.Repeat("x", MaxPolicyText): "more than 128 characters",
	} {
		if p, err := ParsePolicy(text); !errors.Is(err, ErrPolicy) || !strings.Contains(err.Error(), why) {
			t.Errorf("%.60s: %+v, %v", text, p, err)
		}
	}
}

// A policy that is read is written in one way, which is read as the same and taken by New.
func FuzzParsePolicy(f *testing.F) {
	for _, p := range samples() {
		f.Add(p)
	}
	f.Add("fit;with=b,a;cap")
	f.Add("split;winners=04")
	f.Add(";;")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePolicy(text)
		if err != nil {
			return
		}
		again, err := ParsePolicy(p.String())
		if err != nil || again.String() != p.String() || len(p.String()) > MaxPolicyText {
			t.Fatalf("%q is written %q: %v", text, p, err)
		}
		if _, err := New(p.String(), 1); err != nil {
			t.Fatal(err)
		}
	})
}

// The bounds that the functions were designed to, among 8, 16 and 32.
func TestANDsWithinBounds(t *testing.T) {
	for policy, bounds := range map[string][3]int{
		"lowest-price":    {800, 1600, 3200},
		"second-price":    {1250, 2500, 5000},
		"split":           {2700, 7800, 22_000},
		"split;winners=4": {3500, 7000, 14_000},
	} {
		for k, n := range []int{8, 16, 32} {
			if got := mustBuild(t, mustNew(t, policy, n), identity(n)).ANDs(); got > bounds[k] {
				t.Errorf("%s of %d providers: %d ANDs, at most %d", policy, n, got, bounds[k])
			}
		}
	}
}

// The formulas of docs/placement.md.
func TestANDsByFormula(t *testing.T) {
	ands := func(policy string, n int) int { return mustBuild(t, mustNew(t, policy, n), identity(n)).ANDs() }
	sizes := []int{2, 3, 5, 8, 13, 16, 32}
	if testing.Short() {
		sizes = sizes[:4]
	}
	for _, n := range sizes {
		sort, log := len(circuit.SortingNetwork(n)), bits.Len(uint(n-1))
		for _, tc := range []struct {
			policy     string
			least, top int
		}{
			{"lowest-price", 83*n - 2, 83*n - 2},
			{"lowest-price;handicap", 182*n - 102, 182*n - 102},
			{"lowest-price;tiers", (83+336)*n - 2, (83+336)*n - 2},
			{"lowest-price;with=a", (83+17)*n - 2, (83+17)*n - 2},
			{"split", 0, 84*sort + 131*n},
			{"split;cap", ands("split", n) + 32*n, ands("split", n) + 32*n},
			{"split;handicap", 0, ands("split", n) + 32*n + 2*sort},
			{"split;tiers", ands("split", n) + 770*n + 32, ands("split", n) + 770*n + 32},
			{"split;with=a", ands("split", n) + 17*n, ands("split", n) + 17*n},
			{"split;winners=4", 0, 84*(13*((n+3)/4)-8) + 131*n},
			{"fit", ands("split", n) + 20*n - 2, ands("split", n) + 20*n - 2},
			{"fit;winners=4", 0, ands("split;winners=4", n) + 86*n},
		} {
			if got := ands(tc.policy, n); got < tc.least || got > tc.top {
				t.Errorf("%s of %d providers: %d ANDs, from %d to %d by the formula", tc.policy, n, got, tc.least, tc.top)
			}
		}
		if got := ands("second-price", n); n&(n-1) == 0 && got != 116*n+33*log-36 {
			t.Errorf("second-price of %d providers: %d ANDs", n, got)
		}
	}
}

func ExampleReference() {
	offers := []Offer{{Quantity: 10, Price: 20_000}, {Quantity: 40, Price: 31_000}, {Quantity: 64, Price: 35_000}}
	request := Request{Quantity: 32, MaxPrice: 50_000}
	for _, policy := range []string{"lowest-price", "second-price", "split"} {
		result, _ := Reference(policy, request, offers, nil)
		for _, win := range result.Wins {
			fmt.Printf("%s: party %d delivers %d and is paid %d\n", policy, win.Party, win.Quantity, win.Pays)
		}
	}
	// Output:
	// lowest-price: party 2 delivers 32 and is paid 31000
	// second-price: party 2 delivers 32 and is paid 35000
	// split: party 1 delivers 10 and is paid 20000
	// split: party 2 delivers 22 and is paid 31000
}

func FuzzParseTerms(f *testing.F) {
	f.Add(Terms{Price: 31_000, Quantity: 32}.Encode())
	f.Add(Terms{Price: 1<<32 - 1, Quantity: 1<<16 - 1}.Encode())
	f.Add([]byte{})
	f.Add(make([]byte, termsSize))
	f.Add(make([]byte, termsSize+1))
	f.Add(Terms{Price: 1, Quantity: 2, Further: []uint16{3, 0xffff}}.Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		terms, err := ParseTerms(b)
		if (err == nil) != (len(b) >= termsSize && len(b) <= termsSize+2*MaxFurther && len(b)%2 == 0 && (b[4] > 0 || b[5] > 0)) {
			t.Fatalf("%x: %v", b, err)
		}
		if err == nil && !bytes.Equal(terms.Encode(), b) {
			t.Fatalf("%x is encoded as %x", b, terms.Encode())
		}
	})
}

func TestTermsEncoding(t *testing.T) {
	if got := (Terms{Price: 0x01020304, Quantity: 0x0506}).Encode(); !bytes.Equal(got, []byte{4, 3, 2, 1, 6, 5}) {
		t.Errorf("%x", got)
	}
}
