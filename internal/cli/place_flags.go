package cli

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/angler-dex/angler/internal/dht"
)

// cellPrecision is that of the cell which --location stands for: about 39 × 20 km.
const cellPrecision = 4

// placeFlags say where a party is.
type placeFlags struct{ cell, location string }

func (p *placeFlags) register(f *pflag.FlagSet, whose string) {
	f.StringVar(&p.cell, "cell", "", "geohash `cell` of "+whose+", such as u33d (default the whole world)")
	f.StringVar(&p.location, "location", "", "`lat,lon` of "+whose+" instead; it becomes a cell of about 39 × 20 km")
	sample(f, "cell", "u33d")
	sample(f, "location", "52.52,13.40")
}

// find returns the cell.
func (p *placeFlags) find() (string, error) {
	switch {
	case p.cell != "" && p.location != "":
		return "", usagef("--cell and --location say the same; give one of them, for example --cell u33d")
	case p.location == "":
		if !dht.ValidCell(p.cell) {
			return "", flagError("cell", "is not a geohash of at most 12 characters", "--cell u33d")
		}
		return p.cell, nil
	}
	first, second, _ := strings.Cut(p.location, ",")
	lat, err1 := strconv.ParseFloat(strings.TrimSpace(first), 64)
	lon, err2 := strconv.ParseFloat(strings.TrimSpace(second), 64)
	if err1 != nil || err2 != nil {
		return "", flagError("location", "is not latitude,longitude in degrees", "--location 52.52,13.40")
	}
	cell, err := dht.CellOf(lat, lon, cellPrecision)
	if err != nil {
		return "", usagef("--location: %w; for example --location 52.52,13.40", err)
	}
	return cell, nil
}

// checkListen wants host:port with a host that is an address or nothing.
func checkListen(flag, text string) error {
	host, port, err := net.SplitHostPort(text)
	if err == nil && host != "" {
		_, err = netip.ParseAddr(host)
	}
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return flagError(flag, fmt.Sprintf("%q is not an address and port to listen at", clean(text)), "--"+flag+" 0.0.0.0:7400")
	}
	return nil
}

// checkHostPorts wants host:port of others.
func checkHostPorts(flag string, list []string) error {
	for _, text := range list {
		host, port, err := net.SplitHostPort(text)
		n, perr := strconv.ParseUint(port, 10, 16)
		if err != nil || perr != nil || host == "" || n == 0 {
			return flagError(flag, fmt.Sprintf("%q is not host:port", clean(text)), "--"+flag+" dht.example.org:7401")
		}
	}
	return nil
}

// parseAddrPorts reads addresses that others can dial.
func parseAddrPorts(flag string, list []string) ([]netip.AddrPort, error) {
	var addrs []netip.AddrPort
	for _, text := range list {
		a, err := netip.ParseAddrPort(text)
		if err != nil || a.Port() == 0 || a.Addr().IsUnspecified() {
			return nil, flagError(flag, fmt.Sprintf("%q is not an IP address and port", clean(text)), "--"+flag+" 198.51.100.7:7400")
		}
		addrs = append(addrs, a)
	}
	return addrs, nil
}
