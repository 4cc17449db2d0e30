package market

import (
	"slices"
	"testing"
)

func TestAnnounced(t *testing.T) {
	for unit, want := range map[string][]string{
		// "An offer of unit U is announced under every standard class ≤ U with
		// equal attributes".
		"cpu=1,memory=1Gi": {"arch=amd64,cpu=1,currency=USD,memory=1Gi"},
		"cpu=2,memory=5Gi,arch=arm64": {
			"arch=arm64,cpu=2,currency=USD,memory=5Gi", "arch=arm64,cpu=1,currency=USD,memory=1Gi",
			"arch=arm64,cpu=1,currency=USD,memory=2Gi", "arch=arm64,cpu=1,currency=USD,memory=4Gi",
		},
		"cpu=200m,memory=128Mi": {"arch=amd64,cpu=200m,currency=USD,memory=128Mi"},
		"cpu=1,memory=1Gi,storage=5Gi,currency=EUR": {
			"arch=amd64,cpu=1,currency=EUR,memory=1Gi,storage=5Gi", "arch=amd64,cpu=1,currency=EUR,memory=1Gi",
		},
		"cpu=2,memory=4Gi,gpu=a100": {
			"arch=amd64,cpu=2,currency=USD,gpu=a100,gpus=1,memory=4Gi",
			"arch=amd64,cpu=1,currency=USD,gpu=a100,gpus=1,memory=1Gi",
			"arch=amd64,cpu=1,currency=USD,gpu=a100,gpus=1,memory=2Gi",
			"arch=amd64,cpu=1,currency=USD,gpu=a100,gpus=1,memory=4Gi",
			"arch=amd64,cpu=2,currency=USD,gpu=a100,gpus=1,memory=2Gi",
		},
	} {
		u := mustClass(t, unit)
		var got []string
		for _, c := range u.Announced() {
			got = append(got, c.String())
			if !u.Serves(c) {
				t.Errorf("%s is announced under %s and does not serve it", unit, c)
			}
			if mustClass(t, c.String()) != c {
				t.Errorf("%s is not canonical", c)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s is announced under\n%q, want\n%q", unit, got, want)
		}
	}
	big := mustClass(t, "cpu=1000,memory=8000Gi,gpu=a100,gpus=8")
	if n := len(big.Announced()); n != 29 {
		t.Errorf("the largest offer is announced under %d classes, want 29", n)
	}
}

func TestServes(t *testing.T) {
	unit := mustClass(t, "cpu=4,memory=16Gi")
	for class, want := range map[string]bool{
		"cpu=4,memory=16Gi":             true,
		"cpu=1,memory=8Gi":              true,
		"cpu=2,memory=2Gi":              false, // smaller, but announced nowhere
		"cpu=1,memory=1Gi,arch=arm64":   false,
		"cpu=1,memory=1Gi,currency=EUR": false,
		"cpu=1,memory=1Gi,gpu=a100":     false,
		"cpu=8,memory=16Gi":             false,
	} {
		if got := unit.Serves(mustClass(t, class)); got != want {
			t.Errorf("%s serves %s: %v, want %v", unit, class, got, want)
		}
	}
	if mustClass(t, "cpu=4,memory=16Gi,gpu=a100").Serves(mustClass(t, "cpu=1,memory=1Gi")) {
		t.Error("a GPU unit is sold as one without")
	}
}
