package cli

import (
	"net/netip"
	"strings"
)

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
