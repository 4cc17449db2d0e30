package match

import "github.com/angler-dex/angler/internal/mesh"

// Version is the protocol version that this build speaks. It is part of every
// invitation and roster; a provider declines any other.
const Version = 1

// Stream kinds: the first byte of each stream between two nodes.
const (
	KindRecord  mesh.Kind = 1 // "who are you": answered by one signed provider record
	KindMatch   mesh.Kind = 2 // invitation, roster and reports of one match
	KindSession mesh.Kind = 3 // the MPC between one pair of parties
	KindLease   mesh.Kind = 4 // claim, confirm, release
)

// Invite asks a provider to take part in a match. It carries nothing that is
// secret: the quantity and the maximum price enter the MPC alone.
type Invite struct {
	Version    uint   `cbor:"1,keyasint"`
	Pool       string `cbor:"2,keyasint"`
	Class      string `cbor:"3,keyasint"` // canonical text
	Policy     string `cbor:"4,keyasint"`
	Seconds    uint64 `cbor:"5,keyasint"`           // duration of the lease
	Membership []byte `cbor:"6,keyasint,omitempty"` // of the requester, encoded; none outside a pool
}

// Answer is a provider's reply to an invitation. A decline has no reason and
// no other field, so that all declines look alike.
type Answer struct {
	Accept bool   `cbor:"1,keyasint"`
	Nonce  []byte `cbor:"2,keyasint,omitempty"` // 32 fresh bytes: makes the sid new
	Record []byte `cbor:"3,keyasint,omitempty"` // signed provider record
}

// State is what a provider reports of its match.
type State uint8

// The states of a provider in a match, in order.
const (
	Ready       State = 1 // connected to every other party
	Unreachable State = 2 // could not be connected to party Peer
	Stalled     State = 3 // party Peer went silent, or its link broke
	Aborted     State = 4 // a check failed; which, is not said
	Finished    State = 5 // output verified, and a win reserved durably
)

// Report is a provider's word on how its match goes.
type Report struct {
	State State `cbor:"1,keyasint"`
	Peer  uint  `cbor:"2,keyasint,omitempty"` // with Unreachable and Stalled
}

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
	StatusFailed    Status = 4 // provisioning failed and was undone
	StatusGone      Status = 5 // released, expired, or torn down unconfirmed
	StatusConfirmed Status = 6
)

// LeaseReply answers a LeaseRequest.
type LeaseReply struct {
	Status  Status `cbor:"1,keyasint"`
	Grant   *Grant `cbor:"2,keyasint,omitempty"`
	Receipt []byte `cbor:"3,keyasint,omitempty"` // encoded Receipt
	Signed  []byte `cbor:"4,keyasint,omitempty"` // the provider's signature under it
}

// Grant is access to a leased namespace in typed fields. A peer never sends a
// kubeconfig: one can name programs to run.
type Grant struct {
	Server    string `cbor:"1,keyasint"`
	CA        []byte `cbor:"2,keyasint"` // PEM
	Namespace string `cbor:"3,keyasint"`
	Token     string `cbor:"4,keyasint"`
	Expires   int64  `cbor:"5,keyasint"` // of the token, Unix seconds
}
