package market

import (
	"fmt"
	"regexp"
	"strings"
)

// Class is the public unit that is traded. Classes are comparable: two that are
// equal have equal text and the other way round. The zero Class is not valid.
//
// Canonical text is key=value, joined by commas, keys sorted, amounts as
// Kubernetes writes them, defaults written out:
//
//	arch=amd64,cpu=1,currency=USD,memory=1Gi
//	arch=amd64,cpu=8,currency=USD,gpu=nvidia-h100,gpus=1,memory=32Gi
//
// A GPU's model and count are two keys: gpu names the model, an attribute as
// arch is one, gpus counts cards a unit and is 1 unless written. That way a
// model is never hidden under a shared count, and gpu=2 is an error.
type Class struct {
	CPU     int64 // milli-cores a unit, ≥ 1
	Memory  int64 // bytes a unit, ≥ 1
	Storage int64 // bytes a unit; 0: none
	GPUs    int64 // cards a unit; 0 if and only if GPU is empty

	Arch     string // Kubernetes name: amd64 (the default), arm64, …
	GPU      string // model, such as nvidia-h100; empty: none
	Currency string // that prices are in: USD (the default), EUR, …
}

// Attribute values that a class has unless it says otherwise.
const (
	DefaultArch     = "amd64"
	DefaultCurrency = "USD"
)

// maxClassText bounds what ParseClass looks at; canonical texts are shorter.
const maxClassText = 256

const (
	classExample    = "cpu=1,memory=1Gi"
	gpuClassExample = "cpu=8,memory=32Gi,gpu=nvidia-h100"
)

var (
	arches          = []string{"386", "amd64", "arm", "arm64", "ppc64le", "riscv64", "s390x"}
	gpuGrammar      = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]{0,46}[a-z0-9])?$`)
	gpuHasLetter    = regexp.MustCompile(`[a-z]`)
	currencyGrammar = regexp.MustCompile(`^[A-Z][A-Z0-9]{2,7}$`)
)

// ParseClass reads a class in any order of keys, with blanks around commas, and
// in any Kubernetes spelling of an amount; cpu and memory are required. Names
// are folded (arch and gpu to lower case, currency to upper). The error is a
// *FieldError of the field "class" with a valid example.
func ParseClass(text string) (Class, error) {
	bad := func(format string, args ...any) (Class, error) {
		return Class{}, wrong("class", fmt.Sprintf(format, args...), classExample)
	}
	if len(text) > maxClassText {
		return bad("is longer than %d bytes", maxClassText)
	}
	if strings.TrimSpace(text) == "" {
		return bad("is empty")
	}
	c := Class{Arch: DefaultArch, Currency: DefaultCurrency}
	seen := make(map[string]bool)
	for part := range strings.SplitSeq(text, ",") {
		key, value, ok := strings.Cut(strings.TrimSpace(part), "=")
		if !ok {
			return bad("%s is not key=value", quote(part))
		}
		if seen[key] {
			return bad("%s stands there twice", quote(key))
		}
		seen[key] = true
		if err := c.set(key, value); err != nil {
			return Class{}, err
		}
	}
	if c.GPU != "" && !seen["gpus"] {
		c.GPUs = 1
	}
	if err := c.Validate(); err != nil {
		return Class{}, err
	}
	return c, nil
}

// set takes one key. The amounts of a class are public, so errors may quote.
func (c *Class) set(key, value string) error {
	var problem string
	example := classExample
	switch key {
	case "cpu":
		c.CPU, problem = parseCPU(value, maxUnitCPU)
	case "memory":
		c.Memory, problem = parseWhole(value, maxUnitBytes)
	case "storage":
		c.Storage, problem = parseWhole(value, maxUnitBytes)
		example += ",storage=10Gi"
	case "gpus":
		c.GPUs, problem = parseWhole(value, maxUnitGPUs)
		example = gpuClassExample + ",gpus=2"
	case "gpu":
		c.GPU, example = strings.ToLower(value), gpuClassExample
		if value == "" {
			problem = "is empty"
		}
	case "arch":
		c.Arch = strings.ToLower(value)
	case "currency":
		c.Currency = strings.ToUpper(value)
	default:
		return wrong("class", fmt.Sprintf("unknown key %s (there are cpu, memory, storage, gpu, gpus, arch, currency)", quote(key)), classExample)
	}
	if problem != "" {
		return wrong("class", fmt.Sprintf("%s=%s %s", key, quote(value), problem), example)
	}
	return nil
}

// Validate says whether c is a class that ParseClass could have returned. The
// error is a *FieldError of the field "class".
func (c Class) Validate() error {
	problem, example := "", classExample
	switch {
	case c.CPU == 0:
		problem = "has no cpu"
	case c.CPU < 0 || c.CPU > maxUnitCPU:
		problem = "cpu is out of range"
	case c.Memory == 0:
		problem = "has no memory"
	case c.Memory < 0 || c.Memory > maxUnitBytes:
		problem = "memory is out of range"
	case c.Storage < 0 || c.Storage > maxUnitBytes:
		problem = "storage is out of range"
	case !knownArch(c.Arch):
		problem, example = "unknown arch "+quote(c.Arch)+" (there are "+strings.Join(arches, ", ")+")", "arch=amd64,"+classExample
	case !currencyGrammar.MatchString(c.Currency):
		problem, example = "currency "+quote(c.Currency)+" is not 3 to 8 capital letters", "currency=EUR,"+classExample
	case c.GPU == "" && c.GPUs != 0:
		problem, example = "gpus needs the model in gpu", gpuClassExample+",gpus=2"
	case c.GPU != "" && (!gpuGrammar.MatchString(c.GPU) || !gpuHasLetter.MatchString(c.GPU)):
		problem, example = "gpu "+quote(c.GPU)+" is not a model (the count goes into gpus)", gpuClassExample
	case c.GPU != "" && (c.GPUs < 1 || c.GPUs > maxUnitGPUs):
		problem, example = "gpus is out of range", gpuClassExample+",gpus=2"
	default:
		return nil
	}
	return wrong("class", problem, example)
}

func knownArch(arch string) bool {
	for _, a := range arches {
		if a == arch {
			return true
		}
	}
	return false
}

// String is the canonical text, which is hashed into the DHT key. It is the
// inverse of ParseClass for every valid class; for the zero Class it is empty.
func (c Class) String() string {
	if c == (Class{}) {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "arch=%s,cpu=%s,currency=%s", c.Arch, formatCPU(c.CPU), c.Currency)
	if c.GPU != "" {
		fmt.Fprintf(&b, ",gpu=%s,gpus=%d", c.GPU, c.GPUs)
	}
	fmt.Fprintf(&b, ",memory=%s", formatBytes(c.Memory))
	if c.Storage != 0 {
		fmt.Fprintf(&b, ",storage=%s", formatBytes(c.Storage))
	}
	return b.String()
}

// MarshalText is String of a valid class.
func (c Class) MarshalText() ([]byte, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return []byte(c.String()), nil
}

// UnmarshalText is ParseClass.
func (c *Class) UnmarshalText(text []byte) error {
	parsed, err := ParseClass(string(text))
	if err != nil {
		return err
	}
	*c = parsed
	return nil
}
