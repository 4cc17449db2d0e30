package manifest

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

const (
	h100 = "nvidia-h100=nvidia.com/gpu;gpu.product=NVIDIA-H100-80GB-HBM3"
	a100 = "nvidia-a100=nvidia.com/gpu;nvidia.com/gpu.memory=81920;nvidia.com/gpu.product=NVIDIA-A100-SXM4-80GB"
)

func TestParseGPUMap(t *testing.T) {
	m, err := ParseGPUMap([]string{h100, "NVIDIA-A100=nvidia.com/gpu;nvidia.com/gpu.product=NVIDIA-A100-SXM4-80GB;nvidia.com/gpu.memory=81920"})
	if err != nil {
		t.Fatal(err)
	}
	if got := m["nvidia-h100"]; got.Resource != "nvidia.com/gpu" || !maps.Equal(got.Nodes, map[string]string{"gpu.product": "NVIDIA-H100-80GB-HBM3"}) {
		t.Errorf("%+v", got)
	}
	if got := m.Entries(); !slices.Equal(got, []string{a100, h100}) {
		t.Errorf("%q", got)
	}
	for want, entries := range map[string][]string{
		"no resource":                 {"nvidia-h100"},
		"the model is not":            {"a b=nvidia.com/gpu;x=y"},
		"cannot tell models apart":    {"nvidia-h100=nvidia.com/gpu"},
		`unknown resource "gpu"`:      {"nvidia-h100=gpu;x=y"},
		`unknown resource "cpu"`:      {"nvidia-h100=cpu;x=y"},
		"unknown resource \"kubernet": {"nvidia-h100=kubernetes.io/x;x=y"},
		`"x" is not one LABEL=VALUE`:  {"nvidia-h100=nvidia.com/gpu;x"},
		`"x=z" is not one LABEL`:      {"nvidia-h100=nvidia.com/gpu;x=y;x=z"},
		"is not a value of a label":   {"nvidia-h100=nvidia.com/gpu;x="},
		`label "a b"`:                 {"nvidia-h100=nvidia.com/gpu;a b=c"},
		"is there twice":              {h100, h100},
		"cannot be told apart from":   {h100, strings.Replace(h100, "h100", "h200", 1)},
		"more than 64":                make([]string, 65),
		"too many labels":             {h100 + strings.Repeat(";x=y", 20)},
		"for example --gpu-map 'nvid": {""},
	} {
		if _, err := ParseGPUMap(entries); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "--gpu-map") {
			t.Errorf("%q: want %q, got %v", entries, want, err)
		}
	}
}

// What is read is written in one form, and means the same.
func FuzzParseGPUMap(f *testing.F) {
	for _, seed := range []string{h100, a100, h100 + "\n" + a100, "", "=;=", "a=b/c;d=e;f", "a=b/c;=x", "a=B/c;d=e=f", "a=b/c,d;e=f,g"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := ParseGPUMap(strings.Split(text, "\n"))
		if err != nil {
			return
		}
		again, err := ParseGPUMap(m.Entries())
		if err != nil || !slices.Equal(again.Entries(), m.Entries()) {
			t.Fatalf("%q: %v, %q", text, err, m.Entries())
		}
		for _, gpu := range m {
			// The policy in the cluster takes the terms apart at these.
			for _, term := range strings.Split(gpu.terms(","), ",") {
				if label, value, ok := strings.Cut(term, "="); !ok || gpu.Nodes[label] != value || strings.Contains(value, "=") {
					t.Fatalf("%q: %q", text, term)
				}
			}
		}
	})
}
