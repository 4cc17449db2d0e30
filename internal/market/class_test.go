package market

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestParseClass(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"cpu=1,memory=1Gi", "arch=amd64,cpu=1,currency=USD,memory=1Gi"},
		{"memory=1Gi,cpu=1", "arch=amd64,cpu=1,currency=USD,memory=1Gi"},
		{" memory=1024Mi , cpu=1000m ", "arch=amd64,cpu=1,currency=USD,memory=1Gi"},
		{"cpu=1.0,memory=1048576Ki,arch=AMD64,currency=usd", "arch=amd64,cpu=1,currency=USD,memory=1Gi"},
		{"cpu=0.2,memory=128Mi", "arch=amd64,cpu=200m,currency=USD,memory=128Mi"},
		{"cpu=1k,memory=64Ti", "arch=amd64,cpu=1k,currency=USD,memory=64Ti"},
		{"cpu=1e3,memory=1E3", "arch=amd64,cpu=1k,currency=USD,memory=1k"},
		{"cpu=1500m,memory=1G", "arch=amd64,cpu=1500m,currency=USD,memory=1000000000"},
		{"cpu=1,memory=1Gi,storage=10Gi,arch=arm64,currency=EUR", "arch=arm64,cpu=1,currency=EUR,memory=1Gi,storage=10Gi"},
		{"cpu=8,memory=32Gi,gpu=NVIDIA-H100", "arch=amd64,cpu=8,currency=USD,gpu=nvidia-h100,gpus=1,memory=32Gi"},
		{"cpu=8,memory=32Gi,gpus=8,gpu=nvidia-h100", "arch=amd64,cpu=8,currency=USD,gpu=nvidia-h100,gpus=8,memory=32Gi"},
	} {
		c, err := ParseClass(tc.text)
		if err != nil {
			t.Errorf("ParseClass(%q): %v", tc.text, err)
			continue
		}
		if c.String() != tc.want {
			t.Errorf("ParseClass(%q) = %s, want %s", tc.text, c, tc.want)
		}
		again, err := ParseClass(c.String())
		if err != nil || again != c {
			t.Errorf("ParseClass(%q) = %+v, %v; want %+v", c.String(), again, err, c)
		}
	}
}

func TestParseClassRefuses(t *testing.T) {
	for text, wants := range map[string]string{
		"":                                            "is empty",
		"  ":                                          "is empty",
		"cpu":                                         "not key=value",
		"cpu=1":                                       "has no memory",
		"memory=1Gi":                                  "has no cpu",
		"cpu=1,cpu=2,memory=1Gi":                      `"cpu" stands there twice`,
		"cpu=1,memory=1Gi,":                           "not key=value",
		"cpu=1,mem=1Gi":                               `unknown key "mem"`,
		"CPU=1,memory=1Gi":                            `unknown key "CPU"`,
		"cpu=0,memory=1Gi":                            "must be more than 0",
		"cpu=-1,memory=1Gi":                           "must not be negative",
		"cpu=+1,memory=1Gi":                           "not a Kubernetes quantity",
		"cpu=one,memory=1Gi":                          "not a Kubernetes quantity",
		"cpu=1,memory=1gb":                            "not a Kubernetes quantity",
		"cpu=1,memory=1e999999999":                    "not a Kubernetes quantity",
		"cpu=0.0001,memory=1Gi":                       "finer than a thousandth",
		"cpu=1,memory=0.5":                            "not a whole number",
		"cpu=1,memory=100Ei":                          "too large",
		"cpu=1000001,memory=1Gi":                      "too large",
		"cpu=99999999999999999999,memory=1Gi":         "not a Kubernetes quantity",
		"cpu=1,memory=1Gi,storage=0":                  "must be more than 0",
		"cpu=1,memory=1Gi,gpu=2":                      "the count goes into gpus",
		"cpu=1,memory=1Gi,gpu=":                       "is empty",
		"cpu=1,memory=1Gi,gpu=a b":                    "not a model",
		"cpu=1,memory=1Gi,gpus=2":                     "needs the model",
		"cpu=1,memory=1Gi,gpu=a100,gpus=0":            "must be more than 0",
		"cpu=1,memory=1Gi,gpu=a100,gpus=1025":         "too large",
		"cpu=1,memory=1Gi,arch=sparc":                 "unknown arch",
		"cpu=1,memory=1Gi,arch=":                      "unknown arch",
		"cpu=1,memory=1Gi,currency=dollars!":          "3 to 8 capital letters",
		"cpu=1,memory=1Gi" + strings.Repeat(" ", 256): "longer than 256 bytes",
		"cpu=1,memory=1Gi\x00":                        "not a Kubernetes quantity",
	} {
		c, err := ParseClass(text)
		var f *FieldError
		if !errors.As(err, &f) || c != (Class{}) {
			t.Errorf("ParseClass(%q) = %v, %v; want a FieldError", text, c, err)
			continue
		}
		if f.Field != "class" || !strings.Contains(f.Problem, wants) {
			t.Errorf("ParseClass(%q): %v; want %q", text, err, wants)
		}
		if _, err := ParseClass(f.Example); err != nil {
			t.Errorf("ParseClass(%q) gives the example %q, which is refused: %v", text, f.Example, err)
		}
	}
}

func TestClassText(t *testing.T) {
	if got := (Class{}).String(); got != "" {
		t.Errorf("the zero class is %q", got)
	}
	if _, err := json.Marshal(Class{}); err == nil {
		t.Error("the zero class has a JSON form")
	}
	in := struct{ Class Class }{mustClass(t, "cpu=1,memory=1Gi")}
	raw, err := json.Marshal(in)
	if err != nil || string(raw) != `{"Class":"arch=amd64,cpu=1,currency=USD,memory=1Gi"}` {
		t.Errorf("JSON: %s, %v", raw, err)
	}
	out := in
	out.Class = Class{}
	if err := json.Unmarshal(raw, &out); err != nil || out != in {
		t.Errorf("from JSON: %+v, %v", out, err)
	}
	if err := json.Unmarshal([]byte(`{"Class":"cpu=1"}`), &out); err == nil {
		t.Error("a class without memory was read from JSON")
	}
}

func FuzzParseClass(f *testing.F) {
	for _, seed := range []string{
		"cpu=1,memory=1Gi", "arch=arm64,cpu=200m,currency=EUR,gpu=nvidia-h100,gpus=2,memory=128Mi,storage=1Ti",
		"cpu=1e3,memory=1E", "cpu=0.001,memory=1", "cpu=1,,memory=1Gi", "cpu==1,memory=1Gi", "", "=", ",", "cpu=1000000,memory=64Ti",
		"cpu=1,memory=0.000000001Gi", "cpu=1n,memory=1Gi",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseClass(text)
		if err != nil {
			if !errors.As(err, new(*FieldError)) {
				t.Fatalf("%q: %T is not a FieldError", text, err)
			}
			return
		}
		again, err := ParseClass(c.String())
		if err != nil || again != c || again.String() != c.String() {
			t.Fatalf("%q: %s reads as %s, %v", text, c, again, err)
		}
		if !slices.IsSorted(strings.Split(c.String(), ",")) {
			t.Fatalf("%q: the keys of %s are not sorted", text, c)
		}
		if _, err := c.Base().Times(MaxQuantity); err != nil {
			t.Fatalf("%q: 65535 units overflow", text)
		}
	})
}

func mustClass(t testing.TB, text string) Class {
	t.Helper()
	c, err := ParseClass(text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
