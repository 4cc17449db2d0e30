package market

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Kind names a base resource: something that a unit takes and nothing else can
// replace. They are cpu (milli-cores), memory and storage (bytes) and, by model,
// gpu/MODEL (cards). On an architecture other than amd64 cpu and memory are
// kinds of their own (cpu/arm64, memory/arm64), since nodes cannot be swapped.
type Kind string

// The kinds without a qualifier.
const (
	KindCPU     Kind = "cpu"
	KindMemory  Kind = "memory"
	KindStorage Kind = "storage"
)

// Resources is an amount of each kind; a kind that is missing is 0. Methods
// never change their receiver or arguments. Amounts are never negative.
type Resources map[Kind]int64

// ErrOverflow is the error of arithmetic that leaves 64 bits.
var ErrOverflow = errors.New("resources: amount overflows")

const capacityExample = "cpu=64,memory=256Gi,gpu/nvidia-h100=4"

// ParseCapacity reads what a provider has, such as
// cpu=64,memory=256Gi,storage=2Ti,gpu/nvidia-h100=4,cpu/arm64=32. The error is
// a *FieldError of the field "capacity"; amounts are not repeated in it.
func ParseCapacity(text string) (Resources, error) {
	bad := func(format string, args ...any) (Resources, error) {
		return nil, wrong("capacity", fmt.Sprintf(format, args...), capacityExample)
	}
	const limit = 4096
	if len(text) > limit {
		return bad("is longer than %d bytes", limit)
	}
	if strings.TrimSpace(text) == "" {
		return bad("is empty")
	}
	r := make(Resources)
	for part := range strings.SplitSeq(text, ",") {
		key, value, ok := strings.Cut(strings.TrimSpace(part), "=")
		if !ok {
			return bad("a part is not kind=amount")
		}
		kind := Kind(strings.ToLower(key))
		if _, twice := r[kind]; twice {
			return bad("%s stands there twice", quote(key))
		}
		amount, problem := kind.parse(value)
		if problem != "" {
			return bad("%s %s", quote(key), problem)
		}
		r[kind] = amount
	}
	return r, nil
}

func (k Kind) parse(value string) (amount int64, problem string) {
	base, qualifier, qualified := strings.Cut(string(k), "/")
	switch base {
	case "cpu", "memory":
		if qualified && (qualifier == DefaultArch || !knownArch(qualifier)) {
			return 0, "is not a kind"
		}
	case "gpu":
		if !gpuGrammar.MatchString(qualifier) || !gpuHasLetter.MatchString(qualifier) {
			return 0, "does not name a GPU model"
		}
	case "storage":
		if qualified {
			return 0, "is not a kind"
		}
	default:
		return 0, "is not a kind"
	}
	if base == "cpu" {
		return parseCPU(value, maxPool)
	}
	return parseWhole(value, maxPool)
}

// String lists the kinds in order, as ParseCapacity reads them. Capacity is
// private: not for errors or logs.
func (r Resources) String() string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(r)) {
		if r[k] != 0 {
			parts = append(parts, string(k)+"="+k.Format(r[k]))
		}
	}
	return strings.Join(parts, ",")
}

// Format writes an amount of the kind as Kubernetes would: 1500m, 64Gi, 4.
func (k Kind) Format(amount int64) string {
	switch base, _, _ := strings.Cut(string(k), "/"); base {
	case "cpu":
		return formatCPU(amount)
	case "gpu":
		return strconv.FormatInt(amount, 10)
	default:
		return formatBytes(amount)
	}
}

// Plus adds; ErrOverflow if a sum leaves 64 bits.
func (r Resources) Plus(o Resources) (Resources, error) {
	sum := make(Resources, len(r)+len(o))
	maps.Copy(sum, r)
	for k, n := range o {
		if sum[k] > math.MaxInt64-n {
			return nil, ErrOverflow
		}
		sum[k] += n
	}
	return sum, nil
}

// Less subtracts and stops at 0.
func (r Resources) Less(o Resources) Resources {
	rest := make(Resources, len(r))
	for k, n := range r {
		rest[k] = max(0, n-o[k])
	}
	return rest
}

// Times multiplies by a number of units; ErrOverflow if it leaves 64 bits.
func (r Resources) Times(q Quantity) (Resources, error) {
	product := make(Resources, len(r))
	for k, n := range r {
		if q != 0 && n > math.MaxInt64/int64(q) {
			return nil, ErrOverflow
		}
		product[k] = n * int64(q)
	}
	return product, nil
}

// Most is the larger of each kind.
func (r Resources) Most(o Resources) Resources {
	most := make(Resources, len(r)+len(o))
	maps.Copy(most, r)
	for k, n := range o {
		most[k] = max(most[k], n)
	}
	return most
}

// Units says how many times unit fits into r, up to MaxQuantity. A unit of
// nothing fits 0 times.
func (r Resources) Units(unit Resources) Quantity {
	fits, some := int64(MaxQuantity), false
	for k, n := range unit {
		if n > 0 {
			some = true
			fits = min(fits, r[k]/n)
		}
	}
	if !some {
		return 0
	}
	return Quantity(max(0, fits))
}

// Equal compares amounts; a missing kind equals 0.
func (r Resources) Equal(o Resources) bool {
	for k, n := range r {
		if o[k] != n {
			return false
		}
	}
	for k, n := range o {
		if r[k] != n {
			return false
		}
	}
	return true
}

// validate says whether every kind and amount is one that ParseCapacity takes,
// or 0.
func (r Resources) validate() error {
	for k, n := range r {
		if _, problem := k.parse("1"); problem != "" {
			return wrong("capacity", quote(string(k))+" "+problem, capacityExample)
		}
		if n < 0 || n > maxPool {
			return wrong("capacity", quote(string(k))+" is out of range", capacityExample)
		}
	}
	return nil
}

// Base is what one unit of c takes from the pool.
func (c Class) Base() Resources {
	cpu, memory := KindCPU, KindMemory
	if c.Arch != DefaultArch {
		cpu, memory = KindCPU+Kind("/"+c.Arch), KindMemory+Kind("/"+c.Arch)
	}
	r := Resources{cpu: c.CPU, memory: c.Memory}
	if c.Storage > 0 {
		r[KindStorage] = c.Storage
	}
	if c.GPUs > 0 {
		r[Kind("gpu/"+c.GPU)] = c.GPUs
	}
	return r
}
