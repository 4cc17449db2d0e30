package dht

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"
)

// handClock is a clock that a test turns.
type handClock struct {
	mu sync.Mutex
	t  time.Time
}

func newHandClock() *handClock {
	return &handClock{t: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}
}

func (c *handClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *handClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func testStore(limits StoreLimits) (*peerStore, *handClock) {
	clock := newHandClock()
	rng := rand.New(seeded(7))
	return newPeerStore(limits, clock.now, rng.Shuffle), clock
}

// at is the port'th socket of a host: 198.51.net.host.
func at(network, host byte, port int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, network, host}), uint16(port))
}

func stored(s *peerStore, key Key) []netip.AddrPort {
	all := s.sample(key, 1<<20)
	slices.SortFunc(all, netip.AddrPort.Compare)
	return all
}

func TestStoreKeysByAddressAndPort(t *testing.T) {
	s, _ := testStore(StoreLimits{})
	key := Key{1}
	want := []netip.AddrPort{at(1, 1, 1000), at(1, 1, 1001), at(1, 2, 1000)}
	for _, addr := range append(slices.Clone(want), want...) {
		s.add(key, addr)
	}
	if got := stored(s, key); !slices.Equal(got, want) {
		t.Errorf("stored %v, want %v", got, want)
	}
	if got := s.sample(Key{2}, 9); got != nil {
		t.Errorf("an unknown key has %v", got)
	}
}

func TestStoreRefusesWhatNobodyCanReach(t *testing.T) {
	s, _ := testStore(StoreLimits{})
	for _, a := range []string{"198.51.1.1:0", "0.0.0.0:9", "255.255.255.255:9", "224.0.0.1:9", "0.1.2.3:9", "[::]:9", "[ff02::1]:9", "[fe80::1%eth0]:9"} {
		if s.add(Key{1}, netip.MustParseAddrPort(a)) {
			t.Errorf("%s is stored", a)
		}
	}
	if s.add(Key{1}, netip.AddrPort{}) {
		t.Error("nothing is stored")
	}
	if keys, peers := s.size(); keys != 0 || peers != 0 {
		t.Errorf("%d keys, %d peers", keys, peers)
	}
}

func TestStoreForgetsAfterTheLifetime(t *testing.T) {
	s, clock := testStore(StoreLimits{TTL: 10 * time.Minute})
	s.add(Key{1}, at(1, 1, 1))
	s.add(Key{1}, at(2, 1, 1))
	clock.advance(6 * time.Minute)
	s.add(Key{1}, at(2, 1, 1)) // announced again
	s.add(Key{2}, at(3, 1, 1))
	clock.advance(4*time.Minute - 1)
	if got := stored(s, Key{1}); len(got) != 2 {
		t.Errorf("before the lifetime is over: %v", got)
	}
	clock.advance(1)
	if got := stored(s, Key{1}); !slices.Equal(got, []netip.AddrPort{at(2, 1, 1)}) {
		t.Errorf("after it: %v", got)
	}
	clock.advance(6 * time.Minute)
	s.sweep()
	if keys, peers := s.size(); keys != 0 || peers != 0 || len(s.networks) != 0 {
		t.Errorf("%d keys, %d peers, %d networks after the end of all", keys, peers, len(s.networks))
	}
}

func TestStoreCapsAKey(t *testing.T) {
	s, _ := testStore(StoreLimits{PerKey: 4})
	for n := range byte(4) {
		s.add(Key{1}, at(n, 1, 1))
	}
	if s.add(Key{1}, at(9, 1, 1)) {
		t.Error("a fifth network got in among four equals")
	}
	if !s.add(Key{1}, at(0, 1, 1)) {
		t.Error("a stored peer could not announce again")
	}
	if !s.add(Key{2}, at(9, 1, 1)) {
		t.Error("another key is full too")
	}
}

// A flood from one network neither fills a key nor pushes others out of it.
func TestStoreFloodFromOneNetwork(t *testing.T) {
	s, clock := testStore(StoreLimits{PerKey: 32, PerKeyNetwork: 16})
	for port := range 1000 {
		clock.advance(time.Millisecond)
		s.add(Key{1}, at(66, byte(port), 1+port))
	}
	if got := stored(s, Key{1}); len(got) != 16 {
		t.Fatalf("%d peers of one network under a key", len(got))
	}
	for n := range byte(30) {
		clock.advance(time.Millisecond)
		if !s.add(Key{1}, at(n, 1, 1)) {
			t.Errorf("honest network %d was refused", n)
		}
	}
	for port := range 1000 {
		clock.advance(time.Millisecond)
		s.add(Key{1}, at(66, byte(port), 2000+port))
	}
	held := 0
	for _, addr := range stored(s, Key{1}) {
		if addr.Addr().As4()[2] != 66 {
			held++
		}
	}
	if held != 30 {
		t.Errorf("%d of 30 honest peers are left", held)
	}
}

func TestStoreForgetsANetworksOldestFirst(t *testing.T) {
	s, clock := testStore(StoreLimits{PerKeyNetwork: 2})
	for port := 1; port <= 3; port++ {
		s.add(Key{1}, at(1, 1, port))
		clock.advance(time.Second)
	}
	if got, want := stored(s, Key{1}), []netip.AddrPort{at(1, 1, 2), at(1, 1, 3)}; !slices.Equal(got, want) {
		t.Errorf("stored %v, want %v", got, want)
	}
}

