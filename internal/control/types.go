package control

import (
	"cmp"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// Status is everything that a daemon says of itself.
type Status struct {
	ID       string    `json:"id"`                 // peer id
	Version  string    `json:"version"`            // of the daemon's binary
	Mode     string    `json:"mode"`               // ModeProvider or ModeDHT
	Pool     string    `json:"pool,omitempty"`     // name of the pool, empty for a pure DHT node outside a pool
	Operator string    `json:"operator,omitempty"` // organisation that the membership names
	Started  time.Time `json:"started"`
	Drain    string    `json:"drain,omitempty"`  // a state of Drain
	Spares   *int      `json:"spares,omitempty"` // sets that are kept for matches with parties that were met
	Listen   []string  `json:"listen,omitempty"` // QUIC addresses, host:port
	Cell     string    `json:"cell"`             // geohash prefix; empty is the whole world
	Place    *Place    `json:"place,omitempty"`  // of a provider
	Cluster  Cluster   `json:"cluster"`
	DHT      DHT       `json:"dht"`
	Capacity []Usage   `json:"capacity"` // one entry a resource, sorted by name
	Offers   []Offer   `json:"offers"`   // sorted by name
	Matches  []Match   `json:"matches"`  // recent ones, newest first
	Leases   []Lease   `json:"leases"`   // live ones
}

// Modes of a daemon.
const (
	ModeProvider = "provider"
	ModeDHT      = "dht-only"
)

// Drain is how far a daemon withdraws from new matches.
type Drain struct {
	State  string `json:"state"`  // one of the constants below
	Leases int    `json:"leases"` // that are not over; filled in by the daemon
}

// The states of Drain.
const (
	NotDraining     = ""
	Draining        = "draining"         // no new matches; matches that run go on, and leases live on
	DrainingToLeave = "draining-to-exit" // and the daemon ends with the last lease
)

// Cluster is the Kubernetes cluster behind the daemon; Server is empty when there is none.
type Cluster struct {
	Server string `json:"server,omitempty"`
	Error  string `json:"error,omitempty"` // why it cannot be used now, if it cannot

	Remains []Remain `json:"remains,omitempty"` // namespaces that are left over
}

// Remain is a namespace of this provider's that is there although no lease is.
type Remain struct {
	Namespace string `json:"namespace"`
	Why       string `json:"why"`
}

// DHT is the state of the node in the distributed hash table.
type DHT struct {
	Listen       []string   `json:"listen,omitempty"`
	Nodes        int        `json:"nodes"`
	Good         int        `json:"good"`
	LastAnnounce *time.Time `json:"lastAnnounce,omitempty"`
	Keys         int        `json:"keys"`               // keys that are kept announced
	Takers       int        `json:"takers"`             // nodes that took the last announcement
	Error        string     `json:"error,omitempty"`    // why this node cannot be found now, if it cannot
	Deserted     string     `json:"deserted,omitempty"` // why no bootstrap node is there, if saved nodes do instead
}

// Usage is one resource of the capacity pool; quantities are canonical Kubernetes quantities ("32", "64Gi").
// Total = Reserved + Held + Free.
type Usage struct {
	Resource string `json:"resource"`
	Total    string `json:"total"`
	Reserved string `json:"reserved"` // leased, durable
	Held     string `json:"held"`     // bound by matches that run now, in memory only
	Free     string `json:"free"`
}

// Offer is a standing offer of the daemon: up to Ceiling units of Class, at Price, PriceTiers or PriceExpr per unit and hour.
// Fields left empty get the daemon's defaults and come back filled in.
type Offer struct {
	Name        string   `json:"name"`
	Class       string   `json:"class"`                // text of the unit with its attributes; canonical in answers
	Ceiling     uint32   `json:"ceiling"`              // units, 1 … 65535
	Surplus     *Surplus `json:"surplus,omitempty"`    // units follow the cluster, up to Ceiling; none: they do not
	Storage     string   `json:"storage,omitempty"`    // beside the units, for all of them; whole Gi
	PerMatch    uint32   `json:"perMatch,omitempty"`   // units that one match may hold; 0: all
	Price       string   `json:"price,omitempty"`      // decimal, at most six places, in the class's currency
	PriceTiers  string   `json:"priceTiers,omitempty"` // a supply curve, such as 1-8=0.03,9-=0.025
	PriceExpr   string   `json:"priceExpr,omitempty"`  // evaluated when a match binds
	Policies    []string `json:"policies,omitempty"`   // placement functions that it takes part in; none: all
	Allow       []string `json:"allow,omitempty"`      // "pool", "any" or peer ids
	Deny        []string `json:"deny,omitempty"`       // peer ids; wins over Allow
	MaxDuration Duration `json:"maxDuration,omitempty"`
	MaxLeases   int      `json:"maxLeases,omitempty"`     // live ones of a requester
	MaxMatches  int      `json:"maxMatches,omitempty"`    // of a requester in the budget's window
	Notice      Duration `json:"reclaimNotice,omitempty"` // before a lease may be taken back; none: never
	Paused      bool     `json:"paused"`
	Fault       string   `json:"fault,omitempty"`     // why it enters nothing now; filled in by the daemon
	Announced   []string `json:"announced,omitempty"` // classes under which it can be found; filled in by the daemon
}

// Asks says what a unit costs, in the form in which it was put.
func (o Offer) Asks() string { return cmp.Or(o.Price, o.PriceTiers, o.PriceExpr) }

// Match is one match that this node took part in, told as what it learned itself.
type Match struct {
	SID      string    `json:"sid"` // short form
	At       time.Time `json:"at"`
	Role     string    `json:"role"` // RoleProvider
	Class    string    `json:"class,omitempty"`
	Outcome  string    `json:"outcome"`            // one of the Outcome constants
	Quantity uint32    `json:"quantity,omitempty"` // units, when selected
	Price    string    `json:"price,omitempty"`    // our own price, when selected
	Phase    string    `json:"phase,omitempty"`    // where it stopped, when aborted
	Lease    string    `json:"lease,omitempty"`    // id, when selected
}

// What a node can be in a match, and what it can learn.
const (
	RoleProvider = "provider"

	OutcomeSelected    = "selected"
	OutcomeNotSelected = "not selected"
	OutcomeAborted     = "aborted"
)

// Learned says in words what the match told this node.
func (m Match) Learned() string {
	switch m.Outcome {
	case OutcomeSelected:
		unit := "units"
		if m.Quantity == 1 {
			unit = "unit"
		}
		return fmt.Sprintf("selected: %d %s at %s", m.Quantity, unit, m.Price)
	case OutcomeAborted:
		if m.Phase != "" {
			return "aborted (" + m.Phase + ")"
		}
	}
	return m.Outcome
}

// Lease is one lease (or one part of a split one) as this side knows it.
type Lease struct {
	ID        string     `json:"id"`
	State     string     `json:"state"`
	Class     string     `json:"class"`
	Quantity  uint32     `json:"quantity"`
	Price     string     `json:"price"`
	Provider  string     `json:"provider,omitempty"`
	Requester string     `json:"requester,omitempty"`
	Offer     string     `json:"offer,omitempty"` // under which it was leased; of a provider's own
	Namespace string     `json:"namespace,omitempty"`
	Duration  Duration   `json:"duration,omitempty"`
	Created   time.Time  `json:"created"`
	Expires   *time.Time `json:"expires,omitempty"`
	Reclaim   Duration   `json:"reclaimNotice,omitempty"` // notice with which it may be taken back; none: it is not
	Notice    string     `json:"notice,omitempty"`        // NoticeExpiry or NoticeReclaim, once there is any
	Reason    string     `json:"reason,omitempty"`        // why it has ended or is ending
}

// What a lease's requester and namespace are told about its end.
const (
	NoticeExpiry  = "expiry"  // the term ends soon
	NoticeReclaim = "reclaim" // its provider takes it back
)

// Lookup asks the daemon to look up providers of a class in cells of its pool.
type Lookup struct {
	Pool  string   `json:"pool"`  // must be the daemon's own
	Class string   `json:"class"` // canonical text
	Cells []string `json:"cells"` // geohash cells to look around, the nearest first; "" is the whole world
}

// Found is one address at which a provider may listen: a hint, never an authority. ID is set when the daemon has proof of who
// answered there lately.
type Found struct {
	Addr netip.AddrPort `json:"addr"`
	ID   string         `json:"id,omitempty"`
}

// Duration is a time.Duration whose text has no zero tail: "1h", "90m" is "1h30m".
type Duration time.Duration

func (d Duration) String() string {
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// MarshalText writes the text of String.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what time.ParseDuration reads.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil {
		return err
	}
	*d = Duration(v)
	return nil
}
