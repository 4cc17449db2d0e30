package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/angler-dex/angler/internal/bench/discovery"
)

const benchDiscoveryLong = `Run a DHT of many nodes in this process, each on a UDP socket of its own on loopback, let some of them announce a class,
and look it up: one key, one precision, each lookup by itself.

--churn replaces so many of the nodes a minute, providers among them, while lookups are made. --hostile makes so many of the
nodes hostile: a third of them answers nothing but pings, a third lies about providers and nodes (half of these have ids next to the
key), a third floods the key with announcements. Each node has an address prefix of its own, the worst case for defences that count
prefixes. --latency puts the nodes on a plane: packets take time by distance, with this median for a round trip.

With -o json the result is {"foundAny", "foundAll", "lookups", "seconds": {"median", "p99"}, "messagesPerLookup"}: the lookups whose
union held, after 5 seconds at most, any and all of the providers that were up for 15 seconds or more; the time from a lookup's
beginning to the last provider that it found; and how many packets a requester sent and received.

--availability measures how this goes over time instead, at two levels of churn: --churn and five times that. It prints
{"courses": [{"churn", "foundAny", "foundAll", "lookups", "points": [{"seconds", "lookups", "foundAny", "foundAll"}]}]}, and --svg
draws it. All nodes share this machine's processors.`

type benchDiscoveryFlags struct {
	o              discovery.Options
	churn, hostile string
	availability   bool
	svg            string
}

func (a *app) benchDiscoveryCommand() *cobra.Command {
	var f benchDiscoveryFlags
	cmd := &cobra.Command{
		Use:   "discovery",
		Short: "Measure how providers are found in a DHT of many nodes on loopback",
		Long:  benchDiscoveryLong,
		Example: `  angler bench discovery --nodes 300 --providers 5 --lookups 200
  angler bench discovery --nodes 300 --providers 5 --lookups 200 --churn 10% -o json
  angler bench discovery --hostile 20% --latency 50ms
  angler bench discovery --availability --over 5m --lookups 600 --svg availability.svg`,
		Annotations: map[string]string{formatsKey: strings.Join([]string{formatTable, formatJSON, formatYAML}, ",")},
		Args:        noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(cmd.Flags().Changed("over")); err != nil {
				return err
			}
			f.o.Say = func(text string) { a.talk.step("%s", text) }
			if f.availability {
				return a.runAvailability(cmd.Context(), f)
			}
			r, err := discovery.Run(cmd.Context(), f.o)
			if err != nil {
				return err
			}
			return a.print(view{data: r, text: func(p *page) { discoveryText(p, f.o, r) }})
		},
	}
	s := cmd.Flags()
	s.SortFlags = false
	s.IntVar(&f.o.Nodes, "nodes", 300, "`number` of nodes, providers and hostile ones among them, 1 to "+strconv.Itoa(discovery.MaxNodes))
	s.IntVar(&f.o.Providers, "providers", 5, "`number` of providers")
	s.IntVar(&f.o.Lookups, "lookups", 200, "`number` of lookups, 1 to "+strconv.Itoa(discovery.MaxLookups))
	s.StringVar(&f.churn, "churn", "0%", "`share` of the nodes that is replaced a minute")
	s.StringVar(&f.hostile, "hostile", "0%", "`share` of the nodes that is hostile, up to 90%")
	s.DurationVar(&f.o.Latency, "latency", 50*time.Millisecond, "median round-trip `time` between two nodes, up to 2s; 0 adds none")
	s.DurationVar(&f.o.Over, "over", 0, "`time` over which the lookups are spread (default one after the other; 2m with --churn, 5m with --availability)")
	s.Uint64Var(&f.o.Seed, "seed", 1, "`number` from which ids, places and victims are drawn")
	s.BoolVar(&f.availability, "availability", false, "measure over time at two levels of churn")
	s.StringVar(&f.svg, "svg", "", "`file` for a drawing of --availability")
	for name, value := range map[string]string{"churn": "10%", "hostile": "20%", "latency": "50ms", "over": "2m", "svg": "availability.svg"} {
		sample(s, name, value)
	}
	return cmd
}

