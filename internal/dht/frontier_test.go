package dht

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
)

// plan is a network on paper: nodes whose routing tables are filled as the
// library fills them and who answer as it answers.
type plan struct {
	rng     *rand.Rand
	nodes   []contact
	byAddr  map[netip.AddrPort]int
	buckets [][161][]int // of node i, by the length of the prefix shared with it
	dead    map[netip.AddrPort]bool
}

func shared(a, b Key) int {
	for i := range a {
		if x := a[i] ^ b[i]; x != 0 {
			return 8*i + bits.LeadingZeros8(x)
		}
	}
	return 160
}

func randomKey(rng *rand.Rand) Key {
	var k Key
	for i := range k {
		k[i] = byte(rng.Uint32())
	}
	return k
}

func newPlan(seed uint64, count int) *plan {
	p := &plan{
		rng: rand.New(seeded(seed)), byAddr: make(map[netip.AddrPort]int), dead: make(map[netip.AddrPort]bool),
		buckets: make([][161][]int, count),
	}
	for i := range count {
		c := contact{id: randomKey(p.rng), known: true, addr: at(byte(i>>8), byte(i), 1)}
		p.byAddr[c.addr] = i
		p.nodes = append(p.nodes, c)
	}
	for i := range count {
		for _, j := range p.rng.Perm(count) {
			b := &p.buckets[i][shared(p.nodes[i].id, p.nodes[j].id)]
			if i != j && len(*b) < 8 {
				*b = append(*b, j)
			}
		}
	}
	return p
}

// answer is the library's: the bucket of the target, then those farther away,
// until there are 8.
func (p *plan) answer(addr netip.AddrPort, target Key) (out []contact) {
	i := p.byAddr[addr]
	for b := min(shared(p.nodes[i].id, target), 159); b >= 0 && len(out) < 8; b-- {
		for _, j := range p.buckets[i][b] {
			out = append(out, p.nodes[j])
		}
	}
	return out[:min(len(out), 8)]
}

// drive runs a frontier to its end, answering its questions in random order.
func (p *plan) drive(t *testing.T, f *frontier, alpha int) (asked int) {
	var open, hoods []contact
	for !f.done() {
		for f.busy() < alpha {
			if c, ok := f.next(); ok {
				open = append(open, c)
				asked++
			} else if c, ok := f.nextExpansion(); ok {
				hoods = append(hoods, c)
				asked++
			} else {
				break
			}
		}
		switch n := len(open) + len(hoods); {
		case f.done():
		case n == 0:
			t.Fatal("nothing asked, but not done")
		default:
			if k := p.rng.IntN(n); k < len(open) {
				c := open[k]
				open = slices.Delete(open, k, k+1)
				if p.dead[c.addr] {
					f.failed(c.addr)
					continue
				}
				f.answered(c.addr, p.nodes[p.byAddr[c.addr]].id)
				for _, found := range p.answer(c.addr, f.target) {
					f.add(found, false)
				}
			} else {
				c := hoods[k-len(open)]
				hoods = slices.Delete(hoods, k-len(open), k-len(open)+1)
				f.expansionEnded()
				for _, found := range p.answer(c.addr, c.id) {
					f.add(found, false)
				}
			}
		}
	}
	return asked
}

func (f *frontier) heardNearest(n int) (out []Key) {
	for _, c := range f.cands {
		if c.state == answered && len(out) < n {
			out = append(out, c.id)
		}
	}
	return out
}

// An announcement lies at the 8 nearest nodes: a lookup that hears any of them
// finds it. Routing tables know a few per cent of the network, and a quarter of
// what they know may be gone.
func TestWalkHearsTheNearest(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		count, dead int // dead: per cent
	}{{30, 0}, {300, 0}, {1000, 0}, {1000, 25}} {
		t.Run(fmt.Sprintf("%d nodes, %d%% dead", c.count, c.dead), func(t *testing.T) {
			p := newPlan(uint64(c.count), c.count)
			for _, n := range p.nodes {
				p.dead[n.addr] = p.rng.IntN(100) < c.dead
			}
			const walks = 200
			complete, asked := 0, 0
			for range walks {
				target := randomKey(p.rng)
				want := p.alive(target)[:8]
				f := newFrontier(target, Key{}, walkWidth, walkExpand, walkBudget)
				for range 12 { // all dead once in 10^7
					f.add(p.nodes[p.rng.IntN(c.count)], false)
				}
				asked += p.drive(t, f, walkAlpha)
				heard := 0
				for _, id := range f.heardNearest(len(f.cands)) {
					if slices.Contains(want, id) {
						heard++
					}
				}
				if heard == 8 {
					complete++
				}
				if heard < 4 {
					t.Errorf("a walk has heard %d of the 8 nearest", heard)
				}
			}
			t.Logf("%d of %d walks heard all 8 nearest, %d questions each", complete, walks, asked/walks)
			if complete < walks*97/100 {
				t.Errorf("only %d of %d walks heard all 8 nearest", complete, walks)
			}
		})
	}
}

