package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/requester"
)

// Bounds of a file of providers.
const (
	maxProvidersFile = 1 << 20
	maxFixed         = 1024
)

// resolver is net.Resolver as far as it is used here.
type resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// fixed reads the file of providers; nil: there is none.
func (w *whereFlags) fixed(ctx context.Context) (requester.Finder, error) {
	if w.providers == "" {
		return nil, nil
	}
	f, err := os.Open(w.providers)
	if err != nil {
		return nil, flagError("providers", err.Error(), "--providers providers.txt")
	}
	defer f.Close()
	named, err := readProviders(ctx, f, net.DefaultResolver)
	if err != nil {
		return nil, flagError("providers", clean(w.providers)+": "+err.Error(), "--providers providers.txt, with lines such as 198.51.100.7:7400")
	}
	return named, nil
}

// readProviders reads addresses, one host:port a line, with the peer id of who is to be there behind it or not; blank lines
// and those that begin with # are left out. Names are resolved here, to all their addresses.
func readProviders(ctx context.Context, r io.Reader, names resolver) (requester.Pinned, error) {
	named := requester.Pinned{IDs: map[netip.AddrPort]identity.PeerID{}}
	lines := bufio.NewScanner(io.LimitReader(r, maxProvidersFile))
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		at, id, err := readProvider(ctx, text, names)
		if err != nil {
			return named, fmt.Errorf("line %d: %w", n, err)
		}
		for _, addr := range at {
			if other, known := named.IDs[addr]; known && other != id {
				return named, fmt.Errorf("line %d: %s is another provider in a line before", n, addr)
			}
			named.IDs[addr] = id
		}
		if named.Fixed = append(named.Fixed, at...); len(named.Fixed) > maxFixed {
			return named, fmt.Errorf("line %d: more than %d addresses", n, maxFixed)
		}
	}
	if err := lines.Err(); err != nil {
		return named, err
	}
	if len(named.Fixed) == 0 {
		return named, fmt.Errorf("names no provider")
	}
	return named, nil
}

// readProvider reads one line.
func readProvider(ctx context.Context, text string, names resolver) (at []netip.AddrPort, id identity.PeerID, err error) {
	fields := strings.Fields(text)
	switch len(fields) {
	case 1:
	case 2:
		if id, err = identity.ParsePeerID(fields[1]); err != nil {
			return nil, id, fmt.Errorf("%q is not a peer id", clean(fields[1]))
		}
	default:
		return nil, id, fmt.Errorf("more than an address and a peer id")
	}
	host, port, err := net.SplitHostPort(fields[0])
	n, perr := strconv.ParseUint(port, 10, 16)
	if err != nil || perr != nil || host == "" || n == 0 {
		return nil, id, fmt.Errorf("%q is not host:port", clean(fields[0]))
	}
	if ip, noName := netip.ParseAddr(host); noName == nil {
		return []netip.AddrPort{netip.AddrPortFrom(ip.Unmap(), uint16(n))}, id, nil
	}
	ips, err := names.LookupNetIP(ctx, "ip", host)
	if err != nil || len(ips) == 0 {
		return nil, id, fmt.Errorf("%q cannot be resolved", clean(host))
	}
	for _, ip := range ips {
		at = append(at, netip.AddrPortFrom(ip.Unmap(), uint16(n)))
	}
	return at, id, nil
}
