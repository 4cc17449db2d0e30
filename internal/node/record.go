package node

import (
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/angler-dex/angler/internal/coord"
	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match"
	"github.com/angler-dex/angler/internal/placement"
)

// tellMoves is how often others may be told that the coordinate has moved: they
// measure theirs by it, so all settle the sooner the fresher those in records are.
const tellMoves = 30 * time.Second

// selfRecord signs what this provider says of itself, anew when its classes or
// its place changed or half of the record's life is over.
type selfRecord struct {
	key        *identity.Key
	addrs      []netip.AddrPort
	place      *place
	membership *identity.Membership
	classes    func() []string
	policies   func() []string
	now        func() time.Time

	mu     sync.Mutex
	raw    []byte
	issued time.Time
	listed []string
	enters []string
	at     string // cell
	told   coord.Coordinate
}

// get returns the signed record.
func (r *selfRecord) get() ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now, classes, policies := r.now(), r.classes(), r.policies()
	cell, here := r.place.where(), r.place.space.Here()
	age := now.Sub(r.issued)
	same := slices.Equal(classes, r.listed) && slices.Equal(policies, r.enters) && cell == r.at && (here == r.told || age < tellMoves)
	if r.raw != nil && age < recordLife/2 && age >= 0 && same {
		return r.raw, nil
	}
	raw, err := identity.SignRecord(r.key, identity.Record{
		Addrs: r.addrs, Classes: classes, Policies: policies, Versions: []uint{match.Version},
		Cell: cell, Coordinate: here.Append(nil), Membership: r.membership, Issued: now, Expires: now.Add(recordLife),
	})
	if err != nil {
		return nil, err
	}
	r.raw, r.issued, r.listed, r.enters, r.at, r.told = raw, now, classes, policies, cell, here
	return raw, nil
}

// announced lists the classes under which the ledger's offers are found,
// paused ones left out: sorted, each once, at most as many as a record holds.
func announced(l *market.Ledger) []string {
	const most = 64
	var classes []string
	for _, o := range l.Offers() {
		if o.Paused {
			continue
		}
		for _, c := range o.Announced() {
			classes = append(classes, c.String())
		}
	}
	slices.Sort(classes)
	classes = slices.Compact(classes)
	return classes[:min(most, len(classes))]
}

// entered lists the placement functions that the ledger's offers enter, and with
// what, paused ones left out.
func entered(l *market.Ledger) []string {
	const most = 16
	var names []string
	for _, o := range l.Offers() {
		switch {
		case o.Paused:
		case len(o.Policies) == 0:
			names = append(names, placement.Policies()...)
		default:
			names = append(names, o.Policies...)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	return names[:min(most, len(names))]
}

// reachable lists where others can dial a socket that is bound to addr: addr
// itself, or with a wildcard the machine's unicast addresses, global ones first.
func reachable(bound netip.AddrPort) ([]netip.AddrPort, error) {
	if ip := bound.Addr(); !ip.IsUnspecified() {
		return []netip.AddrPort{netip.AddrPortFrom(ip.Unmap().WithZone(""), bound.Port())}, nil
	}
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil, err
	}
	var addrs, loopback []netip.AddrPort
	for _, a := range all {
		prefix, err := netip.ParsePrefix(a.String())
		if err != nil {
			continue
		}
		ip := prefix.Addr().Unmap().WithZone("")
		switch at := netip.AddrPortFrom(ip, bound.Port()); {
		case bound.Addr().Is4() && !ip.Is4():
		case ip.IsLoopback():
			loopback = append(loopback, at)
		case ip.IsGlobalUnicast():
			addrs = append(addrs, at)
		}
	}
	if len(addrs) == 0 {
		addrs = loopback // a machine without a network: its own peers can still dial
	}
	slices.SortStableFunc(addrs, func(a, b netip.AddrPort) int { return private(a) - private(b) })
	return addrs[:min(identity.MaxAddrs, len(addrs))], nil
}

func private(a netip.AddrPort) int {
	if a.Addr().IsPrivate() {
		return 1
	}
	return 0
}
