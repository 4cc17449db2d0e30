package node

import (
	"log/slog"
	"net/netip"
	"time"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/k8s"
	"github.com/angler-dex/angler/internal/market"
)

// Config says what to run. Paths and listen addresses are required.
type Config struct {
	Key        *identity.Key
	Pool       *identity.Pool       // nil: an open market, in which nobody is certified
	Membership *identity.Membership // as an operator of the pool
	Version    string               // of the program, for status

	LedgerPath string // bbolt file
	TablePath  string // the DHT's routing table
	SparesDir  string // folder of one-time sets for later matches
	Socket     string // control socket

	Listen    string           // QUIC, host:port over UDP; port 0 is any
	DHTListen string           // KRPC, host:port over UDP
	Advertise []netip.AddrPort // where others reach Listen; none: the addresses of this machine
	Bootstrap []string         // DHT nodes to join by, host:port
	Public    bool             // they are those of the public DHT
	Metrics   string           // host:port of /metrics and /healthz; none: not served

	Cell       string           // geohash of the cluster; "": announced for the whole world only
	AutoCell   bool             // find the cell out by round trips to others
	Precision  int              // most characters of a cell that is found out
	PlacePath  string           // file of the network coordinate
	Capacity   market.Resources // nil: the sum of the offers
	Kubeconfig string           // path; "": $KUBECONFIG, then in-cluster

	APIServer    string     // https address of the cluster that tenants are given; "": the kubeconfig's
	GPUs         k8s.GPUMap // the models that can be leased
	Certificates bool       // tenants get client certificates, not tokens
	Template     string     // folder of objects that every lease gets beside ours; "": none
	Allow        []string   // who may ask for offers that do not say: market.AllowPool, market.AllowAny, peer ids
	MinRoster    int        // least number of distinct operators in a match
	MaxMatches   int        // at once
	MaxEach      int        // of these, of one requester; 0: half of them, and no fewer than two

	Acquire     *Acquire      // nil: nothing is acquired
	Operator    string        // namespace whose contributions are offered; "": none
	SurveyEvery time.Duration // how often the cluster is looked at while an offer follows it; 0: surveyEvery

	DHTOnly bool // a bootstrap node: no offers, no matches, no cluster

	Log   *slog.Logger
	Ready func(Addresses) // told once, when everything listens; may be nil
}

// Addresses are where a running daemon listens.
type Addresses struct {
	QUIC netip.AddrPort // zero with DHTOnly
	DHT  netip.AddrPort
}

// linkIdle is after how much silence a link counts as lost: how long a match
// may wait for a party that was killed.
const linkIdle = 6 * time.Second

// recordLife is how long a signed record is valid; it is signed anew at half
// of that.
const recordLife = time.Hour
