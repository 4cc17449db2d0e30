package dht

import (
	"cmp"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/anacrolix/dht/v2/krpc"
	peerstore "github.com/anacrolix/dht/v2/peer-store"
)

// StoreLimits bound what a node remembers of others' announcements. A zero
// field takes its default. A network is an IPv4 /24 or an IPv6 /48. Loopback
// addresses are each (with their port) a network of their own, because there
// all nodes share 127.0.0.1, unless CapLoopback asks for the same treatment as
// everywhere else.
type StoreLimits struct {
	TTL           time.Duration // life of an announcement; default 30 minutes
	PerKey        int           // peers under a key; default 256
	PerKeyNetwork int           // of these, from one network; default 16
	PerKeyAddress int           // of these, from one address; default 8
	PerNetwork    int           // peers from one network under all keys; default 1024
	Total         int           // peers under all keys; default 32,768, about 24 MiB
	Answer        int           // peers told in one reply; default 50, which fits a datagram
	CapLoopback   bool
}

func (l StoreLimits) withDefaults() StoreLimits {
	l.TTL = cmp.Or(l.TTL, 30*time.Minute)
	l.PerKey = cmp.Or(l.PerKey, 256)
	l.PerKeyNetwork = cmp.Or(l.PerKeyNetwork, 16)
	l.PerKeyAddress = cmp.Or(l.PerKeyAddress, 8)
	l.PerNetwork = cmp.Or(l.PerNetwork, 1024)
	l.Total = cmp.Or(l.Total, 32768)
	l.Answer = cmp.Or(l.Answer, 50)
	return l
}

// network is the unit by which announcements are capped and sampled. The port
// is set for exempt loopback addresses only.
type network struct {
	prefix netip.Prefix
	port   uint16
}

func (l StoreLimits) networkOf(addr netip.AddrPort) network {
	ip := addr.Addr()
	if ip.IsLoopback() && !l.CapLoopback {
		return network{netip.PrefixFrom(ip, ip.BitLen()), addr.Port()}
	}
	bits := 48
	if ip.Is4() {
		bits = 24
	}
	prefix, _ := ip.Prefix(bits) // fails only for an invalid address
	return network{prefix: prefix}
}

// peerStore keeps, for each key, who announced itself under it and until when.
// It implements the library's peer_store.Interface. A full key makes room at
// the expense of the network that holds most of it, so that a flood from one
// network cannot push the others out, and so does a full store; a full network
// forgets its own oldest peer, so that a provider that restarts on new ports
// gets in.
type peerStore struct {
	limits  StoreLimits
	now     func() time.Time
	shuffle func(n int, swap func(i, j int))

	mu       sync.Mutex
	keys     map[Key]map[netip.AddrPort]time.Time // until when
	networks map[network]*holding
	total    int
	swept    time.Time
}

// holding is how many peers of a network are stored, and under which keys.
type holding struct {
	peers int
	keys  map[Key]int
}

var _ peerstore.Interface = (*peerStore)(nil)

func newPeerStore(limits StoreLimits, now func() time.Time, shuffle func(int, func(int, int))) *peerStore {
	return &peerStore{
		limits:   limits.withDefaults(),
		now:      now,
		shuffle:  shuffle,
		keys:     make(map[Key]map[netip.AddrPort]time.Time),
		networks: make(map[network]*holding),
	}
}

// AddPeer stores a peer as the library hands it over: the packet's source
// address and the announced port.
func (s *peerStore) AddPeer(key peerstore.InfoHash, peer krpc.NodeAddr) {
	ip, ok := netip.AddrFromSlice(peer.IP)
	if !ok || peer.Port < 1 || peer.Port > 65535 {
		return
	}
	s.add(Key(key), netip.AddrPortFrom(ip.Unmap(), uint16(peer.Port)))
}

// GetPeers is a sample of the peers of a key in the library's form.
func (s *peerStore) GetPeers(key peerstore.InfoHash) []krpc.NodeAddr {
	var out []krpc.NodeAddr
	for _, addr := range s.sample(Key(key), s.limits.Answer) {
		out = append(out, krpc.NodeAddr{IP: addr.Addr().AsSlice(), Port: int(addr.Port())})
	}
	return out
}

// add stores or refreshes a peer and reports whether it is stored.
func (s *peerStore) add(key Key, addr netip.AddrPort) bool {
	if !usable(addr, false) {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	peers := s.keys[key]
	s.expire(key, peers, now)
	if _, known := peers[addr]; !known && !s.makeRoom(key, addr, now) {
		return false
	}
	// makeRoom may have emptied the key, and with it its map.
	if peers = s.keys[key]; peers == nil {
		peers = make(map[netip.AddrPort]time.Time)
		s.keys[key] = peers
	}
	if _, known := peers[addr]; !known {
		s.count(key, addr)
	}
	peers[addr] = now.Add(s.limits.TTL)
	return true
}

func (s *peerStore) forget(key Key, addr netip.AddrPort) {
	delete(s.keys[key], addr)
	if len(s.keys[key]) == 0 {
		delete(s.keys, key)
	}
	s.total--
	n := s.limits.networkOf(addr)
	h := s.networks[n]
	h.peers--
	if h.keys[key]--; h.keys[key] == 0 {
		delete(h.keys, key)
	}
	if h.peers == 0 {
		delete(s.networks, n)
	}
}

func (s *peerStore) expire(key Key, peers map[netip.AddrPort]time.Time, now time.Time) {
	for addr, until := range peers {
		if !now.Before(until) {
			s.forget(key, addr)
		}
	}
}

// sample is up to n live peers of a key, drawn network by network, so that
// each network is heard before any is heard twice.
func (s *peerStore) sample(key Key, n int) []netip.AddrPort {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire(key, s.keys[key], s.now())
	byNetwork := make(map[network][]netip.AddrPort)
	for addr := range s.keys[key] {
		from := s.limits.networkOf(addr)
		byNetwork[from] = append(byNetwork[from], addr)
	}
	groups := make([][]netip.AddrPort, 0, len(byNetwork))
	for _, group := range byNetwork {
		slices.SortFunc(group, netip.AddrPort.Compare)
		s.shuffle(len(group), func(i, j int) { group[i], group[j] = group[j], group[i] })
		groups = append(groups, group)
	}
	slices.SortFunc(groups, func(a, b []netip.AddrPort) int { return a[0].Compare(b[0]) })
	s.shuffle(len(groups), func(i, j int) { groups[i], groups[j] = groups[j], groups[i] })
	var out []netip.AddrPort
	for round := 0; len(groups) > 0 && len(out) < n; round++ {
		groups = slices.DeleteFunc(groups, func(g []netip.AddrPort) bool { return len(g) <= round })
		for _, group := range groups[:min(len(groups), n-len(out))] {
			out = append(out, group[round])
		}
	}
	return out
}

// sweep forgets everything that has expired.
func (s *peerStore) sweep() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweepLocked(s.now(), 0)
}

// sweepLocked does nothing if the last sweep is younger than every: when the
// store is full, an announcement must not cost a pass over all of it.
func (s *peerStore) sweepLocked(now time.Time, every time.Duration) {
	if every > 0 && now.Sub(s.swept) < every {
		return
	}
	s.swept = now
	for key, peers := range s.keys {
		s.expire(key, peers, now)
	}
}

// size is the number of keys and of peers, expired ones included until the
// next sweep.
func (s *peerStore) size() (keys, peers int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.keys), s.total
}
