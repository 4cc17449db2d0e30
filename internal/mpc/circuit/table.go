package circuit

import "math/bits"

// table finds gates by operation and operands: a hash table of node numbers with open addressing, at most half full. Who
// chooses what a circuit computes can make it slow, no slower than its number of gates squared, and makes it for itself.
type table struct {
	slots []uint32 // 0 is empty: the node of the constants is no gate
	used  int
}

// smallestTable is the slots of a table with any gate.
const smallestTable = 1 << 10

// slot is where the search for a gate begins. The multiplier is 2^64 divided by the golden ratio, made odd.
func (t *table) slot(n node) int {
	key := (uint64(n.a)<<32|uint64(n.b))*2 + uint64(n.op&1)
	high, low := bits.Mul64(key^key>>31, 0x9e3779b97f4a7c15)
	return int((high ^ low) & uint64(len(t.slots)-1))
}

// find gives the number of the gate that is n.
func (t *table) find(nodes []node, n node) (uint32, bool) {
	if len(t.slots) == 0 {
		return 0, false
	}
	for k := t.slot(n); t.slots[k] != 0; k = (k + 1) & (len(t.slots) - 1) {
		if id := t.slots[k]; nodes[id] == n {
			return id, true
		}
	}
	return 0, false
}

// add takes a gate that is not there.
func (t *table) add(nodes []node, id uint32) {
	if 2*(t.used+1) > len(t.slots) {
		old := t.slots
		t.slots = make([]uint32, max(smallestTable, 2*len(old)))
		for _, o := range old {
			if o != 0 {
				t.put(nodes, o)
			}
		}
	}
	t.put(nodes, id)
	t.used++
}

func (t *table) put(nodes []node, id uint32) {
	k := t.slot(nodes[id])
	for t.slots[k] != 0 {
		k = (k + 1) & (len(t.slots) - 1)
	}
	t.slots[k] = id
}
