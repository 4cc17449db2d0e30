package main

import (
	"regexp"
	"strings"
	"testing"
)

// Every policy has its line, with a count and a depth for each size.
func TestWrite(t *testing.T) {
	var out strings.Builder
	if err := write(&out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 1+len(policies) {
		t.Fatalf("%d lines:\n%s", len(lines), out.String())
	}
	for k, line := range lines[1:] {
		if !strings.HasPrefix(line, policies[k]) || !regexp.MustCompile(`(  +\d+ \(\d+\)){3}$`).MatchString(line) {
			t.Errorf("%q", line)
		}
	}
	if !strings.Contains(out.String(), "  662 (") { // 83·8 − 2
		t.Errorf("lowest-price among 8:\n%s", out.String())
	}
}
