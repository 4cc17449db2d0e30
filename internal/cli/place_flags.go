package cli

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/angler-dex/angler/internal/dht"
	"github.com/angler-dex/angler/internal/identity"
)

// autoLocation is the location that follows from round trips to others.
const autoLocation = "auto"

// placeFlags say where a party is.
type placeFlags struct {
	location  string
	precision int
}

func (p *placeFlags) register(f *pflag.FlagSet, whose string) {
	f.StringVar(&p.location, "location", autoLocation, "where "+whose+" is: `lat,lon`, a geohash, or auto, which takes it from round trips to others")
	f.IntVar(&p.precision, "precision", dht.DefaultPrecision, "`characters` of the geohash that others may see, 0 to "+strconv.Itoa(dht.MaxPrecision)+"; 4 is about 39 × 20 km, 0 the whole world")
	sample(f, "location", "52.52,13.40")
	sample(f, "precision", "4")
}

// find returns the cell, "" for the whole world; auto is true if it has yet to be found out.
func (p *placeFlags) find() (cell string, auto bool, err error) {
	if p.precision < 0 || p.precision > dht.MaxPrecision {
		return "", false, flagError("precision", "must be 0 to "+strconv.Itoa(dht.MaxPrecision), "--precision 4")
	}
	if p.location == autoLocation || p.location == "" {
		return "", p.precision > 0, nil
	}
	cell, err = parsePlace("location", p.location, p.precision)
	return cell, false, err
}

// parsePlace reads lat,lon or a geohash as a cell of at most so many characters.
func parsePlace(flag, text string, precision int) (string, error) {
	if dht.ValidCell(text) && text != "" {
		return text[:min(len(text), precision)], nil
	}
	lat, lon, err := parseLatLon(flag, text)
	if err != nil {
		return "", err
	}
	cell, err := dht.CellOf(lat, lon, precision)
	if err != nil {
		return "", usagef("--%s: %w; for example --%s 52.52,13.40", flag, err, flag)
	}
	return cell, nil
}

// parseLatLon reads degrees; whether they are on the globe is dht.CellOf's to say.
func parseLatLon(flag, text string) (lat, lon float64, err error) {
	first, second, _ := strings.Cut(text, ",")
	lat, err1 := strconv.ParseFloat(strings.TrimSpace(first), 64)
	lon, err2 := strconv.ParseFloat(strings.TrimSpace(second), 64)
	if err1 != nil || err2 != nil {
		return 0, 0, flagError(flag, fmt.Sprintf("%q is neither latitude,longitude in degrees nor a geohash", clean(text)), "--"+flag+" 52.52,13.40")
	}
	return lat, lon, nil
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

// checkHostPorts wants host:port of others, or the word for the public DHT.
func checkHostPorts(flag string, list []string) error {
	for _, text := range list {
		if text == dht.Mainline {
			continue
		}
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
	if len(list) > identity.MaxAddrs {
		return nil, flagError(flag, fmt.Sprintf("has %d addresses, at most %d are told to others", len(list), identity.MaxAddrs), "--"+flag+" 198.51.100.7:7400")
	}
	var addrs []netip.AddrPort
	for _, text := range list {
		a, err := netip.ParseAddrPort(text)
		a = netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
		if err != nil || !identity.Dialable(a) {
			return nil, flagError(flag, fmt.Sprintf("%q is not an IP address and port that others can dial", clean(text)), "--"+flag+" 198.51.100.7:7400")
		}
		addrs = append(addrs, a)
	}
	return addrs, nil
}
