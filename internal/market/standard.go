package market

import "slices"

const gib = 1 << 30

// memoryRungs are the standard amounts of memory a vCPU, in bytes.
var memoryRungs = []int64{1 * gib, 2 * gib, 4 * gib, 8 * gib}

// gpuCPURungs are the standard numbers of vCPUs beside one GPU.
var gpuCPURungs = []int64{1, 2, 4, 8, 16, 32, 64}

// Standard lists the standard classes with the attributes of c: one vCPU with
// 1, 2, 4 or 8 Gi; with a GPU model, one card with 1, 2, 4 … 64 vCPUs and 1, 2,
// 4 or 8 Gi each. Requests are rounded to them (see Shape) so that few keys
// have to be looked up.
func (c Class) Standard() []Class {
	rungs := []int64{1}
	if c.GPU != "" {
		rungs = gpuCPURungs
	}
	var classes []Class
	for _, cpus := range rungs {
		for _, memory := range memoryRungs {
			s := Class{CPU: cpus * 1000, Memory: cpus * memory, Arch: c.Arch, GPU: c.GPU, Currency: c.Currency}
			if c.GPU != "" {
				s.GPUs = 1
			}
			classes = append(classes, s)
		}
	}
	return classes
}

// Covers says whether a unit of c is enough for a unit of o: no amount is less
// and the attributes are equal. A GPU class does not cover one without.
func (c Class) Covers(o Class) bool {
	return c.Arch == o.Arch && c.GPU == o.GPU && c.Currency == o.Currency &&
		c.CPU >= o.CPU && c.Memory >= o.Memory && c.Storage >= o.Storage && c.GPUs >= o.GPUs
}

// Announced lists the classes under which an offer of unit c is found: c itself
// and every standard class that it covers, all at the same unit price. At most
// 29 (1 + 4 without a GPU, 1 + 28 with one), c first.
func (c Class) Announced() []Class {
	classes := []Class{c}
	for _, s := range c.Standard() {
		if s != c && c.Covers(s) {
			classes = append(classes, s)
		}
	}
	return classes
}

// Serves says whether o is one of c.Announced().
func (c Class) Serves(o Class) bool {
	return c == o || c.Covers(o) && slices.Contains(c.Standard(), o)
}
