package market

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestParsePrice(t *testing.T) {
	for text, want := range map[string]Price{
		"0": 0, "0.031": 31_000, "12": 12_000_000, "0.000001": 1, "1.500000": 1_500_000, "00.5": 500_000,
		"4294.967295": NoMaximum, "4294": 4_294_000_000,
	} {
		if got, err := ParsePrice(text); err != nil || got != want {
			t.Errorf("ParsePrice(%q) = %d, %v; want %d", text, uint32(got), err, uint32(want))
		}
	}
	for p, want := range map[Price]string{0: "0", 31_000: "0.031", 12_000_000: "12", 1: "0.000001", 1_500_000: "1.5", NoMaximum: "4294.967295", 100_000_000: "100"} {
		if got := p.String(); got != want {
			t.Errorf("Price(%d) is %q, want %q", uint32(p), got, want)
		}
	}
}

func TestParsePriceRefuses(t *testing.T) {
	for text, problem := range map[string]string{
		"": "is empty", "-0.054321": "must not be negative", "0.0543210": "more than six decimals", "0.0000001": "more than six decimals",
		"4294.967296": "is more than 4294.967295", "4295": "is more than", "54321": "is more than", "99999999999999999999": "is more than",
		".5": "not a decimal number", "5.": "not a decimal number", "1e3": "not a decimal number", "+1": "not a decimal number",
		"0x10": "not a decimal number", "1,5": "not a decimal number", "1.5.5": "not a decimal number", " 1": "not a decimal number",
		"NaN": "not a decimal number", "٣": "not a decimal number", ".": "not a decimal number",
	} {
		_, err := ParsePrice(text)
		checkNumberError(t, "price", text, err, problem)
	}
}

func TestParseQuantity(t *testing.T) {
	for text, want := range map[string]Quantity{"0": 0, "1": 1, "32": 32, "65535": MaxQuantity, "007": 7} {
		if got, err := ParseQuantity(text); err != nil || got != want {
			t.Errorf("ParseQuantity(%q) = %d, %v; want %d", text, got, err, want)
		}
	}
	for text, problem := range map[string]string{
		"": "is empty", "-54321": "must not be negative", "65536": "more than 65535 units", "5432154321543215432154321": "more than 65535 units",
		"5.4321": "not a whole", "1e3": "not a whole", "+1": "not a whole", "0x1": "not a whole", "1_000": "not a whole", " 1": "not a whole",
		"-": "not a whole", "ten": "not a whole",
	} {
		_, err := ParseQuantity(text)
		checkNumberError(t, "quantity", text, err, problem)
	}
}

func checkNumberError(t *testing.T, field, text string, err error, problem string) {
	t.Helper()
	var f *FieldError
	if !errors.As(err, &f) || f.Field != field || !strings.Contains(f.Problem, problem) || f.Example == "" {
		t.Errorf("%s %q: %v; want %q", field, text, err, problem)
		return
	}
	if strings.Contains(err.Error(), "54321") {
		t.Errorf("%s %q: the error tells the value: %v", field, text, err)
	}
	if renamed := InField("--flag", err); !strings.HasPrefix(renamed.Error(), "--flag: ") || f.Field != field {
		t.Errorf("InField: %v (was %v)", renamed, err)
	}
}

func TestPriceJSON(t *testing.T) {
	raw, err := json.Marshal(struct{ Price Price }{31_000})
	if err != nil || string(raw) != `{"Price":"0.031"}` {
		t.Fatalf("%s, %v", raw, err)
	}
	var out struct{ Price Price }
	if err := json.Unmarshal(raw, &out); err != nil || out.Price != 31_000 {
		t.Fatalf("%v, %v", out, err)
	}
	if err := json.Unmarshal([]byte(`{"Price":"0.0000001"}`), &out); err == nil {
		t.Fatal("a seventh decimal was taken")
	}
}

func FuzzParsePrice(f *testing.F) {
	for _, seed := range []string{"0.031", "4294.967295", "4294.967296", "1.", ".1", "-1", "1e9", "00000000000000000001.5"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePrice(text)
		if err != nil {
			return
		}
		again, err := ParsePrice(p.String())
		if err != nil || again != p || len(p.String()) > len("4294.967295") {
			t.Fatalf("%q: %s reads as %d, %v", text, p, again, err)
		}
	})
}

func FuzzParseQuantity(f *testing.F) {
	for _, seed := range []string{"0", "65535", "65536", "-1", "1.0", "00001"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q, err := ParseQuantity(text)
		if err != nil {
			return
		}
		if q.String() != strings.TrimLeft(text, "0") && q != 0 {
			t.Fatalf("%q reads as %s", text, q)
		}
	})
}
