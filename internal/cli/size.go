package cli

import (
	"github.com/spf13/pflag"

	"github.com/angler-dex/angler/internal/market"
)

// sizeFlags say how much of what, for an offer as for a request: either totals, which the market turns into standard units, or
// a unit and how many of it.
type sizeFlags struct {
	cpu, memory, gpu, arch, currency string
	unit, count                      string
}

func (s *sizeFlags) register(f *pflag.FlagSet) {
	f.StringVar(&s.cpu, "cpu", "", "`vCPUs` in total, such as 32")
	f.StringVar(&s.memory, "memory", "", "`memory` in total, such as 64Gi (default 1Gi a vCPU)")
	f.StringVar(&s.gpu, "gpu", "", "`MODEL=COUNT` of GPUs, such as nvidia-h100=2")
	f.StringVar(&s.arch, "arch", "", "processor `architecture` (default amd64)")
	f.StringVar(&s.currency, "currency", "", "`currency` of prices (default USD)")
	f.StringVar(&s.unit, "unit", "", "the `unit` itself instead of totals, such as cpu=200m,memory=128Mi")
	f.StringVar(&s.count, "count", "", "`number` of units of --unit, such as 5")
	for name, value := range map[string]string{
		"cpu": "32", "memory": "64Gi", "gpu": "nvidia-h100=2", "arch": "arm64", "currency": "EUR",
		"unit": "cpu=200m,memory=128Mi", "count": "5",
	} {
		sample(f, name, value)
	}
}

// sizeNames are the flags behind fields of the market that have another name.
var sizeNames = map[string]string{"class": "unit", "quantity": "count"}

// shape turns the flags into a class and a quantity with round, which is the market's rounding for a request or for an offer.
func (s *sizeFlags) shape(round func(market.Size) (market.Class, market.Quantity, error)) (market.Class, market.Quantity, error) {
	totals := s.cpu != "" || s.memory != "" || s.gpu != ""
	switch {
	case s.unit == "" && s.count != "":
		return market.Class{}, 0, usagef("--count counts units of --unit; for example --unit cpu=200m,memory=128Mi --count 5")
	case s.unit == "" && !totals:
		return market.Class{}, 0, usagef("how much is missing; for example --cpu 32 --memory 64Gi, or --unit cpu=200m,memory=128Mi --count 5")
	case s.unit == "":
		c, q, err := round(market.Size{CPU: s.cpu, Memory: s.memory, GPU: s.gpu, Arch: s.arch, Currency: s.currency})
		return c, q, fieldFault(err, sizeNames)
	case totals || s.arch != "" || s.currency != "":
		return market.Class{}, 0, usagef("--unit stands alone: it goes with --count, not with --cpu, --memory, --gpu, --arch or --currency; for example --unit arch=arm64,cpu=1,memory=2Gi --count 5")
	case s.count == "":
		return market.Class{}, 0, usagef("--unit needs --count; for example --unit %s --count 5", clean(s.unit))
	}
	c, err := market.ParseClass(s.unit)
	if err != nil {
		return c, 0, fieldFault(err, sizeNames)
	}
	q, err := market.ParseQuantity(s.count)
	if err == nil && q == 0 {
		err = flagError("count", "is 0", "--count 5")
	}
	return c, q, fieldFault(err, sizeNames)
}
