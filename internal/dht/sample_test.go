package dht

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
)

// public is an address in the i'th network that is not the j'th teller's.
func public(i, j int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{50, byte(i >> 8), byte(i), byte(1 + j%250)}), uint16(1+j/250))
}

func drainSample(s *sample) (out []netip.AddrPort) {
	for {
		a, ok := s.next()
		if !ok {
			return out
		}
		out = append(out, a)
	}
}

// Twenty liars tell of a hundred addresses each, of as many networks; eight
// honest nodes tell of five providers. In whatever order they come, each
// provider is handed out before the search is over.
func TestSampleLiarsLeaveRoom(t *testing.T) {
	rng := rand.New(seeded(4))
	for range 50 {
		s := newSample(StoreLimits{}.networkOf)
		var providers []netip.AddrPort
		for i := range 5 {
			providers = append(providers, at(byte(200+i), 1, 7000))
		}
		var out []netip.AddrPort
		for _, i := range rng.Perm(28) {
			teller := at(byte(i), 1, 1)
			if i < 8 {
				s.add(teller, providers)
			} else {
				var lies []netip.AddrPort
				for j := range 100 {
					lies = append(lies, public(1000*i+j, 1))
				}
				s.add(teller, lies)
			}
			out = append(out, drainSample(s)...)
		}
		for _, p := range providers {
			if !slices.Contains(out, p) {
				t.Fatalf("%s is not among the %d handed out", p, len(out))
			}
		}
		s.over = true
		if out = append(out, drainSample(s)...); len(out) != MaxFound {
			t.Errorf("%d handed out in all", len(out))
		}
		slices.SortFunc(out, netip.AddrPort.Compare)
		if n := len(out); len(slices.Compact(out)) != n {
			t.Error("an address twice")
		}
	}
}

// Sixty liars, ten and ten, agree on sixty-four addresses each time: more than
// honest nodes back a provider. It is handed out all the same, whether honest
// nodes answer first or last.
func TestSampleLiarsThatAgreeLeaveRoom(t *testing.T) {
	rng := rand.New(seeded(5))
	for range 50 {
		s := newSample(StoreLimits{}.networkOf)
		var out []netip.AddrPort
		provider := at(200, 1, 7000)
		for _, i := range rng.Perm(62) {
			told := []netip.AddrPort{provider}
			if i >= 2 {
				told = nil
				for j := range 64 {
					told = append(told, public(100*(i%6)+j, 1))
				}
			}
			s.add(at(byte(i), 1, 1), told)
			out = append(out, drainSample(s)...)
		}
		if len(out) > early {
			t.Errorf("%d handed out before the end", len(out))
		}
		s.over = true
		if out = append(out, drainSample(s)...); !slices.Contains(out, provider) || len(out) != MaxFound {
			t.Errorf("the provider is not among %d handed out", len(out))
		}
	}
}

// One network announces a thousand addresses, which several nodes tell: the
// others' come first, each once before its second.
func TestSampleServesNetworksInTurn(t *testing.T) {
	s := newSample(StoreLimits{}.networkOf)
	var flood []netip.AddrPort
	for j := range 100 {
		flood = append(flood, public(66, j))
	}
	honest := []netip.AddrPort{public(1, 1), public(2, 1), public(3, 1)}
	for i := range byte(4) {
		s.add(at(i, 1, 1), flood)
		s.add(at(i, 1, 1), honest)
	}
	got := drainSample(s)
	for _, h := range honest {
		if i := slices.Index(got, h); i < 0 || i > 3 {
			t.Errorf("%s is handed out as number %d", h, i)
		}
	}
}

// In a small network one node may be the only one to tell of everybody: all of
// them are handed out in the end.
func TestSampleOfOneTeller(t *testing.T) {
	s := newSample(StoreLimits{}.networkOf)
	var all []netip.AddrPort
	for i := range 40 {
		all = append(all, public(i, 1))
	}
	s.add(at(1, 1, 1), all)
	if got := drainSample(s); len(got) != share {
		t.Errorf("%d at once", len(got))
	}
	s.over = true
	if got := drainSample(s); len(got) != 40-share {
		t.Errorf("%d at the end", len(got))
	}
	s.over = false
	s.add(at(2, 1, 1), all)
	if got := drainSample(s); got != nil {
		t.Errorf("again: %v", got)
	}
}

func TestSampleRefusesWhatNobodyCanReach(t *testing.T) {
	s := newSample(StoreLimits{}.networkOf)
	s.add(at(1, 1, 1), []netip.AddrPort{{}, netip.MustParseAddrPort("224.0.0.1:9"), netip.MustParseAddrPort("1.2.3.4:0")})
	if got := drainSample(s); got != nil {
		t.Errorf("%v", got)
	}
}
