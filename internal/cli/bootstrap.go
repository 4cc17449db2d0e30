package cli

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/angler-dex/angler/internal/dht"
)

// readBootstrap gives the nodes to join by; public says that they are those of the public DHT. mainline stands alone: a DHT is
// either public or a pool's own.
func readBootstrap(flag string, list []string) (nodes []string, public bool, err error) {
	if !slices.Contains(list, dht.Mainline) {
		return list, false, checkHostPorts(flag, list)
	}
	if len(list) > 1 {
		return nil, false, flagError(flag, "mainline stands alone", "--"+flag+" mainline")
	}
	return list, true, nil
}

// checkAdvertise wants addresses that an announcement can carry: it has one port, and in the public DHT the address that its
// packet comes from.
func checkAdvertise(list []netip.AddrPort, public bool) error {
	for _, a := range list {
		switch ip := a.Addr().Unmap(); {
		case a.Port() != list[0].Port():
			return flagError("advertise", "has more than one port, an announcement carries one", "--advertise 198.51.100.7:7400,[2001:db8::7]:7400")
		case public && (!ip.IsGlobalUnicast() || ip.IsPrivate()):
			return flagError("advertise", strings.TrimSpace(ip.String())+" is not an address of the public Internet, as --bootstrap mainline needs", "--advertise 198.51.100.7:7400")
		}
	}
	return nil
}
