package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/placement"
)

// simulateResult is what `simulate -o json` prints; scripts rely on its keys.
type simulateResult struct {
	Matched     bool         `json:"matched"`
	Allocations []allocation `json:"allocations"`
	ANDGates    int          `json:"andGates"`
	Flights     struct {
		ToRequester int `json:"toRequester"`
		ToWinner    int `json:"toWinner"`
	} `json:"flights"`
	BytesSent struct {
		Requester   int `json:"requester"`
		ProviderMax int `json:"providerMax"`
	} `json:"bytesSent"`
	Seconds float64 `json:"seconds"`
}

type allocation struct {
	Provider string       `json:"provider"`
	Quantity uint16       `json:"quantity"`
	Price    market.Price `json:"price"`
	Pays     market.Price `json:"pays"`
}

const simulateLong = `Run a match on a scenario: a requester and up to 64 providers, each with a state of its own, exchange the messages of
the real protocol in memory. What is printed is what each party has learned at the end, and what the match took.

The scenario is YAML or JSON:

  class: cpu=1,memory=1Gi
  policy: lowest-price                  # or second-price, split, fit; with parameters: split;winners=4
  request: {quantity: 32, maxPrice: "0.05"}
  offers:                               # 1 to 64; a quantity of 0 is a full provider
    - {name: a, quantity: 40, price: "0.031"}
    - {name: b, quantity: 16, price: "0.020", handicap: "0.001"}
    - {name: c, quantity: 64, steps: [{from: 1, price: "0.03"}, {from: 9, price: "0.025"}]}

An offer may have a handicap (the requester's secret, added to the price for ranking alone), steps in the place of a price (the
price of each unit if so many or more are taken), and further: {storage: 100} beside its units; the request has
further: {storage: 20} for what the winner must have. A split or fit takes maxShare: "50%", minWinners: 2 and maxWinners: 4 in the
request. Each of these becomes a parameter of the policy. See docs/placement.md.

With -o json the result is {"matched", "allocations": [{"provider", "quantity", "price", "pays"}], "andGates",
"flights": {"toRequester", "toWinner"}, "bytesSent": {"requester", "providerMax"}, "seconds"}. If no offer fits, matched is
false, there are no allocations, and the exit code is 3.`

func (a *app) simulateCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "simulate -f FILE",
		Short: "Run a whole private match in one process and say what each party learns",
		Long:  simulateLong,
		Example: `  angler simulate -f scenario.yaml
  angler simulate -f - -o json <scenario.yaml`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file == "" {
				return flagError("file", "is missing", "-f scenario.yaml")
			}
			return a.runSimulation(cmd.Context(), file)
		},
	}
	cmd.Flags().StringVarP(&file, "file", "f", "", "scenario `file`, or - for stdin")
	sample(cmd.Flags(), "file", "scenario.yaml")
	return cmd
}

func (a *app) runSimulation(ctx context.Context, file string) error {
	data, err := a.readInput(file, maxScenario)
	if err != nil {
		return usagef("--file: %w", err)
	}
	s, err := parseScenario(data)
	if err != nil {
		return usagef("--file: %s: %w\n%s", file, err, scenarioExample)
	}
	a.talk.step("running a %s match of 1 requester and %s in this process", s.policy, plural(len(s.offers), "provider"))
	m, err := simulate(ctx, s, a.rand, a.now, a.slowFlights())
	if err != nil {
		return err
	}
	result := m.result(s)
	var names []string
	for _, al := range result.Allocations {
		names = append(names, al.Provider)
	}
	if err := a.print(view{data: result, names: names, text: func(p *page) { m.text(p, s, result) }}); err != nil {
		return err
	}
	if !result.Matched {
		return &ExitError{Code: ExitNoMatch, Err: noFit(s.policy)}
	}
	return nil
}

// slowFlights tells of the flights of a match that takes long enough for somebody to wonder.
func (a *app) slowFlights() func(flight int) {
	last := a.now()
	return func(flight int) {
		if now := a.now(); now.Sub(last) > time.Second {
			a.talk.step("flight %d is on its way", flight)
			last = now
		}
	}
}

func (m *simulation) result(s *scenario) simulateResult {
	r := simulateResult{Matched: m.requester.Matched, Allocations: []allocation{}, ANDGates: m.stats[0].ANDs, Seconds: m.seconds}
	winner := 1 // without one all providers learn at the same time
	for _, w := range m.requester.Wins {
		winner = w.Party
		a := m.providers[w.Party-1]
		r.Allocations = append(r.Allocations, allocation{s.offers[w.Party-1].name, a.Quantity, market.Price(a.Price), market.Price(a.Pays)})
	}
	r.Flights.ToRequester, r.Flights.ToWinner = m.flights(0), m.flights(winner)
	r.BytesSent.Requester, r.BytesSent.ProviderMax = m.bytesSent()
	return r
}

// noFit says what the requester knows, which is no more than that.
func noFit(p placement.Policy) error {
	switch p.Name {
	case placement.SplitPolicy, placement.FitPolicy:
		return errors.New("no offer fits: what there is within the maximum price does not add up to that quantity")
	default:
		return errors.New("no offer fits: no single provider has that quantity at a price within the maximum (policy split, as angler request --split, takes several)")
	}
}

// plural counts things in words.
func plural(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return strconv.Itoa(n) + " " + thing
}

// size is a number of bytes for people.
func size(n int) string {
	switch {
	case n >= 1e6:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	case n >= 1e3:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	default:
		return plural(n, "byte")
	}
}
