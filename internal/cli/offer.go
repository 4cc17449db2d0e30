package cli

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/angler-dex/angler/internal/control"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/placement"
)

type offerFlags struct {
	size                  sizeFlags
	surplus               surplusFlags
	name                  string
	price, tiers, expr    string
	perMatch, storage     string
	policies, allow, deny []string
	maxDuration, notice   time.Duration
	maxLeases, maxMatches int
}

func (a *app) offerCommand() *cobra.Command {
	var f offerFlags
	cmd := &cobra.Command{
		Use:   "offer",
		Short: "Put an offer of the local daemon, list, pause or remove offers",
		Long: `Put an offer: up to so many units at a price per unit and hour. What is offered and what it costs stay in the daemon
and enter matches encrypted; only the kinds of unit are announced. An offer of that name is replaced. Its leases live on.

Totals are rounded down to standard units: --cpu 10 --memory 20Gi is 10 units of 1 cpu and 2Gi. Offers draw on one
capacity: the daemon never leases more than it has, whatever the offers add up to.

What a unit costs is one price, a supply curve in up to eight steps (--price-tiers: the price of every unit if that many are
taken), or an expression (--price-expr) that is evaluated anew when a match binds. It may use total, free and used (units of
the capacity), duration (hours of the lease), hour (0 to 23) and weekday (1, Monday, to 7), both UTC; + - * / **, comparisons,
and, or, not, c ? a : b, min, max, abs, floor, ceil, round. While it yields no price, one below zero or one above 4294.967295,
the offer enters nothing into matches, and 'angler offer list' says why.

With --from-cluster the offer follows what the nodes have over: allocatable less what pods ask for, counted in units that fit
on a node whole. At most --share of what pods of others leave is leased at any time, --keep stays free, and nothing is entered
unless more than --when-free is free. The cluster is looked at every ten seconds; while it cannot be seen for a minute the
offer enters nothing. It stays announced all the while.

A match holds all that an offer has for as long as it runs, a few seconds at most; another that binds in that time finds none.
--per-match bounds what one match may hold, at the cost of not serving larger requests.`,
		Example: `  angler offer --cpu 10 --price 0.03
  angler offer --name big --cpu 64 --memory 256Gi --price 0.045 --max-duration 24h
  angler offer --unit cpu=200m,memory=128Mi --count 50 --price 0.008
  angler offer --cpu 64 --price-tiers 1-8=0.03,9-=0.025
  angler offer --cpu 64 --price-expr '0.02 + 0.02*used/total' --reclaim-notice 30m
  angler offer --from-cluster --share 50% --keep cpu=4,memory=8Gi --when-free '>30%' --price 0.02
  angler offer list
  angler offer pause big`,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.putOffer(cmd.Context(), f) },
	}
	s := cmd.Flags()
	s.SortFlags = false
	f.size.register(s)
	f.surplus.register(s)
	s.StringVar(&f.price, "price", "", "`price` per unit and hour, such as 0.03; at most six decimals")
	s.StringVar(&f.tiers, "price-tiers", "", "`prices` by how many units are taken, such as 1-8=0.03,9-=0.025")
	s.StringVar(&f.expr, "price-expr", "", "`expression` that gives the price, such as '0.02 + 0.02*used/total'")
	s.StringVar(&f.storage, "storage", "", "persistent `storage` that is there beside the units, in all, such as 500Gi (default none)")
	s.StringVar(&f.perMatch, "per-match", "", "most `units` that one match may hold (default all)")
	s.StringVar(&f.name, "name", "", "`name` of the offer (default its class)")
	s.StringSliceVar(&f.policies, "policy", nil, "placement `functions` that it takes part in: "+strings.Join(placement.Policies(), ", ")+"; 'lowest-price;handicap' allows handicaps, too, 'split;-cap;winners=4' refuses caps and more winners (default all, without handicaps)")
	s.StringSliceVar(&f.allow, "allow", nil, "who may ask: `pool`, any, or peer ids (default what serve --allow says)")
	s.StringSliceVar(&f.deny, "deny", nil, "`peer ids` that may not")
	s.DurationVar(&f.maxDuration, "max-duration", 0, "longest lease (default 720h)")
	s.DurationVar(&f.notice, "reclaim-notice", 0, "least notice with which a lease may be taken back before its end (default never)")
	s.IntVar(&f.maxLeases, "max-leases", 0, "live leases that one requester may have (default 128)")
	s.IntVar(&f.maxMatches, "max-matches", 0, "matches that one requester may run in a day (default 2048)")
	for name, value := range map[string]string{
		"price": "0.03", "price-tiers": "1-8=0.03,9-=0.025", "price-expr": "'0.02 + 0.02*used/total'", "per-match": "8", "storage": "500Gi", "reclaim-notice": "30m", "name": "spare", "policy": "'lowest-price;handicap'", "allow": "pool", "max-duration": "24h", "max-leases": "16", "max-matches": "100",
	} {
		sample(s, name, value)
	}
	group(cmd, a.offerListCommand(),
		a.offerPauseCommand("pause", "Take an offer out of new matches; its leases live on", true),
		a.offerPauseCommand("resume", "Let a paused offer take part again", false),
		a.offerRemoveCommand())
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return a.putOffer(cmd.Context(), f) }
	return cmd
}

