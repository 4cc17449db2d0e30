package requester

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/k8s"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match"
)

// State is where a lease stands for its requester.
type State string

// The states of a lease at the requester.
const (
	Claiming State = "claiming" // the match was won; nothing is granted yet
	Granted  State = "granted"  // the grant is stored, the provider does not know
	Active   State = "active"   // confirmed
	Released State = "released" // given back
	Lost     State = "lost"     // the provider refused, failed or tore it down
)

var states = []State{Claiming, Granted, Active, Released, Lost}

// Lease is one lease as its requester keeps it. It holds secrets and a
// credential: its file has mode 0600, and it does not print itself.
type Lease struct {
	ID       market.LeaseID  `json:"id"`
	SID      []byte          `json:"sid"`
	State    State           `json:"state"`
	Class    market.Class    `json:"class"`
	Quantity market.Quantity `json:"quantity"`
	Price    market.Price    `json:"price"`
	Duration time.Duration   `json:"duration"`
	Policy   string          `json:"policy"`
	Provider identity.PeerID `json:"provider"`
	Record   []byte          `json:"record"` // the provider's signed record: where it is reached
	Roster   []byte          `json:"roster"` // body of the signed roster: what the sid is the hash of
	Grant    *k8s.Grant      `json:"grant,omitempty"`
	Receipt  []byte          `json:"receipt,omitempty"`
	Signed   []byte          `json:"signed,omitempty"` // the provider's signature under the receipt
	Created  time.Time       `json:"created"`
	Expires  time.Time       `json:"expires,omitzero"`
	Reason   string          `json:"reason,omitempty"` // why it was lost
}

// deal is what the lease's receipt must say.
func (l Lease) deal(requester identity.PeerID) match.Deal {
	return match.Deal{
		SID: [32]byte(l.SID), Lease: l.ID, Provider: l.Provider, Requester: requester,
		Class: l.Class, Quantity: l.Quantity, Price: l.Price, Duration: l.Duration,
	}
}

// Kubeconfig builds the kubeconfig of a lease from the grant's typed fields.
func (l Lease) Kubeconfig() ([]byte, error) {
	if l.Grant == nil {
		return nil, fmt.Errorf("lease %s is %s: it has no kubeconfig", l.ID.Short(), l.State)
	}
	return l.Grant.Kubeconfig("angler-" + l.ID.Short())
}

// String leaves the secrets out, as do GoString and LogValue.
func (l Lease) String() string { return fmt.Sprintf("lease %s (%s)", l.ID.Short(), l.State) }

// GoString is String: %#v would print the secrets.
func (l Lease) GoString() string { return l.String() }

// LogValue is for log/slog.
func (l Lease) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", l.ID.Short()), slog.String("state", string(l.State)))
}

// encode writes the lease's file.
func (l Lease) encode() ([]byte, error) {
	text, err := json.MarshalIndent(l, "", "  ")
	if err != nil {
		return nil, err
	}
	return append(text, '\n'), nil
}

// parseLease reads a lease's file and checks what the program relies on. The
// errors do not repeat what stands in it.
func parseLease(text []byte) (Lease, error) {
	var l Lease
	if err := json.Unmarshal(text, &l); err != nil {
		return Lease{}, errors.New("not a lease in JSON") // the cause might quote it
	}
	switch {
	case len(l.SID) != 32 || l.ID != market.NewLeaseID([32]byte(l.SID), l.Provider):
		return Lease{}, errors.New("its id is not that of its session and provider")
	case !slices.Contains(states, l.State):
		return Lease{}, errors.New("unknown state")
	case (l.State == Granted || l.State == Active) && (l.Grant == nil || len(l.Receipt) == 0):
		return Lease{}, errors.New("granted, but without grant or receipt")
	}
	return l, nil
}
