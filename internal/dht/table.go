package dht

import (
	"cmp"
	"encoding/binary"
	"math"
	"math/bits"
	"net/netip"
	"slices"
	"sync"
	"time"
)

const (
	bucketSize   = 16               // nodes at each distance: twice Kademlia's usual 8, for shorter ways
	bucketPublic = 2                // of these from one network, on a public network
	goodFor      = 15 * time.Minute // after its last answer a node counts as good
	failuresMax  = 3                // in a row, after which a node is dropped while others answer
)

// entry is a node that has answered us.
type entry struct {
	contact
	heard    time.Time // when last
	tried    time.Time // when last asked
	failures int       // questions since without an answer
	rival    contact   // has answered under the same id from another address
}

// table is a Kademlia routing table of one address family: the nodes that have
// answered, by the length of the prefix that their id shares with ours. Nodes
// that only asked, or of which others told, are not in it. An old node that
// still answers is never pushed out by a new one: a flood of newcomers cannot
// take a table over.
type table struct {
	now    func() time.Time
	origin func(netip.AddrPort) network
	most   int // entries of one network in a bucket; 0: no cap

	mu      sync.Mutex
	self    Key
	buckets [8 * idSize][]entry
	lively  time.Time // when any node answered last
}

func (t *table) bucketOf(id Key) int {
	d := t.self.distance(id)
	for i, b := range d {
		if b != 0 {
			return 8*i + bits.LeadingZeros8(b)
		}
	}
	return len(t.buckets) - 1
}

// answered records that a node answered under an id. When the table has that
// id at another address, the newcomer takes its place only once the old one
// does not answer any more: the result, if valid, is where to ask.
func (t *table) answered(c contact) (doubted netip.AddrPort) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	t.lively = now
	return t.put(entry{contact: c, heard: now, tried: now})
}

func (t *table) put(e entry) (doubted netip.AddrPort) {
	if e.id == t.self {
		return doubted
	}
	t.dropOthersAt(e.contact)
	b := &t.buckets[t.bucketOf(e.id)]
	if i := slices.IndexFunc(*b, func(o entry) bool { return o.id == e.id }); i >= 0 {
		switch old := &(*b)[i]; {
		case old.addr == e.addr, old.failures > 0:
			*old = e
		case !old.rival.addr.IsValid():
			old.rival = e.contact
			return old.addr
		}
		return doubted
	}
	if t.most > 0 {
		same := func(o entry) bool { return t.origin(o.addr) == t.origin(e.addr) }
		if countFunc(*b, same) >= t.most {
			t.replace(*b, e, same)
			return doubted
		}
	}
	if len(*b) < bucketSize {
		*b = append(*b, e)
		return doubted
	}
	t.replace(*b, e, func(entry) bool { return true })
	return doubted
}

// replace puts e in the place of an entry among those that is no longer good.
func (t *table) replace(b []entry, e entry, among func(entry) bool) {
	worst := -1
	for i, o := range b {
		if among(o) && !t.good(o) && (worst < 0 || o.failures > b[worst].failures) {
			worst = i
		}
	}
	if worst >= 0 {
		b[worst] = e
	}
}

// dropOthersAt forgets other ids at an address: one address is one node.
func (t *table) dropOthersAt(c contact) {
	for i, b := range t.buckets {
		t.buckets[i] = slices.DeleteFunc(b, func(o entry) bool { return o.addr == c.addr && o.id != c.id })
	}
}

// failed records that a node did not answer. While others do, a node that
// keeps failing is dropped; if nobody answers it is our connection that is down.
func (t *table) failed(addr netip.AddrPort) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range t.buckets {
		b := &t.buckets[i]
		j := slices.IndexFunc(*b, func(o entry) bool { return o.addr == addr })
		if j < 0 {
			continue
		}
		e := &(*b)[j]
		if e.rival.addr.IsValid() {
			*e = entry{contact: e.rival, heard: t.now()}
			return
		}
		e.failures++
		e.tried = t.now()
		if e.failures >= failuresMax && t.lively.After(e.heard) {
			*b = slices.Delete(*b, j, j+1)
		}
		return
	}
}

