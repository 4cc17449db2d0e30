package market

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestShape(t *testing.T) {
	for _, tc := range []struct {
		size Size
		want string
		n    Quantity
	}{
		{Size{CPU: "32", Memory: "64Gi"}, "cpu=1,memory=2Gi", 32},
		{Size{CPU: "32"}, "cpu=1,memory=1Gi", 32}, // "--memory left out means 1 Gi a vCPU"
		{Size{CPU: "1", Memory: "16Gi"}, "cpu=1,memory=8Gi", 2},
		{Size{CPU: "1", Memory: "8Gi"}, "cpu=1,memory=8Gi", 1},
		{Size{CPU: "1", Memory: "8193Mi"}, "cpu=1,memory=8Gi", 2},
		{Size{CPU: "10", Memory: "81Gi"}, "cpu=1,memory=8Gi", 11},
		{Size{CPU: "10", Memory: "15Gi"}, "cpu=1,memory=2Gi", 10}, // "rounds up to 1, 2, 4 or 8 Gi"
		{Size{CPU: "10", Memory: "10Gi"}, "cpu=1,memory=1Gi", 10},
		{Size{CPU: "10", Memory: "1"}, "cpu=1,memory=1Gi", 10},
		{Size{CPU: "4", Memory: "12Gi"}, "cpu=1,memory=4Gi", 4},
		{Size{CPU: "1500m"}, "cpu=1,memory=1Gi", 2}, // "fractional CPUs round up"
		{Size{CPU: "0.001"}, "cpu=1,memory=1Gi", 1},
		{Size{Memory: "3Gi"}, "cpu=1,memory=4Gi", 1},
		{Size{CPU: "65535"}, "cpu=1,memory=1Gi", 65535},
		{Size{CPU: "2", Arch: "ARM64", Currency: "eur"}, "cpu=1,memory=1Gi,arch=arm64,currency=EUR", 2},
		// "With GPUs the unit is one GPU plus its rounded cpu and memory."
		{Size{GPU: "nvidia-h100=2", CPU: "16", Memory: "64Gi"}, "cpu=8,memory=32Gi,gpu=nvidia-h100", 2},
		{Size{GPU: "nvidia-h100=3", CPU: "16", Memory: "64Gi"}, "cpu=8,memory=32Gi,gpu=nvidia-h100", 3},
		{Size{GPU: "A100"}, "cpu=1,memory=1Gi,gpu=a100", 1},
		{Size{GPU: "a100", CPU: "5"}, "cpu=8,memory=8Gi,gpu=a100", 1},
		{Size{GPU: "a100", CPU: "1", Memory: "24Gi"}, "cpu=4,memory=32Gi,gpu=a100", 1},
	} {
		c, q, err := Shape(tc.size)
		if want := mustClass(t, tc.want); err != nil || c != want || q != tc.n {
			t.Errorf("Shape(%+v) = %d × %s, %v; want %d × %s", tc.size, q, c, err, tc.n, want)
		}
		if !slices.Contains(c.Standard(), c) {
			t.Errorf("Shape(%+v): %s is not a standard class", tc.size, c)
		}
	}
}

func TestShapeOffer(t *testing.T) {
	for _, tc := range []struct {
		size Size
		want string
		n    Quantity
	}{
		{Size{CPU: "10"}, "cpu=1,memory=1Gi", 10},
		{Size{CPU: "40", Memory: "80Gi"}, "cpu=1,memory=2Gi", 40},
		{Size{CPU: "10", Memory: "15Gi"}, "cpu=1,memory=1Gi", 10},
		{Size{CPU: "10", Memory: "5Gi"}, "cpu=1,memory=1Gi", 5},
		{Size{CPU: "10", Memory: "500Gi"}, "cpu=1,memory=8Gi", 10},
		{Size{CPU: "10500m"}, "cpu=1,memory=1Gi", 10},
		{Size{CPU: "20", Memory: "70Gi", GPU: "a100=2"}, "cpu=8,memory=32Gi,gpu=a100", 2},
	} {
		c, q, err := ShapeOffer(tc.size)
		if want := mustClass(t, tc.want); err != nil || c != want || q != tc.n {
			t.Errorf("ShapeOffer(%+v) = %d × %s, %v; want %d × %s", tc.size, q, c, err, tc.n, want)
		}
	}
}

