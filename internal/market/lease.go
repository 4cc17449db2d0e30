package market

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
)

// LeaseID names a lease: SHA-256 of "angler/1 lease", the session id and the
// provider's identity. Both sides compute it; nobody can choose it.
type LeaseID [32]byte

// NewLeaseID derives the id of what provider owes to the session sid.
func NewLeaseID(sid, provider [32]byte) LeaseID {
	h := sha256.New()
	h.Write([]byte("angler/1 lease"))
	h.Write(sid[:])
	h.Write(provider[:])
	return LeaseID(h.Sum(nil))
}

// String is 52 characters of lower-case base32: it fits a Kubernetes label.
func (id LeaseID) String() string { return peerText(id) }

// Short is the first ten characters, for people.
func (id LeaseID) Short() string { return id.String()[:10] }

// ParseLeaseID is the inverse of String; the error is a *FieldError of "lease".
func ParseLeaseID(text string) (LeaseID, error) {
	var id LeaseID
	raw, err := peerEncoding.DecodeString(strings.ToUpper(text))
	if err != nil || len(raw) != len(id) {
		return id, wrong("lease", "is not a lease id", LeaseID{}.String())
	}
	copy(id[:], raw)
	if id.String() != text { // the last character has spare bits; capitals
		return LeaseID{}, wrong("lease", "is not a lease id", LeaseID{}.String())
	}
	return id, nil
}

// MarshalText is String.
func (id LeaseID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText is ParseLeaseID.
func (id *LeaseID) UnmarshalText(text []byte) error {
	parsed, err := ParseLeaseID(string(text))
	if err != nil {
		return err
	}
	*id = parsed
	return nil
}

// Lease is a provider's row about one outcome. The first block never changes
// after Win; the others are written as the lease goes on.
type Lease struct {
	ID        LeaseID
	SID       [32]byte
	Requester [32]byte
	Offer     string // name of the offer that it came from; private
	Class     Class
	Policy    string
	Quantity  Quantity   // secret of the two sides
	Price     Price      // agreed, per unit and hour; secret of the two sides
	Further   []Quantity // beside the units, by dimension of the policy (see Further); secret of the two sides

	Notice time.Duration // of being taken back, as the offer said when it was won; 0: it is not

	State    State
	Duration time.Duration // the term, from Granted; renewing changes it
	Promise  Promise       // a longer term that is prepared; see Ledger.Promise
	Told     Notice        // what its namespace says about its end

	Namespace string
	Manifest  [32]byte // hash of the manifest that was applied
	Grant     []byte   // the grant as it was answered, for a repeated claim; holds a token, erased at the end
	Receipt   []byte
	Reason    string // why it ended, in words that carry no secret

	Reserved  Moment // set by Win
	Started   Moment // set on the way to provisioning
	Granted   Moment // set on the way to provisional
	Confirmed Moment // set on the way to active
	Ended     Moment // set on the way to released or failed
	Reclaimed Moment // when the provider took it back, to end a Notice later

	// Expires is the wall clock's idea of the end, for people and objects:
	// Started plus Duration, then Granted plus Duration, or Reclaimed plus
	// Notice if that is earlier. The end itself is
	// measured on the boot-time clock (see Moment.Elapsed). Set by the ledger.
	Expires time.Time
}

// Resources is what the lease takes from the pool while it is not over.
func (l Lease) Resources() (Resources, error) {
	units, err := l.Class.Base().Times(l.Quantity)
	if err != nil {
		return nil, err
	}
	return units.Plus(beside(l.Policy, l.Further))
}

// End is the terminal state that fits: Released if it was ever granted, else
// Failed.
func (l Lease) End() State {
	if l.Granted.IsZero() {
		return Failed
	}
	return Released
}

func (l Lease) clone() Lease {
	l.Further = slices.Clone(l.Further)
	l.Grant, l.Receipt, l.Promise = bytes.Clone(l.Grant), bytes.Clone(l.Receipt), l.Promise.clone()
	return l
}

// LogValue leaves the secrets out.
func (l Lease) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", l.ID.Short()), slog.String("state", l.State.String()), slog.String("class", l.Class.String()))
}

// unchanged returns an error if an edit touched what Win fixed.
func (l Lease) unchanged(before Lease) error {
	if l.ID != before.ID || l.SID != before.SID || l.Requester != before.Requester || l.Offer != before.Offer ||
		l.Class != before.Class || l.Policy != before.Policy || l.Quantity != before.Quantity || l.Price != before.Price ||
		l.Notice != before.Notice || !slices.Equal(l.Further, before.Further) {
		return fmt.Errorf("lease %s: an edit changed what was agreed", before.ID.Short())
	}
	if l.State != before.State || l.Reserved != before.Reserved || l.Started != before.Started || l.Granted != before.Granted ||
		l.Confirmed != before.Confirmed || l.Ended != before.Ended || l.Reclaimed != before.Reclaimed || l.Told != before.Told ||
		l.Duration != before.Duration || l.Promise.Duration != before.Promise.Duration {
		return fmt.Errorf("lease %s: an edit changed what the ledger keeps", before.ID.Short())
	}
	return nil
}
