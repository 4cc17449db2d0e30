package market

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestParseTiers(t *testing.T) {
	for text, want := range map[string]Tiers{
		"1-=0.03":                          {{1, 30_000}},
		"1-8=0.03,9-=0.025":                {{1, 30_000}, {9, 25_000}},
		" 1 - 8 = 0.03 , 9 - = 0.025 ":     {{1, 30_000}, {9, 25_000}},
		"1=1,2=2,3-=0":                     {{1, 1_000_000}, {2, 2_000_000}, {3, 0}},
		"1-65534=1,65535-=4294.967295":     {{1, 1_000_000}, {65535, NoMaximum}},
		"1=1,2=2,3=3,4=4,5=5,6=6,7=7,8-=8": {{1, 1e6}, {2, 2e6}, {3, 3e6}, {4, 4e6}, {5, 5e6}, {6, 6e6}, {7, 7e6}, {8, 8e6}},
	} {
		got, err := ParseTiers(text)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v", text, got, err)
			continue
		}
		if again, err := ParseTiers(got.String()); err != nil || !slices.Equal(got, again) {
			t.Errorf("%s is written as %s, which reads as %v, %v", text, got, again, err)
		}
	}
}

// "Tiers that overlap or leave gaps": each fault has its words, and none repeats
// what was typed.
func TestParseTiersRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"": "is empty", "  ": "is empty",
		"0.777":                   "step 1 is not UNITS=PRICE",
		"1-8=0.777,,9-=1":         "step 2 is not UNITS=PRICE",
		"1-8=0.777,8-=1":          "step 2 overlaps",
		"1-8=0.777,1-=1":          "step 2 overlaps",
		"1-8=0.777,10-=1":         "a gap before step 2",
		"2-8=0.777,9-=1":          "step 1 does not begin at 1",
		"9-=0.777,1-8=1":          "step 1 does not begin at 1",
		"1-=0.777,9-=1":           "step 1 has no end",
		"1-8=0.777":               "the last step must have no end",
		"8-1=0.777,9-=1":          "step 1 ends before it begins",
		"1-8=0.777,9-8=1":         "step 2 ends before it begins",
		"0-8=0.777,9-=1":          "step 1 does not begin at a number of units",
		"1-70000=0.777":           "step 1 does not end at a number of units",
		"1-65535=0.777":           "the last step must have no end",
		"1-65535=0.777,65536-=1":  "step 2 does not begin at a number of units",
		"1-8=-0.777,9-=1":         "step 1 has a price that is not",
		"1-8=0.7770001,9-=1":      "step 1 has a price that is not",
		"1-8=5000.777,9-=1":       "step 1 has a price that is not",
		"1-8=0.777=2,9-=1":        "step 1 has a price that is not",
		"1-4-8=0.777,9-=1":        "step 1 does not end at a number of units",
		strings.Repeat("1=1,", 9): "has more than 8 steps",
		strings.Repeat("1", 600):  "is longer than",
	} {
		_, err := ParseTiers(text)
		var f *FieldError
		if !errors.As(err, &f) || f.Field != "price-tiers" || !strings.Contains(f.Problem, want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "777") {
			t.Errorf("%q: the error repeats it: %v", text, err)
		}
		if _, err := ParseTiers(f.Example); err != nil {
			t.Errorf("the example is not valid: %v", err)
		}
	}
}

func TestTiersAt(t *testing.T) {
	tiers := Tiers{{1, 30}, {9, 25}, {20, 40}}
	for q, want := range map[Quantity]Price{1: 30, 8: 30, 9: 25, 19: 25, 20: 40, 21: 40, MaxQuantity: 40} {
		if got := tiers.At(q); got != want {
			t.Errorf("%d units: %d, want %d", q, got, want)
		}
	}
	for q, want := range map[Quantity]Price{0: 30, 1: 30, 19: 30, 20: 40} {
		if got := tiers.highest(q); got != want {
			t.Errorf("at most %d units: %d, want %d", q, got, want)
		}
	}
	for name, bad := range map[string]Tiers{
		"none": {}, "late": {{2, 1}}, "twice": {{1, 1}, {3, 2}, {3, 3}}, "down": {{1, 1}, {5, 1}, {4, 1}}, "many": make(Tiers, 9),
	} {
		if bad.Validate() == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// What is read is valid, and writing and reading it again changes nothing.
func FuzzParseTiers(f *testing.F) {
	for _, text := range []string{
		tiersExample, "1-=0", "1=1,2-3=2,4-=0.000001", "1-8=0.03,8-=1", "1-8=0.03", "9-=1", "1-65535=1,65536-=1", "-1=1", "1-8=", "=,=", "1=1,2=2,3=3,4=4,5=5,6=6,7=7,8=8,9-=9",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		tiers, err := ParseTiers(text)
		if err != nil {
			var fe *FieldError
			if !errors.As(err, &fe) || tiers != nil {
				t.Fatalf("%v, %v", tiers, err)
			}
			return
		}
		if err = tiers.Validate(); err != nil {
			t.Fatal(err)
		}
		again, err := ParseTiers(tiers.String())
		if err != nil || !slices.Equal(tiers, again) {
			t.Fatalf("%s reads back as %v, %v", tiers, again, err)
		}
		for _, s := range tiers {
			if tiers.At(s.From) != s.Price {
				t.Fatalf("%s: another price at %d", tiers, s.From)
			}
		}
	})
}