func TestStoreCapsANetworkOverAllKeysAndTheTotal(t *testing.T) {
	s, clock := testStore(StoreLimits{PerNetwork: 10, Total: 25, TTL: time.Hour})
	for i := range 100 {
		s.add(Key{byte(i)}, at(1, 1, 1))
	}
	if _, peers := s.size(); peers != 10 {
		t.Errorf("%d peers of one network, want 10", peers)
	}
	for i := range 100 {
		s.add(Key{byte(i)}, at(byte(2+i), 1, 1))
	}
	if _, peers := s.size(); peers != 25 {
		t.Errorf("%d peers in all, want 25", peers)
	}
	clock.advance(time.Hour)
	if !s.add(Key{250}, at(200, 1, 1)) {
		t.Error("no room although all have expired")
	}
	if _, peers := s.size(); peers != 1 {
		t.Errorf("%d peers, want 1", peers)
	}
}

// A few networks that fill the store with announcements under keys of their own
// do not keep others out, who are stored under keys that nobody floods.
func TestAFullStoreMakesRoom(t *testing.T) {
	s, _ := testStore(StoreLimits{PerNetwork: 10, Total: 40})
	for i := range 100 {
		s.add(Key{byte(i)}, at(byte(i%4), 1, 1))
	}
	for i := range byte(20) {
		if !s.add(Key{200, i}, at(100+i, 1, 1)) {
			t.Errorf("newcomer %d finds no room", i)
		}
	}
	if _, peers := s.size(); peers != 40 {
		t.Errorf("%d peers, want 40", peers)
	}
	for i := range byte(20) {
		if got := stored(s, Key{200, i}); len(got) != 1 {
			t.Errorf("newcomer %d was pushed out again", i)
		}
	}
}

func TestStoreCapsLoopbackOnlyWhenAsked(t *testing.T) {
	for capped, want := range map[bool]int{false: 20, true: 3} {
		s, _ := testStore(StoreLimits{PerKeyNetwork: 3, CapLoopback: capped})
		for port := 1; port <= 20; port++ {
			s.add(Key{1}, local(port))
		}
		if got := stored(s, Key{1}); len(got) != want {
			t.Errorf("CapLoopback %v: %d peers, want %d", capped, len(got), want)
		}
	}
}

func TestStoreCapsIPv6By48Bits(t *testing.T) {
	s, _ := testStore(StoreLimits{PerKeyNetwork: 3})
	for i := range 20 {
		ip := netip.MustParseAddr("2001:db8:1::").As16()
		ip[6], ip[15] = byte(i), 1
		s.add(Key{1}, netip.AddrPortFrom(netip.AddrFrom16(ip), 1))
	}
	if got := stored(s, Key{1}); len(got) != 3 {
		t.Errorf("%d peers of one /48", len(got))
	}
}

// One address has so many ports under a key and no more; the oldest goes.
func TestStoreCapsAddresses(t *testing.T) {
	s, clock := testStore(StoreLimits{PerKeyAddress: 3})
	for port := 1; port <= 10; port++ {
		s.add(Key{1}, at(1, 1, port))
		clock.advance(time.Second)
	}
	s.add(Key{1}, at(1, 2, 1))
	s.add(Key{2}, at(1, 1, 1))
	want := []netip.AddrPort{at(1, 1, 8), at(1, 1, 9), at(1, 1, 10), at(1, 2, 1)}
	if got := stored(s, Key{1}); !slices.Equal(got, want) {
		t.Errorf("stored %v, want %v", got, want)
	}
}

// A sample hears each network before any is heard twice, and differs from time
// to time.
func TestStoreSamplesByNetwork(t *testing.T) {
	s, _ := testStore(StoreLimits{Answer: 8})
	for port := 1; port <= 16; port++ {
		s.add(Key{1}, at(66, byte(port), 1))
	}
	for n := range byte(5) {
		s.add(Key{1}, at(n, 1, 1))
	}
	seen := make(map[netip.AddrPort]bool)
	for range 50 {
		networks := make(map[byte]bool)
		sample := s.sample(Key{1}, s.limits.Answer)
		if len(sample) != 8 {
			t.Fatalf("%d in a sample", len(sample))
		}
		for _, p := range sample {
			networks[p.Addr().As4()[2]] = true
			seen[p] = true
		}
		if len(networks) != 6 {
			t.Fatalf("%d of 6 networks in a sample", len(networks))
		}
	}
	if len(seen) != 21 {
		t.Errorf("50 samples have shown %d of 21 peers", len(seen))
	}
}

// Whatever happens, the counts are those of what is stored.
func TestStoreCountsRight(t *testing.T) {
	s, clock := testStore(StoreLimits{TTL: time.Minute, PerKey: 6, PerKeyNetwork: 3, PerNetwork: 8, Total: 40})
	rng := rand.New(seeded(9))
	for step := range 20000 {
		s.add(Key{byte(rng.IntN(12))}, at(byte(rng.IntN(10)), byte(rng.IntN(3)), 1+rng.IntN(3)))
		clock.advance(time.Duration(rng.IntN(1000)) * time.Millisecond)
		total, networks := 0, make(map[network]int)
		for key, peers := range s.keys {
			if len(peers) == 0 || len(peers) > 6 {
				t.Fatalf("step %d: key %v has %d peers", step, key, len(peers))
			}
			for addr := range peers {
				total++
				networks[s.limits.networkOf(addr)]++
			}
		}
		if total != s.total || total > 40 || len(networks) != len(s.networks) {
			t.Fatalf("step %d: %d peers, counted %d", step, total, s.total)
		}
		for n, count := range networks {
			under := 0
			for _, peers := range s.networks[n].keys {
				under += peers
			}
			if count != s.holds(n) || count != under || count > 8 {
				t.Fatalf("step %d: network %v has %d peers, counted %d, by keys %d", step, n, count, s.holds(n), under)
			}
		}
	}
}
