package operator

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/angler-dex/angler/internal/control"
	"github.com/angler-dex/angler/internal/market"
)

func FuzzContribution(f *testing.F) {
	for _, seed := range []string{
		`{"unit":{"cpu":2,"memory":"4Gi"},"quantity":8,"price":"0.03","maxDuration":"24h"}`,
		`{"unit":{"cpu":"500m","memory":"1Gi","gpu":"nvidia-h100","gpus":2},"surplus":{"share":"12.5%","keep":{"cpu":4,"memory":"8Gi"},"whenFree":">30%"},"priceExpr":"0.02"}`,
		`{"unit":{"cpu":1e3,"memory":null},"quantity":1,"priceTiers":"1-=1","reclaimNotice":"half an hour"}`,
		`{"surplus":{}}`, `{"unit":{"cpu":{}}}`, `[]`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var spec ContributionSpec
		if json.Unmarshal([]byte(text), &spec) != nil {
			return
		}
		o, err := spec.offer("name")
		if err != nil {
			var field *market.FieldError
			if !errors.As(err, &field) || !strings.HasPrefix(field.Field, "spec.") || field.Example == "" {
				t.Fatalf("no field, or no example: %v", err)
			}
			return
		}
		if o.Name != "contribution/name" || o.Ceiling == 0 || (o.Surplus == nil) != (spec.Surplus == nil) || o.Paused != spec.Paused {
			t.Fatalf("%+v", o)
		}
	})
}

func TestWordsOfTheDaemon(t *testing.T) {
	for message, want := range map[string]string{
		"price-expr: is wrong at character 3": "spec.priceExpr: is wrong at character 3",
		"class: cpu: is missing":              "spec.unit: cpu: is missing",
		"the ledger is full":                  "the ledger is full",
		"nothing: of the sort":                "nothing: of the sort",
	} {
		if got := inSpec(message); got != want {
			t.Errorf("%q is %q, want %q", message, got, want)
		}
	}
}

// All leases that live have an object, and the newest of those that are over.
func TestShown(t *testing.T) {
	var leases []control.Lease
	for i := range 3 * maxEnded {
		state := "released"
		if i%3 == 0 {
			state = "active"
		}
		leases = append(leases, control.Lease{ID: string(rune('a' + i)), State: state})
	}
	list := shown(leases)
	if len(list) != maxEnded+maxEnded {
		t.Fatalf("%d of %d are shown", len(list), len(leases))
	}
	if last := list[len(list)-1]; last.State != "active" {
		t.Errorf("the oldest that lives is not shown, but %+v", last)
	}
}

// What the daemon's offer is does not change by itself: only then a comparison says that nothing is to be put.
func TestSettled(t *testing.T) {
	now := uint32(7)
	o := control.Offer{Name: "a", Fault: "no price", Announced: []string{"x"}, Surplus: &control.Surplus{Share: "50%", Now: &now}}
	s := settled(o)
	if s.Fault != "" || s.Announced != nil || s.Surplus.Now != nil || s.Surplus.Share != "50%" {
		t.Errorf("%+v", s)
	}
	if o.Surplus.Now == nil {
		t.Error("the original was changed")
	}
}