func (p *plan) alive(target Key) (out []Key) {
	for _, n := range p.nodes {
		if !p.dead[n.addr] {
			out = append(out, n.id)
		}
	}
	slices.SortFunc(out, func(a, b Key) int { return nearer(target, a, b) })
	return out
}

func TestFrontierAsksUnknownIdsFirstThenTheNearest(t *testing.T) {
	f := newFrontier(Key{}, Key{0xff}, 4, 0, 10)
	far, near := contact{id: Key{9}, known: true, addr: at(1, 1, 1)}, contact{id: Key{1}, known: true, addr: at(1, 1, 2)}
	unknown := contact{addr: at(1, 1, 3)}
	for _, c := range []contact{far, near, unknown, {id: Key{0xff}, known: true, addr: at(1, 1, 4)}, {id: Key{2}, known: true, addr: near.addr}} {
		f.add(c, false)
	}
	for i, want := range []contact{unknown, near, far} {
		if got, ok := f.next(); !ok || got != want {
			t.Fatalf("question %d goes to %v, %v", i, got, ok)
		}
	}
	if got, ok := f.next(); ok {
		t.Errorf("asks %v, who is itself or was asked already", got)
	}
}

func TestFrontierEnds(t *testing.T) {
	next := func(t *testing.T, f *frontier) contact {
		t.Helper()
		c, ok := f.next()
		if !ok {
			t.Fatal("asks nobody")
		}
		return c
	}
	node := func(i byte) contact { return contact{id: Key{i}, known: true, addr: at(1, i, 1)} }
	t.Run("without anybody to ask", func(t *testing.T) {
		if f := newFrontier(Key{}, Key{}, 2, 1, 10); !f.done() {
			t.Error("not done")
		}
	})
	t.Run("when the nearest have answered and told their neighbours", func(t *testing.T) {
		f := newFrontier(Key{}, Key{0xff}, 2, 1, 10)
		for i := range byte(5) {
			f.add(node(1+i), false)
		}
		for range 2 {
			c := next(t, f)
			if f.done() {
				t.Fatal("done with an open question")
			}
			f.answered(c.addr, c.id)
		}
		if _, ok := f.next(); ok {
			t.Error("asks beyond the width")
		}
		if c, ok := f.nextExpansion(); !ok || c != node(1) || f.done() {
			t.Errorf("expands %v, %v; done %v", c, ok, f.done())
		}
		f.expansionEnded()
		if !f.done() {
			t.Error("not done")
		}
	})
	t.Run("past nodes that fail", func(t *testing.T) {
		f := newFrontier(Key{}, Key{0xff}, 1, 0, 10)
		f.add(node(1), false)
		f.add(node(2), false)
		f.failed(next(t, f).addr)
		if f.done() {
			t.Error("done with nobody heard")
		}
		c := next(t, f)
		f.answered(c.addr, c.id)
		if !f.done() {
			t.Error("not done")
		}
	})
	t.Run("without waiting for a suspect, unless there is nobody else", func(t *testing.T) {
		f := newFrontier(Key{}, Key{0xff}, 2, 0, 10)
		f.add(node(1), true)
		f.slow(next(t, f).addr)
		if f.done() || f.busy() != 0 {
			t.Errorf("done %v with a suspect only, %d busy", f.done(), f.busy())
		}
		f.add(node(2), false)
		c := next(t, f)
		f.answered(c.addr, c.id)
		if !f.done() {
			t.Error("waits for a suspect")
		}
	})
	t.Run("within its budget, however many nodes are invented", func(t *testing.T) {
		f := newFrontier(Key{}, Key{0xff}, 16, 8, 50)
		f.add(node(200), false)
		asked := 0
		for i := byte(0); !f.done(); i++ {
			c, ok := f.next()
			if !ok {
				t.Fatal("neither asks nor ends")
			}
			asked++
			f.failed(c.addr)
			for j := range byte(32) {
				f.add(contact{id: Key{1, i, j}, known: true, addr: at(i, j, 1)}, false)
			}
		}
		if asked > 50 || len(f.cands) > maxCandidates || len(f.byAddr) != len(f.cands) {
			t.Errorf("%d asked, %d candidates, %d addresses", asked, len(f.cands), len(f.byAddr))
		}
	})
	t.Run("a slow answer frees a place but is waited for", func(t *testing.T) {
		f := newFrontier(Key{}, Key{0xff}, 2, 0, 10)
		f.add(node(1), false)
		c := next(t, f)
		f.slow(c.addr)
		if f.busy() != 0 || f.done() {
			t.Errorf("%d busy, done %v", f.busy(), f.done())
		}
	})
	t.Run("an answer under another id is filed there", func(t *testing.T) {
		f := newFrontier(Key{}, Key{0xff}, 2, 0, 10)
		f.add(node(1), false)
		f.add(node(5), false)
		c := next(t, f)
		f.answered(c.addr, Key{9})
		d := next(t, f)
		f.answered(d.addr, d.id)
		if got := f.heardNearest(2); !slices.Equal(got, []Key{{5}, {9}}) {
			t.Errorf("heard %v", got)
		}
	})
	t.Run("this node's own answer counts for nothing", func(t *testing.T) {
		f := newFrontier(Key{}, Key{0xff}, 2, 0, 10)
		f.add(contact{addr: at(1, 1, 1)}, false)
		f.answered(next(t, f).addr, Key{0xff})
		if got := f.heardNearest(2); got != nil || !f.done() {
			t.Errorf("heard %v", got)
		}
	})
}

