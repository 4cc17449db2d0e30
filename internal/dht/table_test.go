package dht

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"
)

func testTable() (*table, *handClock) {
	clock := newHandClock()
	return &table{now: clock.now, origin: StoreLimits{}.networkOf}, clock
}

// of is a contact whose id begins with the bytes.
func of(addr netip.AddrPort, id ...byte) contact {
	c := contact{known: true, addr: addr}
	copy(c.id[:], id)
	return c
}

// A full bucket keeps its living nodes, however many newcomers there are, and
// replaces one that has failed.
func TestTableKeepsTheLiving(t *testing.T) {
	tab, clock := testTable()
	for i := range byte(bucketSize) {
		tab.answered(of(at(1, i, 1), 0x80, i))
	}
	for i := range byte(100) {
		tab.answered(of(at(2, i, 1), 0x80, 100+i))
	}
	if nodes, good := tab.size(); nodes != bucketSize || good != bucketSize {
		t.Fatalf("%d nodes, %d good", nodes, good)
	}
	for _, c := range tab.nearest(Key{}, 100) {
		if c.addr.Addr().As4()[2] != 1 {
			t.Errorf("%s has got in", c.addr)
		}
	}
	tab.failed(at(1, 3, 1))
	tab.answered(of(at(2, 1, 1), 0x80, 200))
	listed := tab.nearest(Key{}, 100)
	if len(listed) != bucketSize || !slices.Contains(listed, of(at(2, 1, 1), 0x80, 200)) {
		t.Error("a node that failed is not replaced")
	}
	clock.advance(goodFor)
	tab.answered(of(at(2, 2, 1), 0x80, 201))
	if !slices.Contains(tab.nearest(Key{}, 100), of(at(2, 2, 1), 0x80, 201)) {
		t.Error("a node not heard for long is not replaced")
	}
}

// When nobody answers it is our connection that is down: nobody is forgotten.
func TestTableForgetsTheDeadWhileOthersLive(t *testing.T) {
	tab, clock := testTable()
	tab.answered(of(at(1, 1, 1), 0x80))
	tab.answered(of(at(1, 2, 1), 0x40))
	for range 10 {
		clock.advance(time.Minute)
		tab.failed(at(1, 1, 1))
		tab.failed(at(1, 2, 1))
	}
	if nodes, good := tab.size(); nodes != 2 || good != 0 || len(tab.nearest(Key{}, 9)) != 0 {
		t.Errorf("%d nodes, %d good", nodes, good)
	}
	tab.answered(of(at(1, 2, 1), 0x40))
	tab.failed(at(1, 1, 1))
	if nodes, good := tab.size(); nodes != 1 || good != 1 {
		t.Errorf("%d nodes, %d good after one answers", nodes, good)
	}
}

// Nobody takes a living node's id; once that node is silent, who has asked for
// the id first gets it.
func TestTableDoesNotGiveAnIdAway(t *testing.T) {
	tab, _ := testTable()
	tab.answered(of(at(1, 1, 1), 0x80))
	if doubted := tab.answered(of(at(1, 2, 1), 0x80)); doubted != at(1, 1, 1) {
		t.Errorf("%v is to be asked", doubted)
	}
	if doubted := tab.answered(of(at(1, 3, 1), 0x80)); doubted.IsValid() {
		t.Error("asked again")
	}
	if got := tab.nearest(Key{}, 9); !slices.Equal(got, []contact{of(at(1, 1, 1), 0x80)}) {
		t.Errorf("lists %v", got)
	}
	tab.failed(at(1, 1, 1))
	if got := tab.nearest(Key{}, 9); !slices.Equal(got, []contact{of(at(1, 2, 1), 0x80)}) {
		t.Errorf("lists %v", got)
	}
	tab.answered(of(at(1, 2, 1), 0x10))
	if got := tab.nearest(Key{}, 9); !slices.Equal(got, []contact{of(at(1, 2, 1), 0x10)}) {
		t.Errorf("a node with a new id: lists %v", got)
	}
}

// On a public network one address prefix cannot fill a bucket.
func TestTableCapsNetworks(t *testing.T) {
	tab, _ := testTable()
	tab.most = bucketPublic
	for i := range byte(20) {
		tab.answered(of(at(6, i, 1), 0x80, i))
		tab.answered(of(at(100+i, 1, 1), 0x80, 100+i))
	}
	same := 0
	for _, c := range tab.nearest(Key{}, 100) {
		if c.addr.Addr().As4()[2] == 6 {
			same++
		}
	}
	if nodes, _ := tab.size(); nodes != bucketSize || same != bucketPublic {
		t.Errorf("%d nodes, %d of one network", nodes, same)
	}
}

func TestTableAsksTheStalest(t *testing.T) {
	tab, clock := testTable()
	for i := range byte(3) {
		tab.answered(of(at(1, i, 1), 0x80>>i))
		clock.advance(time.Second)
	}
	limit := clock.now().Add(-time.Second)
	for i := range byte(2) {
		if c, ok := tab.stalest(limit); !ok || c.addr != at(1, i, 1) {
			t.Errorf("%v, %v", c, ok)
		}
	}
	if c, ok := tab.stalest(limit); ok {
		t.Errorf("%v is asked too soon", c)
	}
}

// The distance within which 8 nodes are expected holds about 8, wherever one looks.
func TestReachFollowsTheDensity(t *testing.T) {
	rng := rand.New(seeded(3))
	for _, count := range []int{100, 1000, 10000} {
		sum, tries := 0, 200
		for range tries {
			tab, _ := testTable()
			tab.self = randomKey(rng)
			ids := make([]Key, count)
			for i := range ids {
				ids[i] = randomKey(rng)
			}
			slices.SortFunc(ids, func(a, b Key) int { return nearer(tab.self, a, b) })
			for i, id := range ids[:40] {
				tab.answered(contact{id: id, known: true, addr: at(byte(i), 1, 1)})
			}
			reach, target := tab.reach(8), randomKey(rng)
			for _, id := range ids {
				d := target.distance(id)
				if binary.BigEndian.Uint64(d[:8]) < binary.BigEndian.Uint64(reach[:8]) {
					sum++
				}
			}
		}
		if mean := float64(sum) / float64(tries); mean < 7 || mean > 10 {
			t.Errorf("of %d nodes %.1f lie within, want about 8", count, mean)
		}
	}
	tab, _ := testTable()
	for i := range byte(surveyed - 1) {
		tab.answered(of(at(i, 1, 1), 0x80, i))
	}
	if tab.reach(8) != (Key{}) {
		t.Error("a density of too few nodes")
	}
}
