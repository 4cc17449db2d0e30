package bench

import (
	"slices"
	"time"
)

// Report is what a measurement has shown; scripts rely on its keys. Times are
// seconds, and medians over the runs where nothing else is said.
type Report struct {
	Providers int     `json:"providers"`
	Policy    string  `json:"policy"`
	Setup     Setup   `json:"setup"`
	ANDGates  int     `json:"andGates"` // 0 in the clear
	Flights   Flights `json:"flights"`
	Seconds   Spread  `json:"seconds"` // from the start signal to the requester's verified result
	// Phases divides the requester's time: flightN until it had made its flight
	// N, result until it had verified its result. In the clear: offers, result.
	Phases         map[string]float64 `json:"phases"`
	ConnectSeconds float64            `json:"connectSeconds"` // all links of all parties, not in Seconds
	CPUSeconds     float64            `json:"cpuSeconds"`     // of this process: all parties, until the last one is through
	BytesSent      Bytes              `json:"bytesSent"`
	BytesReceived  Bytes              `json:"bytesReceived"`
}

// Flights counts one-way messages until results.
type Flights struct {
	ToRequester int `json:"toRequester"`
	ToWinner    int `json:"toWinner"`
}

// Spread is a figure over all runs.
type Spread struct {
	Min    float64 `json:"min"`
	Median float64 `json:"median"`
	Max    float64 `json:"max"`
}

// Bytes are the protocol's own, without those of QUIC and UDP: of the requester,
// and of the provider with the most.
type Bytes struct {
	Requester   int `json:"requester"`
	ProviderMax int `json:"providerMax"`
}

// report sums the runs up. What is no time is the same in each.
func (o Options) report(samples []sample) Report {
	s := samples[0]
	r := Report{
		Providers: o.Providers, Policy: o.Policy, Setup: o.Setup, ANDGates: s.ands, Flights: Flights{s.toResult, s.toWinner},
		Seconds:        spread(samples, func(s sample) time.Duration { return s.seconds }),
		Phases:         make(map[string]float64, len(s.phases)),
		ConnectSeconds: spread(samples, func(s sample) time.Duration { return s.connect }).Median,
		CPUSeconds:     spread(samples, func(s sample) time.Duration { return s.cpu }).Median,
		BytesSent:      Bytes{Requester: s.parties[0].sent},
		BytesReceived:  Bytes{Requester: s.parties[0].received},
	}
	for k, p := range s.phases {
		r.Phases[p.name] = spread(samples, func(s sample) time.Duration { return s.phases[k].took }).Median
	}
	for _, p := range s.parties[1:] {
		r.BytesSent.ProviderMax = max(r.BytesSent.ProviderMax, p.sent)
		r.BytesReceived.ProviderMax = max(r.BytesReceived.ProviderMax, p.received)
	}
	return r
}

// spread takes one figure of all runs; the median of an even number is the mean
// of the two in the middle.
func spread(samples []sample, of func(sample) time.Duration) Spread {
	v := make([]float64, len(samples))
	for k, s := range samples {
		v[k] = of(s).Seconds()
	}
	slices.Sort(v)
	n := len(v)
	return Spread{Min: v[0], Median: (v[(n-1)/2] + v[n/2]) / 2, Max: v[n-1]}
}
