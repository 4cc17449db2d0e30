package cli

import (
	"context"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/angler-dex/angler/internal/bench"
	"github.com/angler-dex/angler/internal/placement"
)

const benchMatchLong = `Run matches with every party in this process, over real QUIC links on loopback, and say what they took. The clock runs from
the requester's start signal (in the place of the roster) to its verified result, links being up.

--setup says what the parties hold from earlier matches:

  cold             nothing
  requester-cold   providers hold cached sets of base transfers among themselves, the requester has met none
  warm             every pair holds one

The sets are made by an unmeasured match before each run and serve that run alone, as the sets do that daemons and
requesters keep of those that they have met.

--rtt sends each link's packets through a relay in this process that holds them back by half of it. --private=false measures
the same without privacy, for comparison: providers send the requester their offers in clear; --setup then says nothing.

With -o json the result is {"providers", "policy", "setup", "andGates", "flights": {"toRequester", "toWinner"},
"seconds": {"min", "median", "max"}, "phases": {…}, "connectSeconds", "cpuSeconds", "bytesSent": {"requester", "providerMax"},
"bytesReceived": {"requester", "providerMax"}}. All parties share this machine's processors.`

func (a *app) benchMatchCommand() *cobra.Command {
	var setup, file string
	var private bool
	o := bench.Options{Rand: a.rand, Now: a.now}
	cmd := &cobra.Command{
		Use:   "match",
		Short: "Measure whole matches over QUIC on loopback",
		Long:  benchMatchLong,
		Example: `  angler bench match --providers 8 --runs 5
  angler bench match --providers 8 --setup warm --rtt 10ms -o json
  angler bench match --providers 8 --rtt 10ms --private=false
  angler bench match --providers 4 --setup warm --circuit aes.txt`,
		Annotations: map[string]string{formatsKey: strings.Join([]string{formatTable, formatJSON, formatYAML}, ",")},
		Args:        noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Setup, o.InTheClear = bench.Setup(setup), !private
			if err := checkBench(o); err != nil {
				return err
			}
			if file != "" {
				if cmd.Flags().Changed("policy") {
					return usagef("--circuit takes the place of --policy; give one of them, for example --circuit aes.txt")
				}
				var err error
				if o.Circuit, err = readCircuit(file, o.Providers); err != nil {
					return err
				}
				o.Policy = filepath.Base(file)
			}
			return a.runBench(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.IntVar(&o.Providers, "providers", 8, "`number` of providers beside the requester, 1 to 64")
	f.StringVar(&o.Policy, "policy", placement.LowestPricePolicy, "placement `policy`: "+strings.Join(placement.Policies(), ", "))
	f.StringVar(&file, "circuit", "", "`file` in Bristol Fashion to compute instead of a placement: its input values go round the parties, the requester first, who learns the outputs")
	f.StringVar(&setup, "setup", string(bench.Cold), "what the parties hold: `SETUP` is "+oneOf(bench.Setups()))
	f.DurationVar(&o.RTT, "rtt", 0, "round-trip `time` between any two parties, up to 2s")
	f.IntVar(&o.Runs, "runs", 5, "`number` of runs, 1 to 1000")
	f.IntVar(&o.K, "k", 0, "`parameter` of the OT extension, 4 or 8: 8 sends less and computes more (default what the round trip suggests)")
	f.BoolVar(&private, "private", true, "a private match; false measures offers in clear instead")
	sample(f, "policy", placement.LowestPricePolicy)
	sample(f, "circuit", "aes.txt")
	sample(f, "setup", string(bench.Warm))
	sample(f, "rtt", "10ms")
	return cmd
}

// checkBench wants values that Match takes.
func checkBench(o bench.Options) error {
	if _, err := placement.New(o.Policy, 1); err != nil {
		return usagef("--policy: %w; for example --policy %s", err, placement.LowestPricePolicy)
	}
	switch {
	case o.Providers < 1 || o.Providers > placement.MaxProviders:
		return flagError("providers", "must be 1 to "+strconv.Itoa(placement.MaxProviders), "--providers 8")
	case o.K != 0 && o.K != 4 && o.K != 8:
		return flagError("k", "must be 4 or 8", "--k 8")
	case !slices.Contains(bench.Setups(), o.Setup):
		return usagef("--setup %q is none of %s; for example --setup warm", o.Setup, oneOf(bench.Setups()))
	case o.RTT < 0 || o.RTT > bench.MaxRTT:
		return flagError("rtt", "must be 0 to "+bench.MaxRTT.String(), "--rtt 10ms")
	case o.Runs < 1 || o.Runs > bench.MaxRuns:
		return flagError("runs", "must be 1 to "+strconv.Itoa(bench.MaxRuns), "--runs 5")
	}
	return nil
}

func oneOf(setups []bench.Setup) string {
	var names []string
	for _, s := range setups {
		names = append(names, string(s))
	}
	return strings.Join(names, ", ")
}

func (a *app) runBench(ctx context.Context, o bench.Options) error {
	if !o.InTheClear {
		figures, err := o.Figures()
		if err != nil {
			return err
		}
		if err = reserveMemory(1+o.Providers, figures, "measure fewer providers"); err != nil {
			return err
		}
	}
	o.Run = func(k int) { a.talk.step("run %d of %d", k, o.Runs) }
	r, err := measure(ctx, o)
	if err != nil {
		return err
	}
	return a.print(view{data: r, text: func(p *page) { benchText(p, o, r) }})
}

// measure is bench.Match, but if ctx ends it leaves the parties, which may be in the middle of long steps, to end on their own:
// Ctrl-C must not wait for them.
func measure(ctx context.Context, o bench.Options) (bench.Report, error) {
	type result struct {
		report bench.Report
		err    error
	}
	done := make(chan result, 1)
	go func() {
		r, err := bench.Match(ctx, o)
		done <- result{r, err}
	}()
	select {
	case r := <-done:
		return r.report, r.err
	case <-ctx.Done():
		return bench.Report{}, ctx.Err()
	}
}

func benchText(p *page, o bench.Options, r bench.Report) {
	what := string(r.Setup) + ", " + plural(r.ANDGates, "AND gate")
	if o.InTheClear {
		what = "NOT private: offers in clear"
	}
	p.line("%s", p.style.head("A "+r.Policy+" match of "+plural(r.Providers, "provider")+" ("+what+"), "+plural(o.Runs, "run")+":"))
	p.line("")
	p.field("result", seconds(r.Seconds.Median)+" (median; "+seconds(r.Seconds.Min)+" to "+seconds(r.Seconds.Max)+")")
	p.field("flights", strconv.Itoa(r.Flights.ToRequester)+" to the requester's result, "+strconv.Itoa(r.Flights.ToWinner)+" to the winner's")
	p.field("rtt", o.RTT.String())
	p.field("cpu", seconds(r.CPUSeconds)+" of all parties")
	p.field("connecting", seconds(r.ConnectSeconds)+", not in the result")
	p.line("")
	t := newTable("BYTES OF", "SENT", "RECEIVED")
	t.row("the requester", size(r.BytesSent.Requester), size(r.BytesReceived.Requester))
	t.row("a provider, at most", size(r.BytesSent.ProviderMax), size(r.BytesReceived.ProviderMax))
	t.write(p)
	p.line("")
	t = newTable("PHASE", "AT THE REQUESTER")
	for _, name := range slices.Sorted(maps.Keys(r.Phases)) {
		t.row(phaseNames[name], seconds(r.Phases[name]))
	}
	t.write(p)
}

// phaseNames says what the requester does until each mark.
var phaseNames = map[string]string{
	"flight1": "flight 1: base transfers begun",
	"flight2": "flight 2: base transfers done, extension",
	"flight3": "flight 3: extension checked, leaky ANDs",
	"flight4": "flight 4: rows taken, coin",
	"flight5": "flight 5: global keys checked, inputs bind",
	"flight6": "flight 6: buckets opened",
	"flight7": "flight 7: triples checked",
	"flight8": "flight 8: garbled rows taken",
	"offers":  "offers in clear",
	"result":  "result: evaluated and verified",
}

func seconds(s float64) string {
	return strconv.FormatFloat(s*1e3, 'f', 1, 64) + " ms"
}
