package discovery

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/angler-dex/angler/internal/dht"
)

const (
	requesters = 16 // nodes that look up in turn
	lookAtOnce = 2
)

// Report is what a measurement found.
type Report struct {
	FoundAny int `json:"foundAny"` // lookups whose union holds any provider
	FoundAll int `json:"foundAll"` // lookups whose union holds all providers
	Lookups  int `json:"lookups"`
	// Seconds are from the beginning of a lookup to the last provider that it found.
	Seconds struct {
		Median float64 `json:"median"`
		P99    float64 `json:"p99"`
	} `json:"seconds"`
	// MessagesPerLookup is the mean number of packets that the requester sent and received.
	MessagesPerLookup float64 `json:"messagesPerLookup"`

	MedianRTT time.Duration `json:"-"` // between two nodes
	NewFound  time.Duration `json:"-"` // from the start of a new provider until a lookup found it; 0: not within a minute
	Samples   []Sample      `json:"-"` // each lookup, in the order in which they ended
}

// Sample is one lookup.
type Sample struct {
	At            time.Duration // when it ended, since the first began
	Found, Wanted int           // providers
	Last          time.Duration // until the last provider
	Took          time.Duration // until the lookup was over
	Addresses     int           // that it found, real or not
	Messages      uint64
}

// A lookup during which no provider was to be found has not failed.
func (s Sample) any() bool { return s.Found > 0 || s.Wanted == 0 }
func (s Sample) all() bool { return s.Found == s.Wanted }

// Run measures. It returns the context's error when that ends first, and errors
// of sockets that cannot be had.
func Run(ctx context.Context, o Options) (Report, error) {
	if err := o.check(); err != nil {
		return Report{}, err
	}
	w := newWorld(o)
	defer w.end()
	if err := w.build(ctx); err != nil {
		return Report{}, err
	}
	var asking []*member
	for range requesters {
		m, err := w.requester(ctx)
		if err != nil {
			return Report{}, err
		}
		defer m.kill()
		asking = append(asking, m)
	}
	if err := joined(ctx, asking); err != nil {
		return Report{}, err
	}
	w.o.say("waiting until the providers have been up for " + o.settledAfter().String())
	if !wait(ctx, o.settledAfter()+time.Second) {
		return Report{}, ctx.Err()
	}
	return w.measure(ctx, asking)
}

// requester joins as a passive node.
func (w *world) requester(ctx context.Context) (*member, error) {
	conn, err := w.listen()
	if err != nil {
		return nil, err
	}
	m := &member{wire: w.plane.connect(conn, place{w.rng.Float64(), w.rng.Float64()})}
	cfg := w.config(m.wire)
	cfg.Passive = true
	if m.node, err = dht.New(cfg); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	var job sync.WaitGroup
	job.Go(func() { _ = m.node.Run(ctx) }) // as in start
	m.kill = func() { cancel(); job.Wait() }
	return m, nil
}

// joined waits until every requester has joined, as `angler request` does
// before it looks up.
func joined(ctx context.Context, asking []*member) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for _, m := range asking {
		for err := m.node.Ready(ctx); err != nil; err = m.node.Ready(ctx) {
			if !wait(ctx, tick) {
				return err
			}
		}
	}
	return nil
}

func (w *world) measure(ctx context.Context, asking []*member) (Report, error) {
	churning, stop := context.WithCancel(ctx)
	var replacing errgroup.Group
	if w.o.Churn > 0 {
		replacing.Go(func() error { return w.churn(churning) })
	}
	r := Report{Lookups: w.o.Lookups, MedianRTT: w.medianRTT()}
	began := time.Now()
	var mu sync.Mutex
	var group errgroup.Group
	group.SetLimit(lookAtOnce)
	for i := range w.o.Lookups {
		if at := time.Duration(float64(w.o.Over) * float64(i) / float64(w.o.Lookups)); !wait(ctx, at-time.Since(began)) {
			break
		}
		from := asking[i%len(asking)]
		group.Go(func() error {
			s := w.lookup(ctx, from)
			s.At = time.Since(began)
			mu.Lock()
			defer mu.Unlock()
			if r.Samples = append(r.Samples, s); len(r.Samples)%50 == 0 {
				w.o.say(fmt.Sprintf("%d of %d lookups", len(r.Samples), w.o.Lookups))
			}
			return nil
		})
	}
	_ = group.Wait() // the functions return no errors
	stop()
	if err := replacing.Wait(); err != nil {
		return r, err
	}
	if ctx.Err() != nil {
		return r, ctx.Err()
	}
	r.sum()
	var err error
	r.NewFound, err = w.newcomer(ctx, asking[0])
	return r, err
}

// lookup is one lookup, compared with who was to be found.
func (w *world) lookup(ctx context.Context, from *member) Sample {
	began := time.Now()
	before := w.providers(began.Add(-w.o.settledAfter()))
	packets := from.wire.packets()
	limited, cancel := context.WithTimeout(ctx, lookupLimit)
	defer cancel()
	found := make(map[netip.AddrPort]time.Duration)
	_ = from.node.Lookup(limited, []dht.Key{w.key}, func(a netip.AddrPort) bool { // what it found by its end counts
		found[a] = time.Since(began)
		return true
	})
	s := Sample{Messages: from.wire.packets() - packets, Took: time.Since(began), Addresses: len(found)}
	after := w.providers(began.Add(-w.o.settledAfter()))
	for _, m := range before {
		if !slices.Contains(after, m) {
			continue // it left meanwhile
		}
		s.Wanted++
		if at, ok := found[m.announced]; ok {
			s.Found++
			s.Last = max(s.Last, at)
		}
	}
	return s
}

// sum fills in the figures over all samples.
func (r *Report) sum() {
	r.Lookups = len(r.Samples)
	var last []time.Duration
	var messages uint64
	for _, s := range r.Samples {
		if s.any() {
			r.FoundAny++
		}
		if s.all() {
			r.FoundAll++
		}
		if s.Found > 0 {
			last = append(last, s.Last)
		}
		messages += s.Messages
	}
	if len(last) > 0 {
		slices.Sort(last)
		r.Seconds.Median = last[len(last)/2].Seconds()
		r.Seconds.P99 = last[(len(last)-1)*99/100].Seconds()
	}
	if len(r.Samples) > 0 {
		r.MessagesPerLookup = float64(messages) / float64(len(r.Samples))
	}
}

// medianRTT is that of the nodes that are up, the processors' share left out.
func (w *world) medianRTT() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []time.Duration
	for i, a := range w.up {
		for _, b := range w.up[:i] {
			all = append(all, w.plane.rtt(a.wire.at, b.wire.at))
		}
	}
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// newcomer starts one more provider and asks for it until it is found.
func (w *world) newcomer(ctx context.Context, from *member) (time.Duration, error) {
	began := time.Now()
	m, err := w.start(ctx, honest, true)
	if err != nil {
		return 0, err
	}
	limited, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for wait(limited, tick) {
		seen := false
		_ = from.node.Lookup(limited, []dht.Key{w.key}, func(a netip.AddrPort) bool { // tried again
			seen = a == m.announced
			return !seen
		})
		if seen {
			return time.Since(began), nil
		}
	}
	return 0, ctx.Err()
}
