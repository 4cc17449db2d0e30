package discovery

import (
	"os"
	"testing"
	"time"
)

// The bars of docs/discovery.md on a simulated clock, which no other work on
// this machine disturbs: the small networks always, the others if
// ANGLER_DISCOVERY_BARS=full (minutes of processor time).
func TestBars(t *testing.T) {
	full := os.Getenv("ANGLER_DISCOVERY_BARS") == "full"
	for _, c := range []struct {
		name     string
		nodes    int
		lookups  int
		churn    float64
		hostile  float64
		any, all float64 // shares of the lookups
		conspire bool
		quick    bool
	}{
		{name: "100 nodes", nodes: 100, lookups: 40, any: 1, all: 0.99, quick: true},
		{name: "100 nodes, 20% conspire", nodes: 100, lookups: 40, hostile: 0.2, any: 1, conspire: true, quick: !testing.Short()},
		{name: "300 nodes", nodes: 300, lookups: 200, any: 1, all: 0.99},
		{name: "1,000 nodes", nodes: 1000, lookups: 200, any: 0.995, all: 0.975},
		{name: "10% churn a minute", nodes: 300, lookups: 200, churn: 0.1, any: 0.99, all: 0.95},
		{name: "20% hostile", nodes: 300, lookups: 200, hostile: 0.2, any: 0.99},
		{name: "20% conspire", nodes: 300, lookups: 200, hostile: 0.2, any: 0.99, conspire: true},
	} {
		if !full && !c.quick {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			o := Options{
				Nodes: c.nodes, Providers: 5, Lookups: c.lookups, Churn: c.churn, Hostile: c.hostile,
				Latency: 50 * time.Millisecond, Seed: 1, conspiracy: c.conspire,
			}
			if c.churn > 0 {
				o.Over = 2 * time.Minute
			}
			r := simulate(t, o)
			t.Logf("any %d, all %d of %d; median %.3f s, 99 of 100 %.3f s; %.1f messages; round trip %v; a new provider after %v",
				r.FoundAny, r.FoundAll, r.Lookups, r.Seconds.Median, r.Seconds.P99, r.MessagesPerLookup, r.MedianRTT, r.NewFound)
			if n := float64(r.Lookups); float64(r.FoundAny) < c.any*n || float64(r.FoundAll) < c.all*n {
				t.Errorf("any %d, all %d of %d", r.FoundAny, r.FoundAll, r.Lookups)
			}
			if r.Seconds.Median > 4*r.MedianRTT.Seconds() {
				t.Errorf("a median lookup takes %.3f s, more than four round trips of %v", r.Seconds.Median, r.MedianRTT)
			}
			if r.NewFound == 0 || r.NewFound > settledAfter {
				t.Errorf("a new provider is found after %v", r.NewFound)
			}
		})
	}
}
