package discovery

import (
	"cmp"
	"errors"
	"net"
	"time"
)

// Bounds of a measurement.
const (
	MaxNodes   = 5000
	MaxLookups = 100_000
	MaxLatency = 2 * time.Second
	MaxOver    = 24 * time.Hour

	settledAfter = 15 * time.Second // a provider that has been up for so long is to be found
	lookupLimit  = 5 * time.Second  // what a lookup returned by then counts
)

// Options say what to measure.
type Options struct {
	Nodes     int // of the DHT, providers and hostile ones among them
	Providers int // honest ones, which announce the key
	Lookups   int

	// Churn is the share of the nodes that is replaced a minute, 0 to 1.
	Churn float64
	// Hostile is the share of the nodes, 0 to below 1, that harms lookups. A
	// third of them drops: it answers pings and nothing else. A third lies: it
	// takes announcements and forgets them, and tells of providers that do not
	// exist and of nodes nearest to the key that are other liars or nobody;
	// half of these have ids next to the key. A third floods: it announces the
	// key under many ports, again and again.
	Hostile float64
	// Latency is the median round-trip time between two nodes; 0: none is added.
	Latency time.Duration
	// Over is the time over which lookups are spread; 0: one after the other.
	Over time.Duration

	Seed uint64       // the same seed gives the same ids, places and victims
	Say  func(string) // progress; may be nil

	settled    time.Duration // tests wait for less than settledAfter
	conspiracy bool          // all hostile nodes stand next to the key, tell of each other only, and agree on their lies
	// tests use sockets without a kernel; nil: UDP
	listen func(*net.UDPAddr) (net.PacketConn, error)
}

var errOptions = errors.New("discovery: options out of bounds")

func (o Options) check() error {
	switch {
	case o.Nodes < 1 || o.Nodes > MaxNodes, o.Providers < 1, o.Lookups < 0 || o.Lookups > MaxLookups,
		!(o.Churn >= 0 && o.Churn <= 1), !(o.Hostile >= 0 && o.Hostile < 1),
		o.Providers > o.Nodes-int(o.Hostile*float64(o.Nodes)),
		o.Latency < 0 || o.Latency > MaxLatency, o.Over < 0 || o.Over > MaxOver:
		return errOptions
	}
	return nil
}

func (o Options) settledAfter() time.Duration { return cmp.Or(o.settled, settledAfter) }

func (o Options) say(text string) {
	if o.Say != nil {
		o.Say(text)
	}
}