func (a *app) putOffer(ctx context.Context, f offerFlags) error {
	o, err := f.offer()
	if err != nil {
		return err
	}
	return a.withDaemon(ctx, func(c *control.Client) error {
		put, err := c.PutOffer(ctx, o)
		if err != nil {
			return err
		}
		if flag := lost(o, put); flag != "" {
			return control.New(control.ErrUnsupported, fmt.Sprintf("the daemon took the offer but not its --%s: run the daemon in this version (%s), or remove the offer with 'angler offer remove %s'", flag, Version(), put.Name))
		}
		if put.Fault != "" {
			a.talk.warn("it enters nothing at present: %s", put.Fault)
		}
		return a.printOffer(put, "offered "+put.Name+": "+offered(put)+" of "+shortClass(put.Class)+" at "+put.Asks())
	})
}

// lost names a restriction that was asked for and does not stand in the offer as the daemon has it, for whoever asks for one
// relies on it.
func lost(asked, put control.Offer) string {
	all := func(want, have []string) bool {
		return !slices.ContainsFunc(want, func(w string) bool { return !slices.Contains(have, w) })
	}
	switch {
	case !follows(asked.Surplus, put.Surplus):
		return "from-cluster"
	case len(asked.Allow) > 0 && !(all(asked.Allow, put.Allow) && all(put.Allow, asked.Allow)):
		return "allow"
	case !all(asked.Deny, put.Deny):
		return "deny"
	case len(asked.Policies) > 0 && !(all(asked.Policies, put.Policies) && all(put.Policies, asked.Policies)):
		return "policy"
	case asked.PriceTiers != put.PriceTiers:
		return "price-tiers"
	case asked.PriceExpr != put.PriceExpr:
		return "price-expr"
	case asked.Storage != put.Storage:
		return "storage"
	case asked.PerMatch != put.PerMatch:
		return "per-match"
	case asked.Notice != put.Notice:
		return "reclaim-notice"
	case asked.MaxDuration != 0 && asked.MaxDuration != put.MaxDuration:
		return "max-duration"
	case asked.MaxLeases != 0 && asked.MaxLeases != put.MaxLeases:
		return "max-leases"
	case asked.MaxMatches != 0 && asked.MaxMatches != put.MaxMatches:
		return "max-matches"
	}
	return ""
}

// printOffer prints one offer: in a sentence for people, whole for scripts.
func (a *app) printOffer(o control.Offer, sentence string) error {
	return a.print(view{data: o, names: []string{o.Name}, text: func(p *page) { p.line("%s", clean(sentence)) }})
}

// units is a number of units in words.
func units(n uint32) string {
	if n == 1 {
		return "1 unit"
	}
	return strconv.FormatUint(uint64(n), 10) + " units"
}

// shortClass leaves out the attributes that are the usual ones.
func shortClass(text string) string {
	c, err := market.ParseClass(text)
	if err != nil {
		return text // a newer daemon may know more keys
	}
	return dropPart(dropPart(c.String(), "arch="+market.DefaultArch), "currency="+market.DefaultCurrency)
}
