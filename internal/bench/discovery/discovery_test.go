package discovery

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// quick is a measurement that takes seconds.
func quick() Options {
	return Options{Nodes: 40, Providers: 4, Lookups: 20, Latency: 10 * time.Millisecond, Seed: 1, settled: 3 * time.Second}
}

// The same on real sockets.
func TestOnSockets(t *testing.T) {
	t.Parallel()
	o := quick()
	o.Nodes, o.Lookups, o.Latency = 20, 6, 0
	r, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if r.FoundAny != 6 || r.FoundAll < 5 || r.MessagesPerLookup < 2 {
		t.Errorf("%+v", r)
	}
}

func TestEveryLookupFindsEveryProvider(t *testing.T) {
	t.Parallel()
	r := simulate(t, quick())
	if r.Lookups != 20 || r.FoundAny != 20 || r.FoundAll != 20 || len(r.Samples) != 20 {
		t.Errorf("any %d, all %d of %d", r.FoundAny, r.FoundAll, r.Lookups)
	}
	if r.Seconds.Median <= 0 || r.Seconds.P99 < r.Seconds.Median || r.MessagesPerLookup < 2 || r.NewFound == 0 {
		t.Errorf("%+v", r)
	}
	if r.MedianRTT < 7*time.Millisecond || r.MedianRTT > 14*time.Millisecond {
		t.Errorf("a median round trip of %v", r.MedianRTT)
	}
	if limit := 4 * r.MedianRTT.Seconds(); r.Seconds.Median > limit {
		t.Errorf("a median lookup takes %v s, want at most %v", r.Seconds.Median, limit)
	}
	for _, s := range r.Samples {
		if s.Wanted != 4 || s.Addresses != 4 {
			t.Errorf("%+v", s)
		}
	}
}

// The hostile nodes are real: lookups see addresses that no provider has.
func TestHostileNodesDoNotHideProviders(t *testing.T) {
	t.Parallel()
	o := quick()
	o.Nodes, o.Hostile = 60, 0.2
	r := simulate(t, o)
	if r.FoundAny != 20 || r.FoundAll < 18 {
		t.Errorf("any %d, all %d of %d", r.FoundAny, r.FoundAll, r.Lookups)
	}
	fakes := 0
	for _, s := range r.Samples {
		fakes += s.Addresses - s.Found
	}
	if fakes < 20*floodPorts {
		t.Errorf("%d lookups saw only %d fakes", r.Lookups, fakes)
	}
}

func TestChurnReplacesNodes(t *testing.T) {
	t.Parallel()
	o := quick()
	o.Churn, o.Over, o.Lookups = 1, 6*time.Second, 40 // 4 nodes replaced
	var courses []Course
	synctest.Test(t, func(t *testing.T) {
		o.listen = new(air).listen
		var err error
		if courses, err = Availability(t.Context(), o, []float64{1, 0.5}); err != nil {
			t.Fatal(err)
		}
	})
	for i, c := range courses {
		lookups, before := 0, 0.0
		for _, p := range c.Points {
			lookups += p.Lookups
			if p.Seconds <= before || p.FoundAll > p.FoundAny || p.FoundAny > p.Lookups {
				t.Errorf("%+v", p)
			}
			before = p.Seconds
		}
		if lookups != 40 || c.Lookups != 40 || before != 6 || c.Churn != []float64{1, 0.5}[i] {
			t.Errorf("%+v", c)
		}
		if c.FoundAny < 39 || c.FoundAll < 36 {
			t.Errorf("any %d, all %d of %d", c.FoundAny, c.FoundAll, c.Lookups)
		}
	}
	drawing := SVG(courses)
	if n := bytes.Count(drawing, []byte("<polyline")); n != 4 {
		t.Errorf("%d lines are drawn", n)
	}
	for d := xml.NewDecoder(bytes.NewReader(drawing)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("not XML: %v", err)
		}
	}
	if !strings.Contains(string(drawing), "all, 50% a minute") {
		t.Error("the legend does not name the churn")
	}
}

func TestOptionsOutOfBounds(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"no nodes":        func(o *Options) { o.Nodes = 0 },
		"too many nodes":  func(o *Options) { o.Nodes = MaxNodes + 1 },
		"no providers":    func(o *Options) { o.Providers = 0 },
		"only hostile":    func(o *Options) { o.Hostile = 0.99 },
		"churn":           func(o *Options) { o.Churn = 1.1 },
		"negative churn":  func(o *Options) { o.Churn = -1 },
		"latency":         func(o *Options) { o.Latency = time.Hour },
		"negative time":   func(o *Options) { o.Over = -1 },
		"many lookups":    func(o *Options) { o.Lookups = MaxLookups + 1 },
		"hostile is over": func(o *Options) { o.Hostile = 1 },
	} {
		o := quick()
		change(&o)
		if _, err := Run(t.Context(), o); !errors.Is(err, errOptions) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Availability(t.Context(), quick(), []float64{0}); !errors.Is(err, errOptions) {
		t.Errorf("no time: %v", err)
	}
}
