package bench

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/mpc/circuit"
	"github.com/angler-dex/angler/internal/mpc/circuit/catalog"
	"github.com/angler-dex/angler/internal/placement"
)

func measure(t testing.TB, o Options) Report {
	t.Helper()
	o.Policy, o.Rand, o.Now = placement.LowestPricePolicy, rand.Reader, time.Now
	r, err := Match(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestSetups runs a real match in each setup. What is asserted does not depend
// on the machine: counts, and sums.
func TestSetups(t *testing.T) {
	reports := map[Setup]Report{}
	for _, setup := range Setups() {
		r := measure(t, Options{Providers: 2, Setup: setup, Runs: 1})
		reports[setup] = r
		if r.Providers != 2 || r.Policy != "lowest-price" || r.Setup != setup || r.ANDGates != 164 {
			t.Errorf("%s: measured something else: %+v", setup, r)
		}
		want := Flights{8, 9}
		if setup == Warm {
			want = Flights{7, 8}
		}
		if r.Flights != want {
			t.Errorf("%s: %+v, want %+v", setup, r.Flights, want)
		}
		requirePhases(t, r, "flight1", "flight2", "flight3", "flight4", "flight5", "flight6", "flight7", "flight8", "result")
		if r.ConnectSeconds <= 0 || r.CPUSeconds <= 0 {
			t.Errorf("%s: took nothing: %+v", setup, r)
		}
	}
	cold, half, warm := reports[Cold], reports[RequesterCold], reports[Warm]
	// Cold, base OTs go to each of two others; requester-cold, a provider has them with one only.
	if !(cold.BytesSent.Requester == half.BytesSent.Requester && half.BytesSent.Requester > warm.BytesSent.Requester) {
		t.Errorf("the requester sent %d, %d, %d", cold.BytesSent.Requester, half.BytesSent.Requester, warm.BytesSent.Requester)
	}
	if !(cold.BytesSent.ProviderMax > half.BytesSent.ProviderMax && half.BytesSent.ProviderMax > warm.BytesSent.ProviderMax) {
		t.Errorf("a provider sent %d, %d, %d", cold.BytesSent.ProviderMax, half.BytesSent.ProviderMax, warm.BytesSent.ProviderMax)
	}
	for setup, r := range reports {
		if r.BytesReceived.Requester <= r.BytesSent.Requester || r.BytesReceived.ProviderMax <= 0 {
			t.Errorf("%s: the evaluator receives tables: %+v", setup, r)
		}
	}
}

// requirePhases: they are those, and in one run they add up to the whole.
func requirePhases(t *testing.T, r Report, names ...string) {
	t.Helper()
	if got := slices.Sorted(maps.Keys(r.Phases)); !slices.Equal(got, names) {
		t.Errorf("%s: phases %v, want %v", r.Setup, got, names)
	}
	var sum float64
	for _, s := range r.Phases {
		sum += s
	}
	if d := sum - r.Seconds.Median; d > 1e-6 || d < -1e-6 || r.Seconds.Min != r.Seconds.Max {
		t.Errorf("%s: phases of one run add up to %v, not %+v", r.Setup, sum, r.Seconds)
	}
}

// TestRoundTrips: with a delay, the signal and every flight take half of it at
// least. That is a bound from below: nothing here depends on speed.
func TestRoundTrips(t *testing.T) {
	const rtt = 20 * time.Millisecond
	r := measure(t, Options{Providers: 1, Setup: Warm, Runs: 2, RTT: rtt})
	if least := (time.Duration(1+r.Flights.ToRequester) * rtt / 2).Seconds(); r.Seconds.Min < least {
		t.Errorf("a signal and %d flights took %v s, less than their delay of %v s", r.Flights.ToRequester, r.Seconds.Min, least)
	}
	if r.Seconds.Min > r.Seconds.Median || r.Seconds.Median > r.Seconds.Max {
		t.Errorf("spread of two runs: %+v", r.Seconds)
	}
}

// TestInTheClear: one flight, and no more bytes than the offers and results.
func TestInTheClear(t *testing.T) {
	r := measure(t, Options{Providers: 3, Setup: Cold, Runs: 1, InTheClear: true})
	if r.ANDGates != 0 || r.Flights != (Flights{1, 2}) {
		t.Errorf("%+v", r)
	}
	const offer, result = 4 + 6, 4 + 3 // frames of 48 and 17 bits
	if r.BytesSent != (Bytes{3 * result, offer}) || r.BytesReceived != (Bytes{3 * offer, result}) {
		t.Errorf("sent %+v, received %+v", r.BytesSent, r.BytesReceived)
	}
	requirePhases(t, r, "offers", "result")
}

// TestReportKeys pins what scripts read.
func TestReportKeys(t *testing.T) {
	text, err := json.Marshal(Report{Phases: map[string]float64{"flight1": 0}})
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"providers":0,"policy":"","setup":"","andGates":0,"flights":{"toRequester":0,"toWinner":0},` +
		`"seconds":{"min":0,"median":0,"max":0},"phases":{"flight1":0},"connectSeconds":0,"cpuSeconds":0,` +
		`"bytesSent":{"requester":0,"providerMax":0},"bytesReceived":{"requester":0,"providerMax":0}}`
	if string(text) != want {
		t.Errorf("%s\nwant %s", text, want)
	}
}

func TestMatchRefuses(t *testing.T) {
	o := Options{Providers: placement.MaxProviders + 1, Policy: placement.LowestPricePolicy, Setup: Cold, Runs: 1, Rand: rand.Reader, Now: time.Now}
	if _, err := Match(t.Context(), o); !errors.Is(err, placement.ErrProviders) {
		t.Errorf("%v", err)
	}
	if _, err := o.Figures(); !errors.Is(err, placement.ErrProviders) {
		t.Errorf("%v", err)
	}
}

// TestMatchStops: the end of the context ends a measurement, and all of it.
func TestMatchStops(t *testing.T) {
	for _, clear := range []bool{false, true} {
		ctx, cancel := context.WithCancel(t.Context())
		o := Options{
			Providers: 2, Policy: placement.LowestPricePolicy, Setup: Warm, Runs: MaxRuns, InTheClear: clear, Rand: rand.Reader, Now: time.Now,
			Run: func(k int) {
				if k == 2 {
					cancel()
				}
			},
		}
		if _, err := Match(ctx, o); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		cancel()
	}
}

// BenchmarkMatch is for profiles: go test -run - -bench Match/8/^warm -cpuprofile
// cpu.out, and then go tool pprof -tagignore unmeasured cpu.out.
func BenchmarkMatch(b *testing.B) {
	for _, n := range []string{"2", "4", "8", "16"} {
		providers := map[string]int{"2": 2, "4": 4, "8": 8, "16": 16}[n]
		for _, setup := range Setups() {
			b.Run(n+"/"+string(setup), func(b *testing.B) {
				r := measure(b, Options{Providers: providers, Setup: setup, Runs: b.N})
				b.ReportMetric(r.Seconds.Median*1e3, "ms/match")
				b.ReportMetric(r.CPUSeconds, "cpu-s/match")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// BenchmarkAES is the match of a circuit that any engine can be measured with: 5
// parties, warm.
func BenchmarkAES(b *testing.B) {
	c, err := catalog.AES128(catalog.Roles{Parties: 5, Left: 0, Right: 1, Recipients: []int{0}})
	if err != nil {
		b.Fatal(err)
	}
	r, err := Match(b.Context(), Options{Providers: 4, Policy: "aes", Circuit: c, Setup: Warm, Runs: b.N, Rand: rand.Reader, Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(r.Seconds.Median*1e3, "ms/match")
	b.ReportMetric(r.CPUSeconds, "cpu-s/match")
	b.ReportMetric(0, "ns/op")
}

// A circuit of somebody else's is computed as it stands in its file, and
// verified like any other.
func TestMatchOfACircuit(t *testing.T) {
	c, err := catalog.AES128(catalog.Roles{Parties: 2, Left: 0, Right: 1, Recipients: []int{0}})
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err = c.WriteBristol(&text, circuit.Bristol{}); err != nil {
		t.Fatal(err)
	}
	o := Options{Providers: 2, Policy: "aes", Setup: Cold, Runs: 1, Rand: rand.Reader, Now: time.Now}
	if o.Circuit, err = ReadCircuit(&text, o.Providers); err != nil {
		t.Fatal(err)
	}
	r, err := Match(t.Context(), o)
	if err != nil || r.ANDGates != 6400 || r.Policy != "aes" {
		t.Errorf("%v: %+v", err, r)
	}
	if _, err := ReadCircuit(strings.NewReader("1 2 3"), 2); !errors.Is(err, circuit.ErrInvalid) {
		t.Errorf("no circuit: %v", err)
	}
}