// A teller three of whose contacts are dead is not believed; but what it told
// is not forgotten, and a bootstrap node is believed all the same.
func TestFrontierDoubtsWhoToldOfTheDead(t *testing.T) {
	told := func(f *frontier, from netip.AddrPort) (dead []contact, last contact) {
		for i := byte(1); i <= 3; i++ {
			f.told(contact{id: Key{i}, known: true, addr: at(1, 1, int(i))}, false, from)
		}
		for range 3 {
			c, ok := f.next()
			if !ok {
				t.Fatal("asks nobody")
			}
			dead = append(dead, c)
		}
		last = contact{id: Key{4}, known: true, addr: at(1, 1, 4)}
		f.told(last, false, from)
		for _, c := range dead {
			f.slow(c.addr)
		}
		return dead, last
	}
	from, other := at(9, 9, 9), at(8, 8, 8)
	asks := func(t *testing.T, f *frontier, want contact) {
		t.Helper()
		if c, ok := f.next(); !ok || c != want {
			t.Errorf("asks %v, %v", c, ok)
		}
	}
	doubted := func(t *testing.T) (*frontier, []contact, contact) {
		t.Helper()
		f := newFrontier(Key{}, Key{0xff}, 4, 0, 10)
		dead, last := told(f, from)
		if c, ok := f.next(); ok {
			t.Fatalf("asks %v on a worthless word", c)
		}
		return f, dead, last
	}
	t.Run("until another tells of the same", func(t *testing.T) {
		f, _, last := doubted(t)
		f.told(last, false, other)
		asks(t, f, last)
	})
	t.Run("until the slow ones answer", func(t *testing.T) {
		f, dead, last := doubted(t)
		f.answered(dead[0].addr, dead[0].id)
		asks(t, f, last)
	})
	t.Run("unless it is a bootstrap node", func(t *testing.T) {
		f := newFrontier(Key{}, Key{0xff}, 4, 0, 10)
		f.named = func(a netip.AddrPort) bool { return a == from }
		f.liar = f.named
		_, last := told(f, from)
		asks(t, f, last)
	})
}

