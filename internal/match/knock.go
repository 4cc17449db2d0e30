package match

import (
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/angler-dex/angler/internal/identity"
)

// Who asks to be dialled back chooses where we knock, and an address that it
// names need not be its own. What it was seen at is: the handshake has proven it.
// So we knock there as often as every ten seconds, and elsewhere only in a pool,
// whose operators answer for what they sign, at five addresses a minute; never at
// one of a private network or of this machine for somebody from outside. A
// knock is the first packets of a handshake, half a dozen of 1,200 bytes, so that
// whoever lives at such an address gets about 600 bytes a second for each node
// that can be asked.
const (
	knockEvery     = 10 * time.Second // for one peer
	elsewhereEvery = time.Minute      // at addresses at which it was not seen
	maxElsewhere   = 4                // of them
	knocksAtOnce   = 4
	maxKnocked     = 1024 // peers that are remembered
)

// knock is where to knock.
type knock struct {
	at     []netip.AddrPort
	some   bool           // elsewhere we would, but not now
	astray netip.AddrPort // where announcements lead to, if that is another place and one to knock at
}

// knocks keeps count of them.
type knocks struct {
	mu   sync.Mutex
	last map[identity.PeerID]knocked
	busy int
}

// knocked is when we knocked for a peer the last time.
type knocked struct{ at, elsewhere time.Time }

// admit takes one of the few places, which done gives back, for a peer that was
// seen at an address and whose announcements lead to another (invalid: to one of
// the record's), and says where to knock; false: there is no place, the peer had
// one a moment ago, or the bounds leave nothing.
func (k *knocks) admit(rec identity.Record, astray netip.AddrPort, seen netip.Addr, pool bool, now time.Time) (knock, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	last := k.last[rec.ID]
	if k.busy == knocksAtOnce || now.Sub(last.at).Abs() < knockEvery {
		return knock{}, false
	}
	own, others := divide(rec.Addrs, seen)
	led, ledElsewhere := divide([]netip.AddrPort{astray}, seen)
	told := knock{at: own}
	if len(led)+len(ledElsewhere) > 0 {
		told.astray = astray
	}
	switch {
	case len(others)+len(ledElsewhere) == 0:
	case pool && now.Sub(last.elsewhere).Abs() >= elsewhereEvery:
		told.at = append(own, others[:min(maxElsewhere, len(others))]...)
		last.elsewhere = now
	case len(own) == 0 || len(ledElsewhere) > 0:
		return knock{}, false
	default:
		told.some = true
	}
	last.at = now
	if k.last == nil || len(k.last) == maxKnocked {
		k.last = map[identity.PeerID]knocked{} // forgetting all costs one early answer each
	}
	k.last[rec.ID] = last
	k.busy++
	return told, true
}

func (k *knocks) done() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.busy--
}

// divide parts a record's addresses into those at which its owner was seen
// and the others. One of a private network is none for who is not in it, nor is
// one of this machine for who is not on it.
func divide(addrs []netip.AddrPort, seen netip.Addr) (own, others []netip.AddrPort) {
	for _, a := range addrs {
		switch {
		case !a.IsValid():
		case a.Addr() == seen:
			own = append(own, a)
		case scopeOf(a.Addr()) >= scopeOf(seen):
			others = append(others, a)
		}
	}
	return own, others
}

// scope is from how far an address can mean its owner.
type scope int

const (
	machine  scope = iota // this one
	link                  // of one cable
	site                  // of a private network, a carrier's or an overlay's among them
	internet              // anywhere
)

// scopeOf is that of an address that can be dialled.
func scopeOf(ip netip.Addr) scope {
	switch {
	case ip.IsLoopback():
		return machine
	case ip.IsLinkLocalUnicast():
		return link
	case ip.IsPrivate() || slices.ContainsFunc(bounded, func(p netip.Prefix) bool { return p.Contains(ip) }):
		return site
	}
	return internet
}

// bounded are networks, beside the private ones, whose addresses mean something else
// or nothing to others (RFC 6890), or an IPv4 address that may be one of those.
var bounded = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"), // of carriers; overlays use it too
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), // of benchmarks
	netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("::/96"),
	netip.MustParsePrefix("64:ff9b::/96"),   // NAT64
	netip.MustParsePrefix("64:ff9b:1::/48"), // the same, of a site
	netip.MustParsePrefix("2002::/16"),      // 6to4
	netip.MustParsePrefix("fec0::/10"),      // what fc00::/7 is now
}
