package cli

import (
	"strconv"

	"github.com/angler-dex/angler/internal/control"
	"github.com/angler-dex/angler/internal/market"
)

// dryRun is what `request --dry-run` prints: the request, parted into what peers see and what they do not.
type dryRun struct {
	Public struct {
		Class    string           `json:"class"`
		Policy   string           `json:"policy"`
		Duration control.Duration `json:"duration"`
		Pool     string           `json:"pool"`
		Cell     string           `json:"cell"`
	} `json:"public"`
	Secret struct {
		Quantity market.Quantity `json:"quantity"`
		MaxPrice *market.Price   `json:"maxPrice,omitempty"`
		Cap      market.Quantity `json:"cap,omitempty"` // most units from one provider
	} `json:"secret"`
	MinProviders int `json:"minProviders"`
	MaxProviders int `json:"maxProviders"`
}

func (a *app) printDryRun(req market.Request, f requestFlags, j joined, cell string) error {
	var d dryRun
	d.Public.Class, d.Public.Policy, d.Public.Duration = req.Class.String(), req.Policy, control.Duration(req.Duration)
	d.Public.Pool, d.Public.Cell = j.Pool.Name, cell
	d.Secret.Quantity, d.Secret.Cap = req.Quantity, req.Cap
	if req.MaxPrice != market.NoMaximum {
		d.Secret.MaxPrice = &req.MaxPrice
	}
	d.MinProviders, d.MaxProviders = f.minProviders, f.maxProviders
	return a.print(view{data: d, names: []string{d.Public.Class}, text: func(p *page) {
		p.line("%s", p.style.head("What every provider that is asked would see:"))
		p.field("unit", d.Public.Class)
		p.field("policy", d.Public.Policy)
		p.field("duration", d.Public.Duration.String())
		p.line("%s", p.style.head("What nobody sees, but for a winner the number of units that it delivers:"))
		p.field("units", strconv.Itoa(int(d.Secret.Quantity)))
		if d.Secret.MaxPrice != nil {
			p.field("max price", d.Secret.MaxPrice.String())
		}
		if d.Secret.Cap > 0 {
			p.field("cap", plural(int(d.Secret.Cap), "unit")+" from one provider")
		}
		p.line("It would be asked among %d to %d providers of pool %s.", d.MinProviders, d.MaxProviders, d.Public.Pool)
	}})
}
