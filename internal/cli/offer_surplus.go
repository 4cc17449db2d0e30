package cli

import (
	"strconv"

	"github.com/spf13/pflag"

	"github.com/angler-dex/angler/internal/control"
	"github.com/angler-dex/angler/internal/market"
)

// surplusFlags make an offer follow what the cluster has over.
type surplusFlags struct {
	from                  bool
	share, keep, whenFree string
}

func (s *surplusFlags) register(f *pflag.FlagSet) {
	f.BoolVar(&s.from, "from-cluster", false, "offer what the cluster has over, as it changes: --count, or the totals, are only the most of it")
	f.StringVar(&s.share, "share", "", "`part` of what pods of others leave that may be leased (default 100%)")
	f.StringVar(&s.keep, "keep", "", "`amounts` that stay free, such as cpu=4,memory=8Gi (default none)")
	f.StringVar(&s.whenFree, "when-free", "", "`bound`: offer only while more than this is free, such as '>30%' (default none)")
	sample(f, "share", "50%")
	sample(f, "keep", "cpu=4,memory=8Gi")
	sample(f, "when-free", "'>30%'")
}

// defaultUnit is what is offered of a cluster if nothing else is said.
const defaultUnit = "cpu=1,memory=1Gi"

// unitAndCeiling is the unit and the ceiling: of what follows the cluster both may be left out.
func (f *offerFlags) unitAndCeiling() (market.Class, market.Quantity, error) {
	s := f.size
	if !f.surplus.from {
		for flag, text := range map[string]string{"share": f.surplus.share, "keep": f.surplus.keep, "when-free": f.surplus.whenFree} {
			if text != "" {
				return market.Class{}, 0, usagef("--%s goes with --from-cluster; for example --from-cluster --share 50%% --keep cpu=4,memory=8Gi --when-free '>30%%'", flag)
			}
		}
		return s.shape(market.ShapeOffer)
	}
	if s.unit == "" && s.cpu == "" && s.memory == "" && s.gpu == "" && s.count == "" {
		s.unit = defaultUnit
		if s.arch != "" {
			s.unit += ",arch=" + s.arch
		}
		if s.currency != "" {
			s.unit += ",currency=" + s.currency
		}
		s.arch, s.currency = "", ""
	}
	if s.unit != "" && s.count == "" {
		s.count = strconv.Itoa(int(market.MaxQuantity))
	}
	return s.shape(market.ShapeOffer)
}

// put reads the flags; nil without --from-cluster.
func (s *surplusFlags) put() (*market.Surplus, *control.Surplus, error) {
	if !s.from {
		return nil, nil, nil
	}
	terms, asked := &market.Surplus{Share: market.AllOf}, &control.Surplus{}
	var err error
	if s.share != "" {
		if terms.Share, err = market.ParsePercent("share", s.share); err == nil && terms.Share == 0 {
			return nil, nil, flagError("share", "must be above 0", "--share 50%")
		}
	}
	if err == nil && s.keep != "" {
		terms.Keep, err = market.ParseKeep(s.keep)
		asked.Keep = terms.Keep.String()
	}
	if err == nil && s.whenFree != "" {
		terms.WhenFree, err = market.ParseWhenFree(s.whenFree)
		asked.WhenFree = ">" + terms.WhenFree.String()
	}
	asked.Share = terms.Share.String()
	return terms, asked, err
}

// follows says whether an offer follows the cluster as was asked.
func follows(asked, put *control.Surplus) bool {
	if asked == nil || put == nil {
		return asked == nil && put == nil
	}
	return asked.Share == put.Share && asked.Keep == put.Keep && asked.WhenFree == put.WhenFree
}

// amount says how many units an offer has: of one that follows the cluster what it comes to now.
func amount(o control.Offer) string {
	most := strconv.FormatUint(uint64(o.Ceiling), 10)
	switch {
	case o.Surplus == nil:
		return most
	case o.Surplus.Now == nil:
		return "unknown"
	}
	now := strconv.FormatUint(uint64(min(*o.Surplus.Now, o.Ceiling)), 10)
	return now + " now"
}

// offered is how many units an offer has, in words.
func offered(o control.Offer) string {
	switch {
	case o.Surplus == nil:
		return units(o.Ceiling)
	case o.Surplus.Now == nil:
		return "what the cluster has over"
	}
	return "what the cluster has over, now " + units(min(*o.Surplus.Now, o.Ceiling))
}
