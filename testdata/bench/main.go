// Command bench takes the figures of docs/performance.md and prints them as its
// tables. Run it on a machine that does nothing else: go run ./testdata/bench, or
// make bench. With -runs it can be made quicker, or surer.
package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"time"

	"github.com/angler-dex/angler/internal/bench"
	"github.com/angler-dex/angler/internal/mpc/circuit/catalog"
	"github.com/angler-dex/angler/internal/placement"
)

// reference is what emp-agmpc takes, as published: cold, everything on one machine of
// two cores, by providers.
var reference = map[int]struct{ wall, cpu, megabytes float64 }{
	2: {77, 0.15, 0.36}, 4: {245, 0.46, 1.27}, 8: {909, 1.81, 4.73}, 16: {3969, 7.85, 18.3},
}

// bars are the ratios of wall time to the reference that we aim at, by providers.
var bars = map[int]map[bench.Setup]float64{
	4:  {bench.Cold: 0.5, bench.RequesterCold: 0.3, bench.Warm: 0.15},
	8:  {bench.Cold: 0.4, bench.RequesterCold: 0.2, bench.Warm: 0.1},
	16: {bench.Cold: 0.35, bench.RequesterCold: 0.15, bench.Warm: 0.08},
}

func main() {
	runs := flag.Int("runs", 7, "runs of each measurement")
	large := flag.Bool("large", true, "measure 32 providers, once")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := tables(ctx, *runs, *large); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// tables prints all of them.
func tables(ctx context.Context, runs int, large bool) error {
	fmt.Printf("%s, %s/%s, %d processors, %s\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), time.Now().Format(time.DateOnly))
	for _, table := range []func() error{
		func() error { return matches(ctx, runs, large) },
		func() error { return small(ctx, runs) },
		func() error { return aes(ctx, runs) },
		func() error { return roundTrips(ctx, runs) },
	} {
		if err := table(); err != nil {
			return err
		}
	}
	return nil
}

func measure(ctx context.Context, o bench.Options) (bench.Report, error) {
	o.Policy, o.Rand, o.Now = cmp.Or(o.Policy, placement.LowestPricePolicy), rand.Reader, time.Now
	return bench.Match(ctx, o)
}

// matches are those without delay, beside the reference.
func matches(ctx context.Context, runs int, large bool) error {
	fmt.Println("\n| providers | setup | wall, ms: median (fastest) | CPU of all, s | sent by the requester / a provider, kB | flights to the requester / winner | of the reference: wall (aim), CPU, bytes |")
	fmt.Println("|---|---|---|---|---|---|---|")
	for _, n := range []int{2, 4, 8, 16} {
		for _, setup := range bench.Setups() {
			r, err := measure(ctx, bench.Options{Providers: n, Setup: setup, Runs: runs})
			if err != nil {
				return err
			}
			row(r, string(setup))
		}
	}
	if !large {
		return nil
	}
	r, err := measure(ctx, bench.Options{Providers: 32, Setup: bench.Cold, Runs: 1})
	if err == nil {
		row(r, "cold, one run")
	}
	return err
}

func row(r bench.Report, setup string) {
	ref, aim := "", ""
	if b, ok := bars[r.Providers][r.Setup]; ok {
		aim = fmt.Sprintf(" (%.2f)", b)
	}
	if v, ok := reference[r.Providers]; ok {
		ref = fmt.Sprintf("%.2f%s, %.2f, %.2f", r.Seconds.Median*1e3/v.wall, aim, r.CPUSeconds/v.cpu, float64(r.BytesSent.ProviderMax)/1e6/v.megabytes)
	}
	fmt.Printf("| %d | %s | %.0f (%.0f) | %.3f | %d / %d | %d / %d | %s |\n", r.Providers, setup, r.Seconds.Median*1e3, r.Seconds.Min*1e3, r.CPUSeconds,
		r.BytesSent.Requester/1000, r.BytesSent.ProviderMax/1000, r.Flights.ToRequester, r.Flights.ToWinner, ref)
}

// small is the same with k = 8, which slow links get.
func small(ctx context.Context, runs int) error {
	fmt.Println("\n| providers, warm, k = 8 | wall, ms: median (fastest) | CPU of all, s | sent by the requester / a provider, kB |")
	fmt.Println("|---|---|---|---|")
	for _, n := range []int{4, 8, 16} {
		r, err := measure(ctx, bench.Options{Providers: n, Setup: bench.Warm, Runs: runs, K: 8})
		if err != nil {
			return err
		}
		fmt.Printf("| %d | %.0f (%.0f) | %.3f | %d / %d |\n", n, r.Seconds.Median*1e3, r.Seconds.Min*1e3, r.CPUSeconds, r.BytesSent.Requester/1000, r.BytesSent.ProviderMax/1000)
	}
	return nil
}

// aes is AES-128 among five parties, two of which own key and text: the reference takes
// 209 ms without base transfers, and 10.06 MB from a provider.
func aes(ctx context.Context, runs int) error {
	c, err := catalog.AES128(catalog.Roles{Parties: 5, Left: 0, Right: 1, Recipients: []int{0}})
	if err != nil {
		return err
	}
	r, err := measure(ctx, bench.Options{Providers: 4, Circuit: c, Policy: "AES-128", Setup: bench.Warm, Runs: runs})
	if err != nil {
		return err
	}
	fmt.Println("\n| circuit, 5 parties, warm | AND gates | wall, ms: median (fastest) | CPU of all, s | sent by a provider, MB | of the reference: wall (aim 0.5), bytes (aim 0.4) |")
	fmt.Println("|---|---|---|---|---|---|")
	megabytes := float64(r.BytesSent.ProviderMax) / 1e6
	fmt.Printf("| AES-128 | %d | %.0f (%.0f) | %.3f | %.2f | %.2f, %.2f |\n", r.ANDGates, r.Seconds.Median*1e3, r.Seconds.Min*1e3, r.CPUSeconds,
		megabytes, r.Seconds.Median*1e3/209, megabytes/10.06)
	return nil
}

// roundTrips are warm matches over links with a delay, and the slope.
func roundTrips(ctx context.Context, runs int) error {
	rtts := []time.Duration{0, 10 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond}
	fmt.Print("\n| warm, by round trip: ms, median (fastest) |")
	for _, rtt := range rtts {
		fmt.Printf(" %v |", rtt)
	}
	fmt.Println(" round trips, 0 → 20 ms | 0 → 100 ms |\n|---|---|---|---|---|---|---|---|")
	for _, n := range []int{2, 8} {
		fmt.Printf("| %d providers |", n)
		at := map[time.Duration]bench.Spread{}
		for _, rtt := range rtts {
			r, err := measure(ctx, bench.Options{Providers: n, Setup: bench.Warm, RTT: rtt, Runs: runs})
			if err != nil {
				return err
			}
			at[rtt] = r.Seconds
			fmt.Printf(" %.0f (%.0f) |", r.Seconds.Median*1e3, r.Seconds.Min*1e3)
		}
		slope := func(to time.Duration) float64 { return (at[to].Median - at[0].Median) / to.Seconds() }
		fmt.Printf(" %.1f | %.1f |\n", slope(20*time.Millisecond), slope(100*time.Millisecond))
	}
	clear, err := measure(ctx, bench.Options{Providers: 8, RTT: 10 * time.Millisecond, Runs: runs, InTheClear: true})
	if err == nil {
		fmt.Printf("\nWithout privacy, 8 providers, a round trip of 10 ms: %.1f ms.\n", clear.Seconds.Median*1e3)
	}
	return err
}
