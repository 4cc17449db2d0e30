package market

import (
	"regexp"
	"strconv"
	"strings"
)

// Size is what a person types: totals, each a Kubernetes quantity, empty if
// left out. The amounts are secrets.
type Size struct {
	CPU    string // total vCPUs: 32, 1500m
	Memory string // total memory: 64Gi; left out: 1 Gi a vCPU
	GPU    string // MODEL or MODEL=COUNT: nvidia-h100=2

	Arch     string // left out: amd64
	Currency string // left out: USD
}

var gpuSizeGrammar = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9.-]*)(?:=([0-9]+))?$`)

// sized is a parsed Size.
type sized struct {
	milli, bytes, cards int64
	class               Class // attributes only
}

// Shape turns the size of a request into a class and a quantity, rounding up:
//
//   - Fractional vCPUs round up; cpu left out is one vCPU (a GPU).
//   - Memory a vCPU rounds up to 1, 2, 4 or 8 Gi. Above 8 Gi the quantity rises
//     until 8 Gi a vCPU are enough: 1 cpu and 16Gi are 2 × (1 cpu, 8Gi).
//   - With GPUs the unit is one card with its share of the vCPUs, rounded up to
//     1, 2, 4 … 64, and memory a vCPU as above; above 8 Gi the vCPUs rise, the
//     quantity being the number of cards.
//
// The class is always a standard one. Errors are *FieldErrors of the fields
// cpu, memory, gpu, arch, currency; they do not repeat amounts.
func Shape(s Size) (Class, Quantity, error) {
	z, err := s.parse()
	if err != nil {
		return Class{}, 0, err
	}
	if z.cards > 0 {
		return z.shapeCards()
	}
	units := max(1, ceil(z.milli, 1000))
	perUnit := memoryRungs[0]
	if z.bytes > 0 {
		top := memoryRungs[len(memoryRungs)-1]
		units = max(units, ceil(z.bytes, top))
		perUnit = rungAbove(memoryRungs, ceil(z.bytes, units))
	}
	if units > int64(MaxQuantity) {
		return Class{}, 0, z.tooMany(ceil(z.milli, 1000) <= int64(MaxQuantity))
	}
	c := z.class
	c.CPU, c.Memory = 1000, perUnit
	return c, Quantity(units), nil
}

func (z sized) shapeCards() (Class, Quantity, error) {
	cpus := max(1, ceil(ceil(z.milli, z.cards), 1000))
	bytes := ceil(z.bytes, z.cards)
	cpus = max(cpus, ceil(bytes, memoryRungs[len(memoryRungs)-1]))
	if top := gpuCPURungs[len(gpuCPURungs)-1]; cpus > top {
		const problem = "is more than 64 vCPUs with 8Gi each beside one GPU (for more, name a unit such as cpu=96,memory=1Ti,gpu=nvidia-h100)"
		if ceil(ceil(z.milli, z.cards), 1000) <= top {
			return Class{}, 0, wrong("memory", problem, "64Gi")
		}
		return Class{}, 0, wrong("cpu", problem, "16")
	}
	cpus = rungAbove(gpuCPURungs, cpus)
	c := z.class
	c.CPU, c.Memory, c.GPUs = cpus*1000, cpus*rungAbove(memoryRungs, ceil(bytes, cpus)), 1
	return c, Quantity(z.cards), nil
}

// ShapeOffer turns the size of an offer into a unit and a ceiling, rounding
// down, so that ceiling × unit is never more than what stands there: 10 vCPUs
// and 15Gi are 10 × (1 cpu, 1Gi); 10 vCPUs and 5Gi are 5 × (1 cpu, 1Gi). Memory
// left out is 1 Gi a vCPU; cpu left out is an error. With GPUs the unit is one
// card and the largest standard share that fits. Errors as Shape's.
func ShapeOffer(s Size) (Class, Quantity, error) {
	z, err := s.parse()
	if err != nil {
		return Class{}, 0, err
	}
	if z.milli == 0 {
		return Class{}, 0, wrong("cpu", "is missing: an offer says how many vCPUs it has", "10")
	}
	cards := max(1, z.cards)
	cpus := z.milli / cards / 1000
	if cpus == 0 {
		if z.cards > 0 {
			return Class{}, 0, wrong("cpu", "is less than one vCPU a GPU", "8")
		}
		return Class{}, 0, wrong("cpu", "is less than one vCPU (for less, name a unit such as cpu=500m,memory=1Gi)", "1")
	}
	bytes := z.bytes / cards
	if z.bytes == 0 {
		bytes = cpus * memoryRungs[0]
	}
	cpus = min(cpus, bytes/memoryRungs[0])
	if cpus == 0 {
		return Class{}, 0, wrong("memory", "is less than 1Gi for one vCPU (for less, name a unit such as cpu=1,memory=512Mi)", "1Gi")
	}
	c := z.class
	if z.cards > 0 {
		cpus = rungBelow(gpuCPURungs, cpus)
		c.CPU, c.Memory, c.GPUs = cpus*1000, cpus*rungBelow(memoryRungs, bytes/cpus), 1
		return c, Quantity(z.cards), nil
	}
	if cpus > int64(MaxQuantity) {
		return Class{}, 0, z.tooMany(false)
	}
	c.CPU, c.Memory = 1000, rungBelow(memoryRungs, bytes/cpus)
	return c, Quantity(cpus), nil
}

func (z sized) tooMany(memory bool) error {
	if memory {
		return wrong("memory", "is more than 65535 units (name a larger unit, such as cpu=8,memory=64Gi)", "64Gi")
	}
	return wrong("cpu", "is more than 65535 units (name a larger unit, such as cpu=8,memory=8Gi)", "32")
}

func (s Size) parse() (sized, error) {
	z := sized{class: Class{Arch: DefaultArch, Currency: DefaultCurrency}}
	if s.CPU == "" && s.Memory == "" && s.GPU == "" {
		return z, wrong("cpu", "is missing", "32")
	}
	if s.Arch != "" {
		z.class.Arch = strings.ToLower(s.Arch)
		if !knownArch(z.class.Arch) {
			return z, wrong("arch", quote(s.Arch)+" is not one of "+strings.Join(arches, ", "), DefaultArch)
		}
	}
	if s.Currency != "" {
		z.class.Currency = strings.ToUpper(s.Currency)
		if !currencyGrammar.MatchString(z.class.Currency) {
			return z, wrong("currency", quote(s.Currency)+" is not 3 to 8 letters", DefaultCurrency)
		}
	}
	var problem string
	if s.CPU != "" {
		if z.milli, problem = parseCPU(s.CPU, maxPool); problem != "" {
			return z, wrong("cpu", problem, "32")
		}
	}
	if s.Memory != "" {
		if z.bytes, problem = parseWhole(s.Memory, maxPool); problem != "" {
			return z, wrong("memory", problem, "64Gi")
		}
	}
	if s.GPU != "" {
		if problem = z.setGPU(s.GPU); problem != "" {
			return z, wrong("gpu", problem, "nvidia-h100=2")
		}
	}
	return z, nil
}

func (z *sized) setGPU(text string) (problem string) {
	m := gpuSizeGrammar.FindStringSubmatch(text)
	if m == nil {
		return "is not MODEL or MODEL=COUNT"
	}
	z.class.GPU = strings.ToLower(m[1])
	if !gpuGrammar.MatchString(z.class.GPU) || !gpuHasLetter.MatchString(z.class.GPU) {
		return "does not name a GPU model"
	}
	z.cards = 1
	if m[2] != "" {
		n, err := strconv.ParseUint(m[2], 10, 16)
		if err != nil {
			return "is more than 65535 GPUs"
		}
		if n == 0 {
			return "must be more than 0"
		}
		z.cards = int64(n)
	}
	return ""
}

// ceil is n/d rounded up, for n ≥ 0, d ≥ 1 and no n near 2^63.
func ceil(n, d int64) int64 {
	q := n / d
	if n%d != 0 {
		q++
	}
	return q
}

// rungAbove is the lowest rung that is at least n, or the top one.
func rungAbove(rungs []int64, n int64) int64 {
	for _, r := range rungs {
		if r >= n {
			return r
		}
	}
	return rungs[len(rungs)-1]
}

// rungBelow is the highest rung that is at most n, or the lowest one.
func rungBelow(rungs []int64, n int64) int64 {
	best := rungs[0]
	for _, r := range rungs {
		if r <= n {
			best = r
		}
	}
	return best
}