// askCrowd answers for n nodes next to the target that tell of each other, and of
// what each of them invents, until the frontier asks somebody else.
func askCrowd(t *testing.T, f *frontier, n int, invented func(i int) []contact) (contact, bool) {
	t.Helper()
	var liars []contact
	for i := range n {
		c := contact{id: Key{18: byte(1 + i)}, known: true, addr: at(1, byte(i), 1)}
		liars = append(liars, c)
		f.add(c, false)
	}
	for range 400 {
		c, ok := f.next()
		i := slices.Index(liars, c)
		switch {
		case ok && i >= 0:
			f.answered(c.addr, c.id)
			for _, told := range append(invented(i), liars...) {
				f.told(told, false, c.addr)
			}
		case ok && slices.ContainsFunc(liars, func(l contact) bool { return f.byAddr[c.addr].from == l.addr }):
			f.failed(c.addr) // invented: nobody is there
		default:
			return c, ok
		}
	}
	t.Fatal("asks the crowd and what it invents for ever")
	return contact{}, false
}

// More liars than a walk is wide have gathered at the target. They are heard,
// but they are no answer: somebody farther away is asked too.
func TestFrontierLooksBeyondACrowd(t *testing.T) {
	far := contact{id: Key{0: 0x80}, known: true, addr: at(2, 1, 1)}
	t.Run("that invents nodes", func(t *testing.T) {
		f := newFrontier(Key{}, Key{0xff}, walkWidth, walkExpand, walkBudget)
		f.add(far, false)
		c, ok := askCrowd(t, f, 20, func(i int) (out []contact) {
			for j := range 4 {
				out = append(out, contact{id: Key{18: byte(1 + i), 19: byte(1 + j)}, known: true, addr: at(3, byte(i), 1+j)})
			}
			return out
		})
		if !ok || c != far {
			t.Errorf("asks %v, %v", c, ok)
		}
	})
	t.Run("that invents nobody", func(t *testing.T) {
		f := newFrontier(Key{}, Key{0xff}, walkWidth, walkExpand, walkBudget)
		f.reach = Key{0: 0x10}
		f.add(far, false)
		if c, ok := askCrowd(t, f, 20, func(int) []contact { return nil }); !ok || c != far {
			t.Errorf("asks %v, %v", c, ok)
		}
	})
	t.Run("unless a bootstrap node is among them", func(t *testing.T) {
		f := newFrontier(Key{}, Key{0xff}, 1, 0, 10)
		boot := contact{id: Key{19: 1}, known: true, addr: at(9, 9, 9)}
		f.named = func(a netip.AddrPort) bool { return a == boot.addr }
		f.liar = func(netip.AddrPort) bool { return true }
		f.add(boot, false)
		f.add(far, false)
		c, _ := f.next()
		f.answered(c.addr, c.id)
		if c, ok := f.next(); ok {
			t.Errorf("asks %v, although its own bootstrap node has answered", c)
		}
	})
}

// Where more have gathered next to the target than chance will have there, those
// farther away are asked before the rest of them, whoever tells of them.
func TestFrontierAsksACrowdLast(t *testing.T) {
	f := newFrontier(Key{}, Key{0xff}, walkWidth, walkExpand, walkBudget)
	f.density = 1 << 56
	for i := range byte(8) {
		f.told(contact{id: Key{19: 1 + i}, known: true, addr: at(1, i, 1)}, false, at(9, i, 9))
	}
	far := contact{id: Key{0: 0x08}, known: true, addr: at(2, 1, 1)}
	f.told(far, false, at(8, 8, 8))
	for i := range 9 {
		if c, ok := f.next(); !ok || (c == far) != (i == 2) {
			t.Errorf("question %d goes to %v, %v", i, c, ok)
		}
	}
}

// Paths ask for contacts of different tellers at the same time: asking for three
// of the same at once tells no more of it than asking for one.
func TestPathsProbeDifferentTellers(t *testing.T) {
	shared := newWords()
	var asked []contact
	for range 2 {
		f := newFrontier(Key{}, Key{0xff}, walkWidth, walkExpand, walkBudget)
		f.words = shared
		for teller := range byte(2) {
			for i := range byte(3) {
				f.told(contact{id: Key{1 + teller, i}, known: true, addr: at(teller, i, 1)}, false, at(9, teller, 9))
			}
		}
		c, ok := f.next()
		if !ok {
			t.Fatal("asks nobody")
		}
		asked = append(asked, c)
	}
	if asked[0].id[0] == asked[1].id[0] {
		t.Errorf("both paths probe the same teller: %v", asked)
	}
}
