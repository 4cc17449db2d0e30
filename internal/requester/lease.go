package requester

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/k8s"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match"
)

// State is where a lease, or a part of one, stands for its requester.
type State string

// The states of a lease at the requester. A lease has one, and so has each of
// its parts; a part is never Releasing.
const (
	Claiming  State = "claiming"  // the match was won; not all is granted yet
	Granted   State = "granted"   // all grants are stored; not all providers know
	Active    State = "active"    // confirmed by all
	Releasing State = "releasing" // to be given back; not all providers have said that it is
	Released  State = "released"  // given back
	Expired   State = "expired"   // its time is over
	Lost      State = "lost"      // a provider refused, failed or tore it down
)

var states = []State{Claiming, Granted, Active, Releasing, Released, Expired, Lost}

// Lease is one lease as its requester keeps it: what one match has brought, in
// one part or in several, each at a provider of its own. It holds secrets and
// credentials: its file has mode 0600, and it does not print itself.
type Lease struct {
	ID       market.LeaseID // of one part that part's, of several SplitID
	SID      []byte
	State    State
	Class    market.Class
	Duration time.Duration // as granted; renewals stand with the parts
	Policy   string
	Further  []market.Quantity // of each part, by dimension of the policy
	Workload []byte            // SHA-256 of the manifests that it is for; none: it is for nothing special
	Roster   []byte            // body of the signed roster: what the sid is the hash of
	Created  time.Time
	Reason   string  // why it was lost, or is being given back without having been asked to
	Parts    []Part  // the largest first, see order; never none
	Timing   *Timing // of the match; nil: not known
	Holder   string  // for whom it was requested, as Client.Holder said; "": for whoever uses this folder
}

// Part is what one provider provides of a lease.
type Part struct {
	ID       market.LeaseID  `json:"id"`
	State    State           `json:"state"`
	Quantity market.Quantity `json:"quantity"`
	Price    market.Price    `json:"price"` // what is paid for a unit and hour
	Provider identity.PeerID `json:"provider"`
	Record   []byte          `json:"record"`       // the provider's signed record: where it is reached
	Met      time.Time       `json:"met,omitzero"` // when it showed that; zero: with the match
	Grant    *k8s.Grant      `json:"grant,omitempty"`
	Receipt  []byte          `json:"receipt,omitempty"`
	Signed   []byte          `json:"signed,omitempty"`   // the provider's signature under the receipt
	Renewals []Renewal       `json:"renewals,omitempty"` // that were confirmed, in order
	Promise  *Renewal        `json:"promise,omitempty"`  // of a renewal that is under way
	Expires  time.Time       `json:"expires,omitzero"`
	Reason   string          `json:"reason,omitempty"` // why it was lost

	Reclaimed bool `json:"reclaimed,omitempty"` // its provider has said that it takes it back
}

// Renewal is a longer term of a part.
type Renewal struct {
	Total   time.Duration `json:"total"` // the whole term, from the grant
	Receipt []byte        `json:"receipt"`
	Signed  []byte        `json:"signed"` // the provider's signature under it
}

// String leaves the receipt out.
func (r Renewal) String() string { return "renewal" }

// GoString is String: %#v would print the deal.
func (r Renewal) GoString() string { return r.String() }

// SplitID names a lease of several parts: SHA-256 of "angler/1 split" and the
// session id. Only the requester uses it; to a provider its part is a lease.
func SplitID(sid [32]byte) market.LeaseID {
	return sha256.Sum256(append([]byte("angler/1 split"), sid[:]...))
}

// order sorts the parts, the largest first and of equal ones by provider, and
// gives the lease its id. Part k keeps its place, and with it its name, for as
// long as the lease lives.
func (l *Lease) order() {
	slices.SortFunc(l.Parts, func(a, b Part) int {
		if c := cmp.Compare(b.Quantity, a.Quantity); c != 0 {
			return c
		}
		return slices.Compare(a.Provider[:], b.Provider[:])
	})
	l.ID = SplitID([32]byte(l.SID))
	if len(l.Parts) == 1 {
		l.ID = l.Parts[0].ID
	}
}

// Quantity is how many units all parts have.
func (l Lease) Quantity() market.Quantity {
	var sum market.Quantity
	for _, p := range l.Parts {
		sum += p.Quantity
	}
	return sum
}

// Standing is the lease with those of its parts alone that are not over, to be
// counted; with all if all are.
func (l Lease) Standing() Lease {
	var parts []Part
	for _, p := range l.Parts {
		if !p.over() {
			parts = append(parts, p)
		}
	}
	if len(parts) == 0 {
		return l
	}
	return l.with(parts)
}

// Reclaimed tells whether the provider of a part has said that it takes it back.
func (l Lease) Reclaimed() bool {
	return slices.ContainsFunc(l.Parts, func(p Part) bool { return p.Reclaimed && !p.over() })
}

// Prices are the lowest and the highest price of a part.
func (l Lease) Prices() (least, most market.Price) {
	for k, p := range l.Parts {
		if k == 0 || p.Price < least {
			least = p.Price
		}
		most = max(most, p.Price)
	}
	return least, most
}

// Expires is when the first part of those that are not over ends: until then
// the lease is whole. Zero: nothing is granted.
func (l Lease) Expires() time.Time {
	var end time.Time
	for _, p := range l.Parts {
		if !p.Expires.IsZero() && !p.over() && (end.IsZero() || p.Expires.Before(end)) {
			end = p.Expires
		}
	}
	return end
}

// Ends is when the last part ends, whatever became of it. Zero: nothing was
// granted.
func (l Lease) Ends() time.Time {
	var end time.Time
	for _, p := range l.Parts {
		if p.Expires.After(end) {
			end = p.Expires
		}
	}
	return end
}

// over tells whether nothing more can come of a part.
func (p Part) over() bool { return p.State == Released || p.State == Expired || p.State == Lost }

// with returns the lease with other parts; the one that it is called on keeps
// its own.
func (l Lease) with(parts []Part) Lease {
	l.Parts = parts
	return l
}

// Term is for how long a part was agreed, from its grant.
func (l Lease) Term(p Part) time.Duration {
	if n := len(p.Renewals); n > 0 {
		return p.Renewals[n-1].Total
	}
	return l.Duration
}

// deal is what the first receipt of a part must say.
func (l Lease) deal(p Part, requester identity.PeerID) match.Deal {
	d := match.Deal{
		SID: [32]byte(l.SID), Lease: p.ID, Provider: p.Provider, Requester: requester,
		Class: l.Class, Quantity: p.Quantity, Price: p.Price, Duration: l.Duration, Policy: l.Policy, Further: l.Further,
	}
	copy(d.Workload[:], l.Workload)
	return d
}

// String leaves the secrets out, as do GoString and LogValue.
func (l Lease) String() string { return fmt.Sprintf("lease %s (%s)", l.ID.Short(), l.State) }

// GoString is String: %#v would print the secrets.
func (l Lease) GoString() string { return l.String() }

// LogValue is for log/slog.
func (l Lease) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", l.ID.Short()), slog.String("state", string(l.State)))
}

// String leaves the secrets out, as do GoString and LogValue.
func (p Part) String() string { return fmt.Sprintf("part %s (%s)", p.ID.Short(), p.State) }

// GoString is String: %#v would print the secrets.
func (p Part) GoString() string { return p.String() }

// LogValue is for log/slog.
func (p Part) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", p.ID.Short()), slog.String("state", string(p.State)))
}
