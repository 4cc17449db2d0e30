package market

import (
	"errors"
	"math"
	"strings"
	"testing"
)

func mustExpr(t testing.TB, text string) *PriceExpr {
	t.Helper()
	e, err := ParsePriceExpr(text)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestPriceExpr(t *testing.T) {
	v := PriceVars{Total: 64, Free: 16, Used: 48, Duration: 1.5, Hour: 9, Weekday: 7}
	for text, want := range map[string]string{
		"1 + 2*(total-free)/total":                 "2.5",
		"0.03":                                     "0.03",
		"3":                                        "3",
		"1/3":                                      "0.333333",
		"0.02 + 0.02*used/total":                   "0.035",
		"hour >= 8 && hour < 18 ? 0.05 : 0.02":     "0.05",
		"weekday > 5 or hour < 6 ? 1 : 2":          "1",
		"not (weekday == 7) ? 1 : 2":               "2",
		"max(0.02, min(0.5, used/total), 0.1)":     "0.5",
		"duration >= 24 ? 0.02 : 0.03":             "0.03",
		"round(duration) + floor(1.7) + ceil(0.2)": "4",
		"abs(free - total) ** 0.5":                 "6.928203",
		"free > 0 ? 1/free : 0":                    "0.0625",
		"4294.967295":                              "4294.967295",
		"-0.0000001":                               "0", // rounds to nothing
		"9223372036854775807 * 0":                  "0",
		"(9223372036854775807 + 1) / 1e18":         "9.223372", // in integers it would wrap
		"true ? 1 : 1/0":                           "1",
	} {
		price, err := mustExpr(t, text).At(v)
		if err != nil || price.String() != want {
			t.Errorf("%s = %s, %v; want %s", text, price, err, want)
		}
	}
}

// "A price expression that divides by zero, never ends or yields a negative or
// an overflow."
func TestPriceExprHasNoPrice(t *testing.T) {
	for text, want := range map[string]error{
		"1/0": ErrExprInfinite, "1/free": ErrExprInfinite, "-1/free": ErrExprInfinite, "total/free": ErrExprNotNumber, "0/0": ErrExprNotNumber,
		"1e308*10": ErrExprInfinite, "10**400": ErrExprInfinite, "1e305": ErrExprTooMuch, "free-0.000001": ErrExprNegative, "-1": ErrExprNegative,
		"4294.967296": ErrExprTooMuch, "(0-1)**0.5": ErrExprNotNumber, "min(1/free, 0/free)": nil,
	} {
		price, err := mustExpr(t, text).At(PriceVars{})
		if want == nil { // whatever a comparison with no number says, it is a fault or a price
			continue
		}
		if !errors.Is(err, want) || price != 0 {
			t.Errorf("%s = %d, %v; want %v", text, price, err, want)
		}
	}
	if _, err := (&PriceExpr{text: "1"}).At(PriceVars{}); !errors.Is(err, ErrExprFailed) {
		t.Errorf("without a program: %v", err)
	}
}

// What could take long, or be anything but a number, cannot be written.
func TestParsePriceExprRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"": "is empty", "  ": "is empty",
		"1 +":                           "is wrong at character",
		"price":                         "is wrong at character 1: unknown name price",
		"total > 3":                     "gives no number",
		"'1'":                           "is more than numbers",
		"1..1000000000":                 "the operator ..",
		"sum(1..1000000000)":            "there is not",
		"len(repeat('x', 777000000))":   "is more than numbers",
		"let x = 777; x":                "is more than numbers",
		"[777][0]":                      "is more than numbers",
		"{a: 777}.a":                    "is more than numbers",
		"total.free":                    "is more than numbers",
		"777 in [777] ? 1 : 2":          "is more than numbers",
		"hour % 2":                      "the operator %",
		"now().Hour()":                  "not",
		"random(777)":                   "not",
		"min()":                         "",
		"max(1, true)":                  "",
		"true":                          "",
		"777 777":                       "is wrong at character 5: cannot be read",
		"true ? 'a' : 1":                "is more than numbers",
		"nil":                           "is more than numbers",
		"total ?? 1":                    "the operator ??",
		"'a' matches 'b' ? 1 : 2":       "is more than numbers",
		"if true {1} else {2}":          "",
		strings.Repeat("1+", 200) + "1": "exceeds maximum allowed nodes",
		strings.Repeat("(", 600):        "is longer than",
		strings.Repeat("(", 255) + strings.Repeat(")", 255): "",
	} {
		_, err := ParsePriceExpr(text)
		var f *FieldError
		if !errors.As(err, &f) || f.Field != "price-expr" || !strings.Contains(f.Problem, want) {
			t.Errorf("%q: %v, want %s", text, err, want)
			continue
		}
		if strings.Contains(err.Error(), "777") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: the error repeats it: %v", text, err)
		}
	}
	if _, err := ParsePriceExpr(strings.Trim(exprExample, "'")); err != nil {
		t.Errorf("the example is not valid: %v", err)
	}
}

// Whatever compiles is evaluated to a price or to one of the faults, at any
// figures.
func FuzzPriceExpr(f *testing.F) {
	for _, text := range []string{
		"1 + 2*(total-free)/total", "hour >= 8 ? 1 : 2", "1..10", "sum(1..9)", "let a = 1; a", "map([1], # + 1)", "-free ** total ** total", "min(free)", "1e400",
		"min(total, free, used) / (hour - hour)", "!true ? 1 : 0x7f", "abs(-1)|max(2)", "total?.x", "[1,2][0]",
	} {
		f.Add(text, 64.0, 16.0)
	}
	f.Add("total", math.NaN(), math.Inf(1))
	f.Fuzz(func(t *testing.T, text string, total, free float64) {
		e, err := ParsePriceExpr(text)
		if err != nil {
			var fe *FieldError
			if !errors.As(err, &fe) {
				t.Fatal(err)
			}
			return
		}
		price, err := e.At(PriceVars{Total: total, Free: free, Used: total - free, Hour: 23, Weekday: 1, Duration: 1})
		if err != nil && price != 0 {
			t.Fatalf("a price beside %v", err)
		}
		if _, err = ParsePriceExpr(e.String()); err != nil {
			t.Fatalf("reads back as %v", err)
		}
	})
}