func (t *table) good(e entry) bool {
	return e.failures == 0 && t.now().Sub(e.heard) < goodFor
}

// nearest are up to count nodes that answered when last asked, nearest to the
// target first.
func (t *table) nearest(target Key, count int) []contact {
	t.mu.Lock()
	defer t.mu.Unlock()
	type far struct {
		distance uint64 // its first bits, which nearly always decide
		*entry
	}
	all := make([]far, 0, 8*bucketSize)
	for i := range t.buckets {
		for j := range t.buckets[i] {
			if e := &t.buckets[i][j]; e.failures == 0 {
				d := target.distance(e.id)
				all = append(all, far{binary.BigEndian.Uint64(d[:8]), e})
			}
		}
	}
	slices.SortFunc(all, func(a, b far) int {
		if a.distance != b.distance {
			return cmp.Compare(a.distance, b.distance)
		}
		return nearer(target, a.id, b.id)
	})
	out := make([]contact, min(len(all), count))
	for i := range out {
		out[i] = all[i].contact
	}
	return out
}

// around are up to count nodes to begin with, or to tell of, for a target: the
// nearest, but for a crowd of them.
func (t *table) around(target Key, count int) []contact {
	out := spread(t.nearest(target, len(t.buckets)*bucketSize), target, func(c contact) Key { return c.id }, t.density())
	return out[:min(len(out), count)]
}

// density is that of the nodes next to our own id.
func (t *table) density() density {
	r := t.reach(1)
	return density(binary.BigEndian.Uint64(r[:8]))
}

// surveyed is how many nodes next to our own id the density is taken from.
const surveyed = 16

// reach is a distance from any key within which that many nodes are to be
// expected, if ids are spread evenly: taken from how far the nodes next to our
// own id lie. It is zero while the table has too few nodes to tell. More nodes
// than that within it have gathered there on purpose; the even ones are still
// among them.
func (t *table) reach(count int) (r Key) {
	near := t.nearest(t.selfID(), surveyed)
	if len(near) < surveyed {
		return r
	}
	d := t.selfID().distance(near[surveyed-1].id)
	hi, lo := bits.Mul64(binary.BigEndian.Uint64(d[:8]), uint64(count))
	if hi >= surveyed {
		lo = math.MaxUint64
	} else {
		lo, _ = bits.Div64(hi, lo, surveyed)
	}
	binary.BigEndian.PutUint64(r[:8], lo)
	return r
}

func (t *table) selfID() Key {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.self
}

// stalest is the node that was asked longest ago, if that is before the time;
// it counts as asked from now on.
func (t *table) stalest(before time.Time) (contact, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var oldest *entry
	for _, b := range t.buckets {
		for i, e := range b {
			if e.tried.Before(before) && (oldest == nil || e.tried.Before(oldest.tried)) {
				oldest = &b[i]
			}
		}
	}
	if oldest == nil {
		return contact{}, false
	}
	oldest.tried = t.now()
	return oldest.contact, true
}

// size counts the nodes and the good ones among them.
func (t *table) size() (nodes, good int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, b := range t.buckets {
		nodes += len(b)
		good += countFunc(b, t.good)
	}
	return nodes, good
}

// rebase sorts the nodes anew around another id of ours.
func (t *table) rebase(self Key) {
	t.mu.Lock()
	defer t.mu.Unlock()
	old := t.buckets
	t.self = self
	t.buckets = [8 * idSize][]entry{}
	for _, b := range old {
		for _, e := range b {
			t.put(e)
		}
	}
}

func countFunc[T any](list []T, is func(T) bool) (n int) {
	for _, v := range list {
		if is(v) {
			n++
		}
	}
	return n
}
