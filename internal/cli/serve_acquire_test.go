package cli

import (
	"strings"
	"testing"
)

func FuzzParseBelow(f *testing.F) {
	for _, s := range []string{"free<10%", "free < 0.5 %", "free<0%", "free>10%", "10%", "free<101%", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parseBelow(text)
		if err != nil {
			if !strings.Contains(err.Error(), "--acquire-below 'free<10%'") {
				t.Errorf("no example: %v", err)
			}
			return
		}
		if again, err := parseBelow("free<" + p.String()); err != nil || again != p {
			t.Errorf("%q is %v, which is %v (%v)", text, p, again, err)
		}
	})
}