// check wants values that a measurement takes, and fills in the defaults that hang on others.
func (f *benchDiscoveryFlags) check(overGiven bool) error {
	var ok bool
	if f.o.Churn, ok = parseShare(f.churn); !ok {
		return flagError("churn", fmt.Sprintf("%q is not a share from 0%% to 100%%", clean(f.churn)), "--churn 10%")
	}
	if f.o.Hostile, ok = parseShare(f.hostile); !ok || f.o.Hostile > 0.9 {
		return flagError("hostile", fmt.Sprintf("%q is not a share from 0%% to 90%%", clean(f.hostile)), "--hostile 20%")
	}
	honest := f.o.Nodes - int(f.o.Hostile*float64(f.o.Nodes))
	switch {
	case f.o.Nodes < 1 || f.o.Nodes > discovery.MaxNodes:
		return flagError("nodes", "must be 1 to "+strconv.Itoa(discovery.MaxNodes), "--nodes 300")
	case f.o.Providers < 1 || f.o.Providers >= honest && f.o.Nodes > 1:
		return flagError("providers", "must be 1 or more, and fewer than the honest ones of --nodes ("+strconv.Itoa(honest)+")", "--providers 5")
	case f.o.Lookups < 1 || f.o.Lookups > discovery.MaxLookups:
		return flagError("lookups", "must be 1 to "+strconv.Itoa(discovery.MaxLookups), "--lookups 200")
	case f.o.Latency < 0 || f.o.Latency > discovery.MaxLatency:
		return flagError("latency", "must be 0 to "+discovery.MaxLatency.String(), "--latency 50ms")
	case f.o.Over < 0 || f.o.Over > discovery.MaxOver:
		return flagError("over", "must be 0 to "+discovery.MaxOver.String(), "--over 2m")
	case f.svg != "" && !f.availability:
		return flagError("svg", "draws --availability, which is missing", "--availability --svg availability.svg")
	case f.availability && overGiven && f.o.Over == 0:
		return flagError("over", "must be more than 0 with --availability", "--over 5m")
	}
	switch {
	case overGiven:
	case f.availability:
		f.o.Over = 5 * time.Minute
	case f.o.Churn > 0:
		f.o.Over = 2 * time.Minute
	}
	return nil
}

// parseShare reads a percentage from 0% to 100%.
func parseShare(text string) (float64, bool) {
	digits, ok := strings.CutSuffix(text, "%")
	share, err := strconv.ParseFloat(digits, 64)
	return share / 100, ok && err == nil && share >= 0 && share <= 100
}

func discoveryText(p *page, o discovery.Options, r discovery.Report) {
	p.line("%s", p.style.head(fmt.Sprintf("%s of %s in a DHT of %s:", plural(r.Lookups, "lookup"), plural(o.Providers, "provider"), plural(o.Nodes, "node"))))
	p.line("")
	p.field("found any", ofLookups(r.FoundAny, r.Lookups))
	p.field("found all", ofLookups(r.FoundAll, r.Lookups))
	p.field("time", fmt.Sprintf("%s (median), %s (99 of 100) to the last provider", seconds(r.Seconds.Median), seconds(r.Seconds.P99)))
	p.field("round trip", seconds(r.MedianRTT.Seconds())+" (median of two nodes)")
	p.field("messages", strconv.FormatFloat(r.MessagesPerLookup, 'f', 1, 64)+" sent and received a lookup")
	p.field("new provider", newcomerText(r.NewFound))
	if o.Churn > 0 || o.Hostile > 0 {
		p.field("churn", fmt.Sprintf("%g%% of the nodes a minute", 100*o.Churn))
		p.field("hostile", fmt.Sprintf("%g%% of the nodes", 100*o.Hostile))
	}
}

func ofLookups(n, of int) string { return fmt.Sprintf("%d of %d", n, of) }

func newcomerText(d time.Duration) string {
	if d == 0 {
		return "not found within a minute"
	}
	return "found " + strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s after its start"
}

// churnLevels are the two of --availability.
func churnLevels(share float64) []float64 {
	if share == 0 {
		share = 0.1
	}
	return []float64{share, min(5*share, 1)}
}

func (a *app) runAvailability(ctx context.Context, f benchDiscoveryFlags) error {
	if f.svg != "" { // before minutes are spent
		if info, err := os.Stat(filepath.Dir(f.svg)); err != nil || !info.IsDir() {
			return flagError("svg", "is in no folder that exists", "--svg availability.svg")
		}
	}
	courses, err := discovery.Availability(ctx, f.o, churnLevels(f.o.Churn))
	if err != nil {
		return err
	}
	if f.svg != "" {
		if err := os.WriteFile(f.svg, discovery.SVG(courses), 0o644); err != nil {
			return fmt.Errorf("--svg: %w", err)
		}
	}
	result := struct {
		Courses []discovery.Course `json:"courses"`
	}{courses}
	return a.print(view{data: result, text: func(p *page) { availabilityText(p, courses) }})
}

func availabilityText(p *page, courses []discovery.Course) {
	heads := []string{"SECONDS"}
	for _, c := range courses {
		level := fmt.Sprintf(" AT %g%%", 100*c.Churn)
		heads = append(heads, "ANY"+level, "ALL"+level)
	}
	t := newTable(heads...)
	for i, first := range courses[0].Points {
		cells := []string{strconv.FormatFloat(first.Seconds, 'f', 0, 64)}
		for _, c := range courses {
			cells = append(cells, ofLookups(c.Points[i].FoundAny, c.Points[i].Lookups), ofLookups(c.Points[i].FoundAll, c.Points[i].Lookups))
		}
		t.row(cells...)
	}
	cells := []string{"all"}
	for _, c := range courses {
		cells = append(cells, ofLookups(c.FoundAny, c.Lookups), ofLookups(c.FoundAll, c.Lookups))
	}
	t.row(cells...)
	t.write(p)
}
