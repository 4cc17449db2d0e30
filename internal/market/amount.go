package market

import (
	"regexp"

	"k8s.io/apimachinery/pkg/api/resource"
)

// Largest amounts of one unit. They are generous, and small enough that a unit
// times 65,535 stays below 2^62.
const (
	maxUnitCPU   = 1_000_000_000 // milli-cores: a million cores
	maxUnitBytes = 1 << 46       // 64 Ti
	maxUnitGPUs  = 1024
)

// maxPool bounds one kind in a declared capacity.
const maxPool = 1 << 62

// amountGrammar is what Kubernetes writes and people type. It is narrower than
// resource.ParseQuantity, which also takes signs and exponents of any length
// (a few bytes of input that cost gigabytes of integer to compare).
var amountGrammar = regexp.MustCompile(`^[0-9]{1,18}(\.[0-9]{1,9})?([numkMGTPE]|[KMGTPE]i|[eE][0-9]{1,2})?$`)

// parseCPU returns milli-cores, in 1 … max.
func parseCPU(text string, max int64) (amount int64, problem string) {
	q, problem := parseAmount(text, *resource.NewMilliQuantity(max, resource.DecimalSI))
	if problem != "" {
		return 0, problem
	}
	milli := q.MilliValue()
	if q.Cmp(*resource.NewMilliQuantity(milli, resource.DecimalSI)) != 0 {
		return 0, "is finer than a thousandth of a core"
	}
	return milli, ""
}

// parseWhole returns a number of bytes or of things, in 1 … max.
func parseWhole(text string, max int64) (amount int64, problem string) {
	q, problem := parseAmount(text, *resource.NewQuantity(max, resource.BinarySI))
	if problem != "" {
		return 0, problem
	}
	whole := q.Value()
	if q.Cmp(*resource.NewQuantity(whole, resource.BinarySI)) != 0 {
		return 0, "is not a whole number"
	}
	return whole, ""
}

func parseAmount(text string, max resource.Quantity) (q resource.Quantity, problem string) {
	if len(text) > 1 && text[0] == '-' {
		return q, "must not be negative"
	}
	if !amountGrammar.MatchString(text) {
		return q, "is not a Kubernetes quantity"
	}
	q, err := resource.ParseQuantity(text)
	switch {
	case err != nil:
		return q, "is not a Kubernetes quantity"
	case q.Sign() == 0:
		return q, "must be more than 0"
	case q.Cmp(max) > 0:
		return q, "is too large"
	}
	return q, ""
}

// formatCPU writes milli-cores as Kubernetes does: 1, 200m, 1500m.
func formatCPU(milli int64) string {
	return resource.NewMilliQuantity(milli, resource.DecimalSI).String()
}

// formatBytes writes bytes as Kubernetes does: 1Gi, 1536Mi, 1000000000.
func formatBytes(n int64) string {
	return resource.NewQuantity(n, resource.BinarySI).String()
}
