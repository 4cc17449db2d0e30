package manifest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
)

// A GPU says how a cluster knows one model of accelerator. A quota counts cards and cannot tell models apart: it is the
// labels that do, and policy.go holds pods to them.
type GPU struct {
	Resource corev1.ResourceName // what pods ask for, an extended resource such as nvidia.com/gpu
	Nodes    map[string]string   // labels, at least one, that the nodes with this model have and no others
}

// A GPUMap says, for each model that can be leased, how the cluster knows it.
type GPUMap map[string]GPU

// What a map may hold at most.
const (
	maxModels    = 64
	maxNodeTerms = 16
	maxModelName = 48
)

var errGPUEntry = errors.New("want MODEL=RESOURCE;LABEL=VALUE, for example --gpu-map 'nvidia-h100=nvidia.com/gpu;gpu.product=NVIDIA-H100-80GB-HBM3'")

// ParseGPUMap reads entries of the form MODEL=RESOURCE;LABEL=VALUE[;LABEL=VALUE]…, where MODEL is what a class calls it,
// folded to lower case. Two models that the cluster could not tell apart are an error. Errors name the flag --gpu-map.
func ParseGPUMap(entries []string) (GPUMap, error) {
	if len(entries) > maxModels {
		return nil, fmt.Errorf("--gpu-map: more than %d models", maxModels)
	}
	m := GPUMap{}
	for _, entry := range entries {
		model, gpu, err := parseGPU(entry)
		if err != nil {
			return nil, fmt.Errorf("--gpu-map %q: %w; %w", entry, err, errGPUEntry)
		}
		if _, twice := m[model]; twice {
			return nil, fmt.Errorf("--gpu-map %q: %s is there twice", entry, model)
		}
		for other, known := range m {
			if known.Resource == gpu.Resource && maps.Equal(known.Nodes, gpu.Nodes) {
				return nil, fmt.Errorf("--gpu-map %q: cannot be told apart from %s: it has the same resource and labels", entry, other)
			}
		}
		m[model] = gpu
	}
	return m, nil
}

func parseGPU(entry string) (model string, gpu GPU, err error) {
	terms := strings.Split(entry, ";")
	model, kind, ok := strings.Cut(terms[0], "=")
	model = strings.ToLower(model)
	switch {
	case !ok:
		return "", GPU{}, errors.New("no resource")
	case len(model) > maxModelName || len(validation.IsDNS1123Subdomain(model)) > 0:
		return "", GPU{}, errors.New("the model is not of a-z 0-9 . -")
	case len(terms) == 1:
		return "", GPU{}, errors.New("no label of nodes, and a quota alone cannot tell models apart")
	case len(terms) > maxNodeTerms+1:
		return "", GPU{}, errors.New("too many labels")
	}
	gpu = GPU{Resource: corev1.ResourceName(kind), Nodes: map[string]string{}}
	for _, term := range terms[1:] {
		label, value, ok := strings.Cut(term, "=")
		if _, twice := gpu.Nodes[label]; !ok || twice {
			return "", GPU{}, fmt.Errorf("%q is not one LABEL=VALUE", term)
		}
		gpu.Nodes[label] = value
	}
	return model, gpu, gpu.validate()
}

// validate checks that the cluster can be asked for it.
func (g GPU) validate() error {
	if err := checkExtended(g.Resource); err != nil {
		return err
	}
	if len(g.Nodes) == 0 {
		return errors.New("no label of nodes")
	}
	for label, value := range g.Nodes {
		if problems := validation.IsQualifiedName(label); len(problems) > 0 {
			return fmt.Errorf("label %q: %s", label, problems[0])
		}
		if problems := validation.IsValidLabelValue(value); value == "" || len(problems) > 0 {
			return fmt.Errorf("label %s: %q is not a value of a label", label, value)
		}
	}
	return nil
}

// checkExtended accepts the name of an extended resource.
func checkExtended(name corev1.ResourceName) error {
	if domain, _, extended := strings.Cut(string(name), "/"); !extended || strings.HasSuffix(domain, "kubernetes.io") {
		return fmt.Errorf("unknown resource %q (an extended one has a domain, such as nvidia.com/gpu)", name)
	}
	if problems := validation.IsQualifiedName("requests." + string(name)); len(problems) > 0 {
		return fmt.Errorf("resource %q: %s", name, problems[0])
	}
	return nil
}

// Entries returns the map in the form that ParseGPUMap reads, sorted.
func (m GPUMap) Entries() []string {
	entries := make([]string, 0, len(m))
	for _, model := range slices.Sorted(maps.Keys(m)) {
		gpu := m[model]
		entries = append(entries, model+"="+string(gpu.Resource)+";"+gpu.terms(";"))
	}
	return entries
}

// terms returns the labels as LABEL=VALUE, sorted. None of its letters is a separator.
func (g GPU) terms(separator string) string {
	terms := make([]string, 0, len(g.Nodes))
	for _, label := range slices.Sorted(maps.Keys(g.Nodes)) {
		terms = append(terms, label+"="+g.Nodes[label])
	}
	return strings.Join(terms, separator)
}
