package dht

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
)

// usable reports whether a packet may be sent to an address that a stranger
// named. On the public network that excludes private and local addresses: no
// stranger chooses which machine of our own network hears from us.
func usable(addr netip.AddrPort, public bool) bool {
	ip := addr.Addr()
	switch {
	case addr.Port() == 0, !ip.IsValid(), ip.Zone() != "":
		return false
	case ip.IsUnspecified(), ip.IsMulticast(), ip == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return false
	case ip.Is4() && ip.As4()[0] == 0:
		return false
	case public:
		return ip.IsGlobalUnicast() && !ip.IsPrivate()
	}
	return true
}

// addrPortOf reads a socket address, IPv4 in its 4-byte form.
func addrPortOf(a net.Addr) netip.AddrPort {
	var ap netip.AddrPort
	if udp, ok := a.(*net.UDPAddr); ok {
		ap = udp.AddrPort()
	} else if a != nil {
		ap, _ = netip.ParseAddrPort(a.String())
	}
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}

// families says which address families a socket can reach.
type families struct{ v4, v6 bool }

func familiesOf(local netip.AddrPort) families {
	ip := local.Addr()
	switch {
	case !ip.IsValid(), ip == netip.IPv6Unspecified():
		return families{true, true}
	case ip.Is4():
		return families{v4: true}
	}
	return families{v6: true}
}

func (f families) reach(ip netip.Addr) bool {
	return ip.Is4() && f.v4 || ip.Is6() && f.v6
}

// checkHostPort refuses a bootstrap entry that could never be resolved.
func checkHostPort(entry string) error {
	host, port, err := net.SplitHostPort(entry)
	if err != nil {
		return fmt.Errorf("bootstrap node %q: %w", entry, err)
	}
	if n, convErr := strconv.ParseUint(port, 10, 16); convErr != nil || n == 0 || host == "" {
		return fmt.Errorf("bootstrap node %q is not host:port", entry)
	}
	return nil
}

// resolve looks up a bootstrap entry, which checkHostPort has accepted.
func resolve(ctx context.Context, entry string, reach families) ([]netip.AddrPort, error) {
	host, port, err := net.SplitHostPort(entry)
	if err != nil {
		return nil, fmt.Errorf("bootstrap node %q: %w", entry, err)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("bootstrap node %q: %w", entry, err)
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, fmt.Errorf("bootstrap node %q: %w", entry, err)
	}
	var addrs []netip.AddrPort
	for _, ip := range ips {
		if addr := netip.AddrPortFrom(ip.Unmap(), uint16(n)); reach.reach(addr.Addr()) && usable(addr, false) {
			addrs = append(addrs, addr)
		}
	}
	if len(addrs) == 0 {
		return nil, fmt.Errorf("bootstrap node %q has no address that this socket reaches", entry)
	}
	return addrs, nil
}
