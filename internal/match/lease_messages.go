package match

import "log/slog"

// Action is what a requester wants of a lease.
type Action uint8

// The actions on a lease. Each may be repeated without harm.
const (
	Claim   Action = 1 // provision what was won and hand over the grant
	Confirm Action = 2 // the grant is stored: keep it until it expires
	Release Action = 3 // give it back
	Show    Action = 4 // where it stands, and how much of its quota is in use
	Prepare Action = 5 // promise a longer term
	Renew   Action = 6 // the promise is stored: take it
	Token   Action = 7 // a fresh credential
)

// LeaseRequest names a lease and what to do with it.
type LeaseRequest struct {
	Action   Action `cbor:"1,keyasint"`
	Lease    []byte `cbor:"2,keyasint"`           // lease id, 32 bytes
	Receipt  []byte `cbor:"3,keyasint,omitempty"` // with Confirm and Renew: the requester's signature under the receipt
	Seconds  uint64 `cbor:"4,keyasint,omitempty"` // with Prepare and Renew: the whole term, from the grant
	Workload []byte `cbor:"5,keyasint,omitempty"` // with Claim: SHA-256 of the manifests that it is for, to stand in the receipt
}

// Status is where a lease stands.
type Status uint8

// The answers to a LeaseRequest.
const (
	StatusPending   Status = 1 // under way: ask again
	StatusGranted   Status = 2 // with the grant and the receipt
	StatusRefused   Status = 3 // there is no such reservation for this requester
	StatusFailed    Status = 4 // provisioning failed; what was made is undone, or being undone
	StatusGone      Status = 5 // released, expired, taken back, or torn down unconfirmed
	StatusConfirmed Status = 6
	StatusShown     Status = 7  // with the standing
	StatusPrepared  Status = 8  // with the receipt of the longer term
	StatusRenewed   Status = 9  // it lasts at least that long
	StatusToken     Status = 10 // with the credential
	StatusDenied    Status = 11 // not of this lease as it stands, which it goes on doing
)

// LeaseReply answers a LeaseRequest. It may hold a credential.
type LeaseReply struct {
	Status     Status      `cbor:"1,keyasint"`
	Grant      *Grant      `cbor:"2,keyasint,omitempty"`
	Receipt    []byte      `cbor:"3,keyasint,omitempty"` // encoded Receipt
	Signed     []byte      `cbor:"4,keyasint,omitempty"` // the provider's signature under it
	Standing   *Stands     `cbor:"5,keyasint,omitempty"` // of a lease that is or was in use
	Credential *Credential `cbor:"6,keyasint,omitempty"`
	Record     []byte      `cbor:"7,keyasint,omitempty"` // the provider's signed record, for the next connection
	Void       uint64      `cbor:"8,keyasint,omitempty"` // with StatusPrepared: for how many seconds the promise binds
	Renewals   uint64      `cbor:"9,keyasint,omitempty"` // with StatusDenied: the lease was renewed so often, and is not renewed again
}

// Stands is where a lease stands, on the wire; see Standing.
type Stands struct {
	State   uint8   `cbor:"1,keyasint"` // a market.State
	Left    uint64  `cbor:"2,keyasint"` // seconds until it ends, by a clock that does not jump
	Expires int64   `cbor:"3,keyasint"` // the same by the provider's wall clock, Unix seconds
	Seconds uint64  `cbor:"4,keyasint"` // the whole term, from the grant
	Notice  uint64  `cbor:"5,keyasint,omitempty"`
	Kind    uint8   `cbor:"6,keyasint,omitempty"` // a market.NoticeKind
	Usage   []Gauge `cbor:"7,keyasint,omitempty"` // with Show
}

// Gauge is how much of one limit of a namespace is in use.
type Gauge struct {
	Resource string `cbor:"1,keyasint"`
	Used     string `cbor:"2,keyasint"` // Kubernetes quantities
	Hard     string `cbor:"3,keyasint"`
}

// Credential is a fresh token for a namespace, or a client certificate and its
// key. It does not print them.
type Credential struct {
	Token       string `cbor:"1,keyasint,omitempty"`
	Expires     int64  `cbor:"2,keyasint"` // Unix seconds
	Certificate []byte `cbor:"3,keyasint,omitempty"`
	Key         []byte `cbor:"4,keyasint,omitempty"`
}

// String leaves the secrets out, as does LogValue.
func (Credential) String() string { return "credential" }

// GoString is String: %#v would print the token.
func (c Credential) GoString() string { return c.String() }

// LogValue is for log/slog.
func (c Credential) LogValue() slog.Value { return slog.StringValue(c.String()) }

// String leaves the grant and the receipt out, as does LogValue.
func (r LeaseReply) String() string { return "reply: " + statusNames[r.Status] }

// GoString is String: %#v would print the credential.
func (r LeaseReply) GoString() string { return r.String() }

// LogValue is for log/slog.
func (r LeaseReply) LogValue() slog.Value { return slog.StringValue(r.String()) }

var statusNames = map[Status]string{
	StatusPending: "pending", StatusGranted: "granted", StatusRefused: "refused",
	StatusFailed: "failed", StatusGone: "gone", StatusConfirmed: "confirmed", StatusShown: "shown",
	StatusPrepared: "prepared", StatusRenewed: "renewed", StatusToken: "token", StatusDenied: "denied",
}