func TestShapeRefuses(t *testing.T) {
	for _, tc := range []struct {
		size    Size
		field   string
		problem string
	}{
		{Size{}, "cpu", "is missing"},
		{Size{CPU: "0"}, "cpu", "must be more than 0"},
		{Size{CPU: "-54321"}, "cpu", "must not be negative"},
		{Size{CPU: "54321x"}, "cpu", "not a Kubernetes quantity"},
		{Size{CPU: "65536"}, "cpu", "more than 65535 units"},
		{Size{CPU: "54321000000000000000"}, "cpu", "not a Kubernetes quantity"},
		{Size{CPU: "1", Memory: "0"}, "memory", "must be more than 0"},
		{Size{CPU: "1", Memory: "543210Ti"}, "memory", "more than 65535 units"},
		{Size{CPU: "1", Memory: "0.5"}, "memory", "not a whole number"},
		{Size{CPU: "1", Memory: "5Ei"}, "memory", "too large"},
		{Size{GPU: "54321"}, "gpu", "does not name a GPU model"},
		{Size{GPU: "a100=0"}, "gpu", "must be more than 0"},
		{Size{GPU: "a100=65536"}, "gpu", "more than 65535 GPUs"},
		{Size{GPU: "a100=-2"}, "gpu", "not MODEL or MODEL=COUNT"},
		{Size{GPU: "a100", CPU: "54321"}, "cpu", "more than 64 vCPUs"},
		{Size{GPU: "a100", CPU: "1", Memory: "54321Gi"}, "memory", "more than 64 vCPUs"},
		{Size{CPU: "1", Arch: "vax"}, "arch", "is not one of"},
		{Size{CPU: "1", Currency: "$"}, "currency", "3 to 8 letters"},
	} {
		_, q, err := Shape(tc.size)
		var f *FieldError
		if !errors.As(err, &f) || f.Field != tc.field || !strings.Contains(f.Problem, tc.problem) || f.Example == "" || q != 0 {
			t.Errorf("Shape(%+v): %v; want field %s, %q", tc.size, err, tc.field, tc.problem)
			continue
		}
		if strings.Contains(err.Error(), "54321") {
			t.Errorf("Shape(%+v) tells what was asked for: %v", tc.size, err)
		}
		checkExample(t, f)
	}
	for _, tc := range []struct {
		size  Size
		field string
	}{
		{Size{Memory: "5Gi"}, "cpu"}, {Size{CPU: "500m"}, "cpu"}, {Size{CPU: "4", Memory: "512Mi"}, "memory"},
		{Size{CPU: "1", GPU: "a100=2"}, "cpu"}, {Size{CPU: "65536"}, "cpu"},
	} {
		var f *FieldError
		if _, _, err := ShapeOffer(tc.size); !errors.As(err, &f) || f.Field != tc.field {
			t.Errorf("ShapeOffer(%+v): %v; want field %s", tc.size, err, tc.field)
		} else {
			checkExample(t, f)
		}
	}
}

// checkExample puts the example of an error where the error says.
func checkExample(t *testing.T, f *FieldError) {
	t.Helper()
	s := Size{CPU: "1"}
	field := map[string]*string{"cpu": &s.CPU, "memory": &s.Memory, "gpu": &s.GPU, "arch": &s.Arch, "currency": &s.Currency}[f.Field]
	if field == nil {
		t.Fatalf("%v names no field of a size", f)
	}
	*field = f.Example
	if _, _, err := Shape(s); err != nil {
		t.Errorf("the example of %q is refused: %v", f, err)
	}
}

// A request gets at least what it named, an offer gives at most that.
func FuzzShape(f *testing.F) {
	f.Add("32", "64Gi", "")
	f.Add("0.5", "", "")
	f.Add("", "17Gi", "")
	f.Add("63", "511Gi", "a100=3")
	f.Add("1e5", "1", "")
	f.Fuzz(func(t *testing.T, cpu, memory, gpu string) {
		s := Size{CPU: cpu, Memory: memory, GPU: gpu}
		z, err := s.parse()
		if err != nil {
			if !errors.As(err, new(*FieldError)) {
				t.Fatalf("%+v: %v", s, err)
			}
			return
		}
		if c, q, err := Shape(s); err == nil {
			if c.CPU*int64(q) < z.milli || c.Memory*int64(q) < z.bytes || c.GPUs*int64(q) < z.cards || c.Validate() != nil || !slices.Contains(c.Standard(), c) {
				t.Fatalf("Shape(%+v) = %d × %s is too little or not standard", s, q, c)
			}
		}
		if c, q, err := ShapeOffer(s); err == nil {
			if c.CPU*int64(q) > z.milli || (z.bytes > 0 && c.Memory*int64(q) > z.bytes) || c.GPUs*int64(q) > max(z.cards, 0) || q == 0 || c.Validate() != nil {
				t.Fatalf("ShapeOffer(%+v) = %d × %s is more than there is", s, q, c)
			}
		}
	})
}
