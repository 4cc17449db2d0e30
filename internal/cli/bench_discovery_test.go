package cli

import "testing"

func FuzzParseShare(f *testing.F) {
	for _, text := range []string{"10%", "0%", "100%", "101%", "-0%", "12.5%", "NaN%", "1e1%", "%", "", "10", "0x1p-2%", "+Inf%"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if share, ok := parseShare(text); ok && !(share >= 0 && share <= 1) {
			t.Errorf("%q is %v", text, share)
		}
	})
}
