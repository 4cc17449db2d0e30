package requester

import (
	"net/netip"

	"github.com/angler-dex/angler/internal/match"
)

// All parties of a match connect to each other, at addresses from their records:
// one with IPv4 addresses alone and one with IPv6 addresses alone cannot be in
// the same match, however near both are.

// has4 and has6 say of which families the addresses of a candidate are.
func has4(m match.Candidate) bool { return hasAddr(m, netip.Addr.Is4) }
func has6(m match.Candidate) bool { return hasAddr(m, netip.Addr.Is6) }

func hasAddr(m match.Candidate, is func(netip.Addr) bool) bool {
	for _, a := range m.Record.Addrs {
		if is(a.Addr()) {
			return true
		}
	}
	return false
}

// family chooses the address family that most candidates have, IPv4 if as many
// have either, and says who has it.
func family(met []match.Candidate) (has func(match.Candidate) bool) {
	four, six := 0, 0
	for _, m := range met {
		if has4(m) {
			four++
		}
		if has6(m) {
			six++
		}
	}
	if six > four {
		return has6
	}
	return has4
}
