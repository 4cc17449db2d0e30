package cli

import (
	"fmt"
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
	f.StringVar(&w.providers, "providers", "", "`file` of providers, one host:port a line, and behind it, if you know it, the peer id: nobody else is asked, and no DHT")
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
