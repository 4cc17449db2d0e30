package placement

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden file anew; commit the change only if you understand what caused it")

const golden = "../../testdata/circuits/placement.txt"

// The circuits of all functions and parameters, and what they cost: a change here makes parties of two versions refuse each
// other.
func TestGoldenSizes(t *testing.T) {
	var lines strings.Builder
	for _, policy := range samples() {
		for _, n := range []int{1, 2, 3, 4, 8, 16, 32, 64} {
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
	if lines.String() != string(want) {
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
