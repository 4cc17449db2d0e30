package dht

import (
	"net/netip"
	"testing"
)

// Who answers from many ports of one address has one vote on what ours is.
func TestVotesAreByAddress(t *testing.T) {
	n := start(t, Config{Conn: listen(t), Rand: seeded(1)})
	s := n.side(local(1).Addr())
	liar, lie, truth := netip.MustParseAddr("203.0.113.66"), netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("198.51.100.7")
	for host := range byte(3) {
		n.seenAs(s, netip.AddrPortFrom(netip.AddrFrom4([4]byte{203, 0, 113, host + 1}), 6881), truth)
	}
	for port := range uint16(2 * maxVoters) {
		n.seenAs(s, netip.AddrPortFrom(liar, 1024+port), lie)
	}
	if got := n.Stats().External; got != truth {
		t.Errorf("seen as %s", got)
	}
	if ip, sure := s.outside.elected(); ip != truth || !sure {
		t.Errorf("elected %s, %v", ip, sure)
	}
}
