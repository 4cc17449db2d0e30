package k8s

import (
	"cmp"
	"slices"
	"time"
)

// A Unit is what one unit of a lease takes of a node.
type Unit struct {
	Arch   string // kubernetes.io/arch
	CPU    int64  // milli-cores
	Memory int64  // bytes
	Model  string // of GPUMap; "": no GPU
	GPUs   int64  // cards of the model
}

// A Taken is what a lease has promised, or a match holds for it.
type Taken struct {
	LeaseID string // "" if it cannot have pods yet
	Unit    Unit
	Units   int64
}

// Terms say how much of what a cluster has over may be leased.
type Terms struct {
	Share      int64            // of what pods of others leave, in hundredths of a percent, 1 to 10000
	KeepCPU    map[string]int64 // milli-cores that stay free, by architecture
	KeepMemory map[string]int64 // bytes, likewise
	KeepGPUs   map[string]int64 // cards, by model
	WhenFree   int64            // nothing is leased unless more than this is free of cpu and of memory, in hundredths of a percent
}

// A Survey is what the nodes of a cluster had over at one moment, and what of that leases' pods use.
type Survey struct {
	At    time.Time
	Nodes []NodeRoom

	// Waiting is what pods that are on no node yet ask for, of others than leases.
	Waiting Amounts
	// Leases is what the pods of each lease use on these nodes.
	Leases map[string]Amounts
}

// NodeRoom is what one node that takes pods has, and what its pods have left of it.
type NodeRoom struct {
	Arch   string
	Models []string // of the GPU map that it has
	Has    Amounts  // allocatable
	Free   Amounts  // that, less what its pods ask for; less than 0 if they were let in before the node shrank
}

// Amounts are what pods ask for.
type Amounts struct {
	CPU, Memory, Pods int64
	GPUs              map[string]int64 // by model; of pods, by resource name
}

// Units counts how many units more can be leased: no more than fit on the nodes, each unit whole on one of them, and no more
// than the terms leave. taken is everything that is promised at this moment. The rules, for each of cpu, memory and cards:
//
//	free    = allocatable − what pods ask for − what is promised and not yet used by pods of the lease it was promised to
//	leased  = all that is promised
//	budget  = share × (free + leased − keep) − leased
//
// free + leased is what pods of others leave, so that a share of one half stays one half however much of it is leased. Pods
// of a lease are inside what is promised to it and count once; those that are left on a node that takes no pods any more have
// to move, and count as not used. What is promised and not used is put onto the nodes first, where it fits best; if some of
// it fits nowhere any more, nothing is over. Pods of others that wait for a node come first, too.
func (s *Survey) Units(u Unit, terms Terms, taken []Taken) int64 {
	return s.Place(taken).Units(u, terms)
}

// Placed is a survey with all that is promised put onto the nodes. It does not change.
type Placed struct {
	survey *Survey
	taken  []Taken
	field  *field // nil: not all of it fits any more
}

// Place puts what is promised onto the nodes: with many leases and nodes most of the work of Units, which can be done once for
// several of them.
func (s *Survey) Place(taken []Taken) *Placed {
	p := &Placed{survey: s, taken: taken, field: s.field()}
	for _, t := range s.unused(taken) {
		if !p.field.place(t) {
			p.field = nil
			return p
		}
	}
	return p
}

// Units is Survey.Units.
func (p *Placed) Units(u Unit, terms Terms) int64 {
	s, f, taken := p.survey, p.field, p.taken
	if f == nil {
		return 0
	}
	var sum, has Amounts
	var cards, leasedCards int64
	for i := range f.nodes {
		if n := &f.nodes[i]; n.Arch == u.Arch {
			sum.CPU, sum.Memory = sum.CPU+max(0, n.Free.CPU), sum.Memory+max(0, n.Free.Memory)
			has.CPU, has.Memory = has.CPU+n.Has.CPU, has.Memory+n.Has.Memory
			cards += max(0, n.Free.GPUs[u.Model])
		}
	}
	sum.CPU, sum.Memory = max(0, sum.CPU-s.Waiting.CPU), max(0, sum.Memory-s.Waiting.Memory)
	if !above(sum.CPU, has.CPU, terms.WhenFree) || !above(sum.Memory, has.Memory, terms.WhenFree) {
		return 0
	}
	var leased Amounts
	for _, t := range taken {
		if t.Unit.Arch == u.Arch {
			leased.CPU, leased.Memory = leased.CPU+t.Units*t.Unit.CPU, leased.Memory+t.Units*t.Unit.Memory
		}
		if t.Unit.Model == u.Model {
			leasedCards += t.Units * t.Unit.GPUs
		}
	}
	units := f.fits(u)
	for _, k := range []struct{ unit, free, leased, keep int64 }{
		{u.CPU, sum.CPU, leased.CPU, terms.KeepCPU[u.Arch]},
		{u.Memory, sum.Memory, leased.Memory, terms.KeepMemory[u.Arch]},
		{u.GPUs, cards, leasedCards, terms.KeepGPUs[u.Model]},
	} {
		if k.unit > 0 {
			units = min(units, (portion(k.free+k.leased-k.keep, terms.Share)-k.leased)/k.unit)
		}
	}
	return max(0, units)
}

