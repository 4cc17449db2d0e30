package cli

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/mmcloughlin/geohash"
	"github.com/spf13/pflag"

	"github.com/angler-dex/angler/internal/dht"
	"github.com/angler-dex/angler/internal/requester"
)

// whereFlags say where a request wants its capacity, and where it looks for providers.
type whereFlags struct {
	near, region string
	maxRTT       time.Duration
	providers    string // file of addresses, instead of the DHT
}

func (w *whereFlags) register(f *pflag.FlagSet) {
	f.StringVar(&w.near, "near", "", "`place` that capacity is to be near, lat,lon or a geohash: that of its users, say (default the requester)")
	f.StringVar(&w.region, "region", "", "`geohash` prefix in which it must be, such as u3")
	f.DurationVar(&w.maxRTT, "max-rtt", 0, "longest round-trip `time` to a provider (default any)")
	f.StringVar(&w.providers, "providers", "", "`file` with the addresses of providers, one host:port a line: nobody else is asked, and no DHT")
	sample(f, "near", "48.14,11.58")
	sample(f, "region", "u3")
	sample(f, "max-rtt", "30ms")
	sample(f, "providers", "providers.txt")
}

// bounds puts the flags into what the request allows.
func (w *whereFlags) bounds(b *requester.Bounds) error {
	if w.maxRTT < 0 {
		return flagError("max-rtt", "is negative", "--max-rtt 30ms")
	}
	b.MaxRTT = w.maxRTT
	if !dht.ValidCell(w.region) {
		return flagError("region", fmt.Sprintf("%q is not a geohash", clean(w.region)), "--region u3")
	}
	b.Region = w.region
	if w.near == "" {
		return nil
	}
	cell, err := parsePlace("near", w.near, dht.MaxPrecision)
	if err != nil {
		return err
	}
	lat, lon := geohash.DecodeCenter(cell)
	b.Near = &requester.Near{Lat: lat, Lon: lon}
	return nil
}

// cells are those around which to look: the region's, else around the wanted place, else around the requester.
func (w *whereFlags) cells(own string, precision int) ([]string, error) {
	if w.near != "" {
		cell, err := parsePlace("near", w.near, max(precision, dht.DefaultPrecision))
		if err != nil {
			return nil, err
		}
		return []string{cell}, nil
	}
	if w.region != "" && !strings.HasPrefix(own, w.region) {
		return []string{w.region}, nil
	}
	return []string{own}, nil
}

// Bounds of a file of providers.
const (
	maxProvidersFile = 1 << 20
	maxFixed         = 1024
)

// fixed reads the file of providers; nil: there is none.
func (w *whereFlags) fixed() (requester.Finder, error) {
	if w.providers == "" {
		return nil, nil
	}
	f, err := os.Open(w.providers)
	if err != nil {
		return nil, flagError("providers", err.Error(), "--providers providers.txt")
	}
	defer f.Close()
	addrs, err := readProviders(f)
	if err != nil {
		return nil, flagError("providers", clean(w.providers)+": "+err.Error(), "--providers providers.txt, with lines such as 198.51.100.7:7400")
	}
	return addrs, nil
}

// readProviders reads addresses, one host:port a line; blank lines and those that begin with # are left out. Names are resolved
// here, to all their addresses.
func readProviders(r io.Reader) (requester.Fixed, error) {
	var addrs requester.Fixed
	lines := bufio.NewScanner(io.LimitReader(r, maxProvidersFile))
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		found, err := resolveProvider(text)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if addrs = append(addrs, found...); len(addrs) > maxFixed {
			return nil, fmt.Errorf("line %d: more than %d addresses", n, maxFixed)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if len(addrs) == 0 {
		return nil, fmt.Errorf("names no provider")
	}
	return addrs, nil
}

func resolveProvider(text string) ([]netip.AddrPort, error) {
	host, port, err := net.SplitHostPort(text)
	n, perr := strconv.ParseUint(port, 10, 16)
	if err != nil || perr != nil || host == "" || n == 0 {
		return nil, fmt.Errorf("%q is not host:port", clean(text))
	}
	if ip, noName := netip.ParseAddr(host); noName == nil {
		return []netip.AddrPort{netip.AddrPortFrom(ip.Unmap(), uint16(n))}, nil
	}
	ips, err := net.LookupHost(host)
	if err != nil {
		return nil, fmt.Errorf("%q cannot be resolved", clean(host))
	}
	var addrs []netip.AddrPort
	for _, text := range ips {
		if ip, odd := netip.ParseAddr(text); odd == nil {
			addrs = append(addrs, netip.AddrPortFrom(ip.Unmap(), uint16(n)))
		}
	}
	return addrs, nil
}
