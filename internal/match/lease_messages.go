package match

import "log/slog"

// Action is what a requester wants of a lease.
type Action uint8

// The actions on a lease. Each may be repeated without harm.
const (
	Claim   Action = 1 // provision what was won and hand over the grant
	Confirm Action = 2 // the grant is stored: keep it until it expires
	Release Action = 3 // give it back
)

// LeaseRequest names a lease and what to do with it.
type LeaseRequest struct {
	Action  Action `cbor:"1,keyasint"`
	Lease   []byte `cbor:"2,keyasint"`           // lease id, 32 bytes
	Receipt []byte `cbor:"3,keyasint,omitempty"` // with Confirm: the requester's signature under the receipt
}

// Status is where a lease stands.
type Status uint8

// The answers to a LeaseRequest.
const (
	StatusPending   Status = 1 // under way: ask again
	StatusGranted   Status = 2 // with the grant and the receipt
	StatusRefused   Status = 3 // there is no such reservation for this requester
	StatusFailed    Status = 4 // provisioning failed; what was made is undone, or being undone
	StatusGone      Status = 5 // released, expired, or torn down unconfirmed
	StatusConfirmed Status = 6
)

// LeaseReply answers a LeaseRequest. It holds a credential.
type LeaseReply struct {
	Status  Status `cbor:"1,keyasint"`
	Grant   *Grant `cbor:"2,keyasint,omitempty"`
	Receipt []byte `cbor:"3,keyasint,omitempty"` // encoded Receipt
	Signed  []byte `cbor:"4,keyasint,omitempty"` // the provider's signature under it
}

// String leaves the grant and the receipt out, as does LogValue.
func (r LeaseReply) String() string { return "reply: " + statusNames[r.Status] }

// GoString is String: %#v would print the credential.
func (r LeaseReply) GoString() string { return r.String() }

// LogValue is for log/slog.
func (r LeaseReply) LogValue() slog.Value { return slog.StringValue(r.String()) }

var statusNames = map[Status]string{
	StatusPending: "pending", StatusGranted: "granted", StatusRefused: "refused",
	StatusFailed: "failed", StatusGone: "gone", StatusConfirmed: "confirmed",
}
