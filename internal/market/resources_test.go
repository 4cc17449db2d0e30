package market

import (
	"errors"
	"math"
	"strings"
	"testing"
)

func TestParseCapacity(t *testing.T) {
	r, err := ParseCapacity("cpu=64, memory=256Gi,storage=2Ti,gpu/NVIDIA-h100=4,cpu/arm64=1500m,memory/arm64=1Gi")
	want := Resources{"cpu": 64_000, "memory": 256 * gib, "storage": 2048 * gib, "gpu/nvidia-h100": 4, "cpu/arm64": 1500, "memory/arm64": gib}
	if err != nil || !r.Equal(want) {
		t.Fatalf("%v, %v", r, err)
	}
	if got := r.String(); got != "cpu=64,cpu/arm64=1500m,gpu/nvidia-h100=4,memory=256Gi,memory/arm64=1Gi,storage=2Ti" {
		t.Errorf("as text: %s", got)
	}
	for kind, want := range map[Kind]string{"cpu/arm64": "1500m", "gpu/a100": "1500", "memory": "1500", "storage": "1500"} {
		if got := kind.Format(1500); got != want {
			t.Errorf("1500 of %s: %s, want %s", kind, got, want)
		}
	}
	for text, problem := range map[string]string{
		"": "is empty", "cpu": "not kind=amount", "cpu=0": "must be more than 0", "cpu=1,CPU=2": "twice", "cpu/amd64=1": "is not a kind",
		"cpu/vax=1": "is not a kind", "gpu=4": "does not name a GPU model", "gpu/4=4": "does not name a GPU model", "disk=1": "is not a kind",
		"storage/ssd=1Gi": "is not a kind", "cpu=-54321": "must not be negative", "memory=54321.5": "not a whole number", "memory=8Ei": "too large",
		"cpu=1" + strings.Repeat(" ", 4096): "longer than",
	} {
		_, err := ParseCapacity(text)
		var f *FieldError
		if !errors.As(err, &f) || f.Field != "capacity" || !strings.Contains(f.Problem, problem) || strings.Contains(err.Error(), "54321") {
			t.Errorf("%.40q: %v; want %q", text, err, problem)
		}
	}
}

func FuzzParseCapacity(f *testing.F) {
	for _, seed := range []string{capacityExample, "cpu/arm64=1m", "memory=1e3", "storage=1,storage=2", "gpu/a100=1k", ",", "="} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ParseCapacity(text)
		if err != nil {
			return
		}
		again, err := ParseCapacity(r.String())
		if err != nil || !again.Equal(r) || r.validate() != nil {
			t.Fatalf("%q: %s reads as %s, %v", text, r, again, err)
		}
	})
}

func TestResourcesArithmetic(t *testing.T) {
	a, b := Resources{"cpu": 3, "memory": 10}, Resources{"cpu": 5, "storage": 1}
	if sum, err := a.Plus(b); err != nil || !sum.Equal(Resources{"cpu": 8, "memory": 10, "storage": 1}) {
		t.Errorf("sum: %v, %v", sum, err)
	}
	if rest := a.Less(b); !rest.Equal(Resources{"memory": 10}) {
		t.Errorf("difference: %v", rest)
	}
	if most := a.Most(b); !most.Equal(Resources{"cpu": 5, "memory": 10, "storage": 1}) {
		t.Errorf("most: %v", most)
	}
	if product, err := a.Times(7); err != nil || !product.Equal(Resources{"cpu": 21, "memory": 70}) {
		t.Errorf("product: %v, %v", product, err)
	}
	if product, err := a.Times(0); err != nil || !product.Equal(nil) {
		t.Errorf("0 units: %v, %v", product, err)
	}
	if !a.Equal(Resources{"cpu": 3, "memory": 10}) || !b.Equal(Resources{"cpu": 5, "storage": 1, "memory": 0}) {
		t.Error("an operand changed")
	}
	huge := Resources{"cpu": math.MaxInt64 - 1}
	if _, err := huge.Plus(Resources{"cpu": 2}); !errors.Is(err, ErrOverflow) {
		t.Errorf("sum over 64 bits: %v", err)
	}
	if _, err := huge.Times(2); !errors.Is(err, ErrOverflow) {
		t.Errorf("product over 64 bits: %v", err)
	}
}

func TestUnits(t *testing.T) {
	free := Resources{"cpu": 10_000, "memory": 10 * gib}
	for _, tc := range []struct {
		unit Resources
		want Quantity
	}{
		{Resources{"cpu": 1000, "memory": gib}, 10},
		{Resources{"cpu": 1000, "memory": 3 * gib}, 3},
		{Resources{"cpu": 1000, "storage": 1}, 0},
		{Resources{"cpu": 1000, "storage": 0}, 10},
		{Resources{"memory": 1}, MaxQuantity},
		{Resources{}, 0},
		{nil, 0},
	} {
		if got := free.Units(tc.unit); got != tc.want {
			t.Errorf("%v fits %d times, want %d", tc.unit, got, tc.want)
		}
	}
}

func TestBase(t *testing.T) {
	for text, want := range map[string]Resources{
		"cpu=2,memory=3Gi,storage=4Gi":            {"cpu": 2000, "memory": 3 * gib, "storage": 4 * gib},
		"cpu=2,memory=3Gi,arch=arm64":             {"cpu/arm64": 2000, "memory/arm64": 3 * gib},
		"cpu=2,memory=3Gi,gpu=nvidia-h100,gpus=2": {"cpu": 2000, "memory": 3 * gib, "gpu/nvidia-h100": 2},
		"cpu=2,memory=3Gi,gpu=nvidia-a100":        {"cpu": 2000, "memory": 3 * gib, "gpu/nvidia-a100": 1},
	} {
		if got := mustClass(t, text).Base(); !got.Equal(want) || got.validate() != nil {
			t.Errorf("a unit of %s takes %v, want %v", text, got, want)
		}
	}
}
