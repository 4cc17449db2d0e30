package cli

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/angler-dex/angler/internal/market"
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

func (a *app) simulateCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "simulate -f FILE",
		Short: "Run a whole private match in one process and say what each party learns",
		Long: `Run a match on a scenario: a requester and up to 64 providers, each with a state of its own, exchange the messages of
the real protocol in memory. What is printed is what each party has learned at the end, and what the match took.

The scenario is YAML or JSON:

  class: cpu=1,memory=1Gi
  policy: lowest-price
  request: {quantity: 32, maxPrice: "0.05"}
  offers:                               # 1 to 64; a quantity of 0 is a full provider
    - {name: a, quantity: 40, price: "0.031"}
    - {name: b, quantity: 16, price: "0.020"}

With -o json the result is {"matched", "allocations": [{"provider", "quantity", "price", "pays"}], "andGates",
"flights": {"toRequester", "toWinner"}, "bytesSent": {"requester", "providerMax"}, "seconds"}. If no offer fits, matched is
false, there are no allocations, and the exit code is 3.`,
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
		return &ExitError{Code: ExitNoMatch, Err: fmt.Errorf("no offer fits: no single provider has that quantity at a price within the maximum (this version has no --split)")}
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

// text says what each party entered and what it has learned.
func (m *simulation) text(p *page, s *scenario, r simulateResult) {
	p.line("%s", p.style.head("What each party learned of a match of "+shortClass(s.class.String())+" ("+s.policy+"):"))
	p.line("")
	t := newTable("PARTY", "ENTERED (SECRET)", "LEARNED")
	entered := units(uint32(s.quantity))
	if s.maxPrice != market.NoMaximum {
		entered += ", at most " + s.maxPrice.String()
	}
	learned := "no offer fits; not whose was nearest, nor why"
	for _, w := range m.requester.Wins {
		learned = s.offers[w.Party-1].name + " delivers, at " + market.Price(w.Pays).String()
	}
	t.row("requester", entered, learned)
	for i, o := range s.offers {
		learned = "not selected"
		if w := m.providers[i]; w.Quantity > 0 {
			learned = "selected, to deliver " + units(uint32(w.Quantity)) + " at its price"
		}
		t.row(o.name, units(uint32(o.quantity))+" at "+o.price.String(), learned)
	}
	t.write(p)
	p.line("")
	p.line("That is all: no party saw another's price or capacity, and nobody but a winner learns the quantity.")
	p.line("Measured: %s; %d flights (one-way messages) to the requester's result, %d to the winner's; the requester sent %s,",
		plural(r.ANDGates, "AND gate"), r.Flights.ToRequester, r.Flights.ToWinner, size(r.BytesSent.Requester))
	p.line("a provider at most %s; all parties on this machine took %.2f s.", size(r.BytesSent.ProviderMax), r.Seconds)
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