// Free is the share of what the nodes have that is free, in hundredths of a percent: the lesser of cpu and memory, over all
// architectures. Nodes that have nothing are full.
func (s *Survey) Free(taken []Taken) int64 {
	f := s.Place(taken).field
	if f == nil {
		return 0
	}
	var sum, has Amounts
	for i := range f.nodes {
		n := &f.nodes[i]
		sum.CPU, sum.Memory = sum.CPU+max(0, n.Free.CPU), sum.Memory+max(0, n.Free.Memory)
		has.CPU, has.Memory = has.CPU+n.Has.CPU, has.Memory+n.Has.Memory
	}
	return min(percent(sum.CPU-s.Waiting.CPU, has.CPU), percent(sum.Memory-s.Waiting.Memory, has.Memory))
}

// whole is 100 % in hundredths of a percent.
const whole = 10000

// portion is share × amount; no product leaves 64 bits.
func portion(amount, share int64) int64 {
	return amount/whole*share + amount%whole*share/whole
}

func percent(free, has int64) int64 {
	if has <= 0 || free <= 0 {
		return 0
	}
	return int64(float64(free) / float64(has) * whole)
}

// above says whether more than so much is free. Without a bound there is none, and an architecture without nodes has none.
func above(free, has, bound int64) bool { return has > 0 && (bound == 0 || percent(free, has) > bound) }

// unused is what of the promises no pod uses yet, the largest units first: in as many units as it takes of the kind of which
// the most is left, and of the others as much in each as makes their sum.
func (s *Survey) unused(taken []Taken) []Taken {
	rest := make([]Taken, 0, len(taken))
	for _, t := range taken {
		used := Amounts{}
		if t.LeaseID != "" {
			used = s.Leases[t.LeaseID]
		}
		cpu, memory := max(0, t.Units*t.Unit.CPU-used.CPU), max(0, t.Units*t.Unit.Memory-used.Memory)
		cards := max(0, t.Units*t.Unit.GPUs-used.GPUs[t.Unit.Model])
		units := max(parts(cpu, t.Unit.CPU), parts(memory, t.Unit.Memory), parts(cards, t.Unit.GPUs))
		if units == 0 {
			continue
		}
		t.Units, t.Unit.CPU, t.Unit.Memory, t.Unit.GPUs = units, parts(cpu, units), parts(memory, units), parts(cards, units)
		rest = append(rest, t)
	}
	slices.SortStableFunc(rest, func(a, b Taken) int {
		return cmp.Compare(b.Unit.Memory, a.Unit.Memory)
	})
	return rest
}

// parts is amount/of, rounded up.
func parts(amount, of int64) int64 {
	if amount <= 0 || of <= 0 {
		return 0
	}
	return (amount-1)/of + 1
}

// A field is a copy of the nodes on which units are put.
type field struct{ nodes []NodeRoom }

func (s *Survey) field() *field {
	f := &field{nodes: slices.Clone(s.Nodes)}
	for i := range f.nodes {
		n := &f.nodes[i]
		if len(n.Models) == 0 {
			continue
		}
		cards := make(map[string]int64, len(n.Free.GPUs))
		for model, count := range n.Free.GPUs {
			cards[model] = count
		}
		n.Free.GPUs = cards
	}
	return f
}

// room is how many units fit on a node.
func (n *NodeRoom) room(u Unit) int64 {
	if n.Arch != u.Arch {
		return 0
	}
	units := n.Free.Pods
	if u.CPU > 0 {
		units = min(units, n.Free.CPU/u.CPU)
	}
	if u.Memory > 0 {
		units = min(units, n.Free.Memory/u.Memory)
	}
	if u.GPUs > 0 {
		units = min(units, n.Free.GPUs[u.Model]/u.GPUs)
	}
	return max(0, units)
}

// place puts what is promised onto the nodes where the fewest units fit, so that large gaps stay whole; false: some of it
// fits nowhere.
func (f *field) place(t Taken) bool {
	order := make([]int, 0, len(f.nodes))
	rooms := make([]int64, len(f.nodes))
	for i := range f.nodes {
		if rooms[i] = f.nodes[i].room(t.Unit); rooms[i] > 0 {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(rooms[a], rooms[b]) })
	left := t.Units
	for _, i := range order {
		n, put := &f.nodes[i], min(left, rooms[i])
		n.Free.CPU, n.Free.Memory, n.Free.Pods = n.Free.CPU-put*t.Unit.CPU, n.Free.Memory-put*t.Unit.Memory, n.Free.Pods-put
		if t.Unit.GPUs > 0 {
			n.Free.GPUs[t.Unit.Model] -= put * t.Unit.GPUs
		}
		if left -= put; left == 0 {
			return true
		}
	}
	return left == 0
}

// fits counts the units that fit, node by node.
func (f *field) fits(u Unit) (units int64) {
	for i := range f.nodes {
		units += f.nodes[i].room(u)
	}
	return units
}
