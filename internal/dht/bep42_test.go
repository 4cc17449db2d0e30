package dht

import (
	"context"
	"encoding/hex"
	"net/netip"
	"path/filepath"
	"testing"
	"time"
)

// The examples of BEP 42: "IP, rand, example node ID", of which the first 21
// bits and the last byte are given.
var bep42Examples = []struct {
	ip string
	r  byte
	id string
}{
	{"124.31.75.21", 1, "5fbfbff10c5d6a4ec8a88e4c6ab4c28b95eee401"},
	{"21.75.31.124", 86, "5a3ce9c14e7a08645677bbd1cfe7d8f956d53256"},
	{"65.23.51.170", 22, "a5d43220bc8f112a3d426c84764f8c2a1150e616"},
	{"84.124.73.14", 65, "1b0321dd1bb1fe518101ceef99462b947a01ff41"},
	{"43.213.53.83", 90, "e56f6cbf5b7c4be0237986d5243b87aa6d51305a"},
}

func keyOf(t testing.TB, s string) Key {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != idSize {
		t.Fatal(s)
	}
	return Key(b)
}

func TestBEP42Examples(t *testing.T) {
	for _, c := range bep42Examples {
		ip, id := netip.MustParseAddr(c.ip), keyOf(t, c.id)
		if id[19] != c.r || !fits(id, ip) {
			t.Errorf("%s does not fit %s", c.id, c.ip)
		}
		for _, bit := range []int{0, 7, 12, 20} {
			wrong := id
			wrong[bit/8] ^= 0x80 >> (bit % 8)
			if fits(wrong, ip) {
				t.Errorf("%s fits although bit %d is wrong", c.ip, bit)
			}
			if bound(wrong, ip) != id {
				t.Errorf("%s: bound to %s", c.ip, bound(wrong, ip))
			}
		}
		free := id
		free[2] ^= 7
		free[10] ^= 0xff
		if !fits(free, ip) {
			t.Errorf("%s: more than 21 bits are bound", c.ip)
		}
	}
	for _, exempt := range []string{"10.1.2.3", "192.168.1.1", "127.0.0.1", "fd00::1", "fe80::1", "::1"} {
		if !fits(Key{1}, netip.MustParseAddr(exempt)) {
			t.Errorf("%s is not exempt", exempt)
		}
	}
	v6 := netip.MustParseAddr("2a02:1:2:3::4")
	id := bound(Key{9, 9, 9, 19: 5}, v6)
	if !fits(id, v6) || fits(id, netip.MustParseAddr("2a02:1:2:4::4")) || !fits(id, netip.MustParseAddr("2a02:1:2:3::5")) {
		t.Error("an IPv6 id is not bound to its /64")
	}
}

// A node that was told no address of its own takes the id that fits the one
// which others see, and is then in their tables.
func TestPublicNodeLearnsItsAddress(t *testing.T) {
	board := &switchboard{}
	addrs := []string{"8.8.1.1:6881", "9.9.2.1:6881", "11.3.3.1:6881"}
	var nodes []running
	for i, addr := range addrs {
		cfg := Config{Conn: board.listen(addr), Public: true, Rand: seeded(uint64(i + 1)), PublicIP: netip.MustParseAddrPort(addr).Addr()}
		if i > 0 {
			cfg.Bootstrap = addrs[:1]
		}
		nodes = append(nodes, start(t, cfg))
	}
	ready(t, nodes...)
	n := start(t, Config{Conn: board.listen("12.4.4.1:6881"), Public: true, Rand: seeded(9), Bootstrap: addrs[:1]})
	ready(t, n)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		listed := 0
		for _, other := range nodes {
			for _, c := range other.known() {
				if c.addr == n.Addr() && c.id == n.ID() {
					listed++
				}
			}
		}
		if listed == len(nodes) {
			break
		}
		if !pause(ctx, 10*time.Millisecond) {
			t.Fatalf("%d of %d nodes list it", listed, len(nodes))
		}
	}
	if !fits(n.ID(), n.Addr().Addr()) {
		t.Error("its id does not fit its address")
	}
}

// An announcement is not given to a node whose id does not fit its address,
// however near to the key it claims to be, and its word on peers is not taken.
func TestPublicNetworkStoresAtFittingNodesOnly(t *testing.T) {
	board := &switchboard{}
	addrs := []string{"8.8.1.1:6881", "9.9.2.1:6881", "11.3.3.1:6881", "12.4.4.1:6881"}
	key := ClassKey("lab", "", "x")
	var nodes []running
	for i, addr := range addrs {
		cfg := Config{Conn: board.listen(addr), Public: true, Rand: seeded(uint64(i + 1)), PublicIP: netip.MustParseAddrPort(addr).Addr()}
		if i > 0 {
			cfg.Bootstrap = addrs[:1]
		}
		nodes = append(nodes, start(t, cfg))
	}
	ready(t, nodes...)
	liar := start(t, Config{Conn: board.listen("14.6.6.1:6881"), ID: key, Bootstrap: addrs, Rand: seeded(50), Public: true, PublicIP: netip.MustParseAddr("66.1.2.3")})
	ready(t, liar)
	liar.store.add(key, netip.MustParseAddrPort("99.9.9.9:9"))
	for _, n := range nodes {
		if err := n.Announce(t.Context(), key, 4242); err != nil {
			t.Fatal(err)
		}
		// Even when it is told of and asked.
		n.joining.mu.Lock()
		n.joining.bootstrap = append(n.joining.bootstrap, liar.Addr())
		n.joining.mu.Unlock()
		if err := n.Announce(t.Context(), key, 4243); err != nil {
			t.Fatal(err)
		}
	}
	if _, peers := liar.store.size(); peers != 1 {
		t.Errorf("the liar was told %d announcements", peers-1)
	}
	got := lookup(t, nodes[0], key)
	if len(got) != 2*len(nodes) {
		t.Errorf("found %v", got)
	}
	for _, a := range got {
		if a.Port() == 9 {
			t.Error("the liar's word was taken")
		}
	}
}

// "mainline" is the public DHT: its routers, and BEP 42 on.
func TestMainline(t *testing.T) {
	if err := CheckBootstrap(Mainline); err != nil {
		t.Fatal(err)
	}
	n, err := New(Config{
		Conn: listen(t), Bootstrap: []string{"dht.example.org:7401", Mainline}, Rand: seeded(1),
		PublicIP: netip.MustParseAddr("124.31.75.21"), TablePath: filepath.Join(t.TempDir(), "table"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if !n.cfg.Public || len(n.cfg.Bootstrap) != 1+len(routers) || n.cfg.Bootstrap[0] != "dht.example.org:7401" {
		t.Errorf("public %v, bootstrap %v", n.cfg.Public, n.cfg.Bootstrap)
	}
	if !fits(n.ID(), netip.MustParseAddr("124.31.75.21")) {
		t.Error("the id does not fit the address")
	}
	if m, err := New(Config{Conn: listen(t), Bootstrap: []string{"dht.example.org:7401"}, Rand: seeded(1)}); err != nil || m.cfg.Public {
		t.Errorf("a pool's own network is public: %v", err)
	}
}
