package placement_test

import (
	"errors"
	"testing"

	"github.com/angler-dex/angler/internal/placement"
)

func TestTakes(t *testing.T) {
	for _, p := range []struct {
		function   string
		parameters []string
		want       bool
	}{
		{"lowest-price", nil, true},
		{"lowest-price", []string{"handicap", "tiers", "with"}, true},
		{"lowest-price", []string{"cap"}, false},
		{"fit", []string{"cap", "handicap", "tiers", "winners", "with"}, true},
		{"fit", []string{"luck"}, false},
		{"cheapest", nil, false},
	} {
		if err := placement.Takes(p.function, p.parameters...); (err == nil) != p.want || err != nil && !errors.Is(err, placement.ErrPolicy) {
			t.Errorf("%s %q: %v", p.function, p.parameters, err)
		}
	}
}
