package e2e

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// BenchmarkRequest is a whole request, from the command to the kubeconfig: eight
// providers, each a process of its own that has met the others, a requester that
// nobody has met, 10 ms from any of them to any other. It reports what one takes
// (request-ms), how much of it the computation does (match-ms), what the same
// computation takes with offers in clear (clear-ms), and how much longer a
// request is for being private (overhead).
//
//	ANGLER_KUBELAB=$PWD/bin/kubelab go test -run - -bench Request -benchtime 5x ./internal/e2e
func BenchmarkRequest(b *testing.B) {
	const providers, rtt = 8, 10 * time.Millisecond
	w := newWorld(b)
	for k := range providers {
		w.distant(fmt.Sprintf("p%d", k), rtt/2)
	}
	w.settle(providers)
	w.must("probe", "request", "--cpu", "1", "--location", "u33d", "--min-providers", fmt.Sprint(providers), "--policy", "lowest-price", "--out", w.path("probe.kubeconfig"))

	var clear struct{ Seconds struct{ Median float64 } }
	if err := json.Unmarshal([]byte(w.must("bench", "bench", "match", "--providers", fmt.Sprint(providers), "--rtt", rtt.String(), "--private=false", "-o", "json")), &clear); err != nil {
		b.Fatal(err)
	}
	var whole, computed time.Duration
	for k := range b.N {
		b.StopTimer()
		who := fmt.Sprintf("quince%d", k)
		w.invite(who, "requester")
		b.StartTimer()
		begun := time.Now()
		out := w.must(who, "request", "--cpu", "1", "--location", "u33d", "--min-providers", fmt.Sprint(providers), "--policy", "lowest-price",
			"--out", w.path(who+".kubeconfig"), "-o", "json", "-q")
		whole += time.Since(begun)
		var lease struct{ Match struct{ Computed float64 } }
		if err := json.Unmarshal([]byte(out), &lease); err != nil {
			b.Fatal(err)
		}
		computed += time.Duration(lease.Match.Computed * float64(time.Second))
	}
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1e3 }
	n := time.Duration(b.N)
	open := time.Duration(clear.Seconds.Median * float64(time.Second))
	b.ReportMetric(ms(whole/n), "request-ms")
	b.ReportMetric(ms(computed/n), "match-ms")
	b.ReportMetric(ms(open), "clear-ms")
	b.ReportMetric(float64(whole/n)/float64(whole/n-computed/n+open), "overhead")
	b.ReportMetric(0, "ns/op")
}

// distant starts a provider behind a relay that holds packets back.
func (w *world) distant(who string, delay time.Duration) {
	w.t.Helper()
	w.invite(who, "operator")
	r := newRelay(w.t, delay)
	listen := freeUDP(w.t)
	r.start(netip.MustParseAddrPort(listen))
	w.start(who, "serve", "--listen", listen, "--advertise", r.addr(), "--dht-listen", "127.0.0.1:0", "--kubeconfig", w.kubeconfig, "--location", "u33d", "--max-matches", "4")
	w.must(who, "offer", "--cpu", "4", "--price", fmt.Sprintf("0.03%c", who[len(who)-1]))
}

// BenchmarkIdle reports the memory that a provider's daemon takes when it has
// nothing to do (rss-MiB), a while after it started.
func BenchmarkIdle(b *testing.B) {
	w := newWorld(b)
	p := w.provider("ash", 4, "0.03")
	w.provider("birch", 4, "0.031")
	for range b.N {
		time.Sleep(10 * time.Second)
	}
	raw, err := os.ReadFile(filepath.Join("/proc", fmt.Sprint(p.cmd.Process.Pid), "status"))
	if err != nil {
		b.Fatal(err)
	}
	var kb int
	for line := range strings.Lines(string(raw)) {
		if _, err := fmt.Sscanf(line, "VmRSS: %d kB", &kb); err == nil {
			break
		}
	}
	b.ReportMetric(float64(kb)/1024, "rss-MiB")
	b.ReportMetric(0, "ns/op")
}
