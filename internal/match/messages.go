package match

import "github.com/angler-dex/angler/internal/mesh"

// Version is the protocol version that this build speaks. It is part of every
// invitation and roster; a provider declines any other.
const Version = 2

// Stream kinds: the first byte of each stream between two nodes.
const (
	KindRecord  mesh.Kind = 1 // "who are you": answered by one signed provider record
	KindMatch   mesh.Kind = 2 // invitation, roster and reports of one match
	KindSession mesh.Kind = 3 // the MPC between one pair of parties
	KindLease   mesh.Kind = 4 // what a requester wants of a lease
	KindProxy   mesh.Kind = 5 // a connection to the API server of a lease
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

// Answer is a provider's reply to an invitation. A decline has no other field,
// so that all declines look alike.
type Answer struct {
	Accept bool   `cbor:"1,keyasint"`
	Nonce  []byte `cbor:"2,keyasint,omitempty"` // 32 fresh bytes: makes the sid new
	Record []byte `cbor:"3,keyasint,omitempty"` // signed provider record
}

// Notice is a requester's word in a match that runs.
type Notice struct {
	Stop bool `cbor:"1,keyasint"` // the match is given up: say what you saw
}

// State is what a provider reports of its match.
type State uint8

// What a provider reports: Ready first, then one of the others, at which its
// match is over.
const (
	Ready       State = 1 // connected to every other party
	Finished    State = 2 // output verified, and a win reserved durably
	Unreachable State = 3 // no connection to party Peer
	Broken      State = 4 // the link to party Peer, or its stream, broke
	Stalled     State = 5 // everything went silent, while waiting for party Peer
	Aborted     State = 6 // a check failed: on what party Peer sent, if that can be told; which check, is not said
	Stopped     State = 7 // told to stop, while waiting for party Peer
	Withdrawn   State = 8 // cannot go on, for a reason of its own
)

// Report is a provider's word on how its match goes.
type Report struct {
	State  State `cbor:"1,keyasint"`
	Peer   uint  `cbor:"2,keyasint,omitempty"` // party index; 0 is the requester, or nobody
	Flight uint  `cbor:"3,keyasint,omitempty"` // in which; 0 is before the first
}

var stateNames = [...]string{
	Ready: "ready", Finished: "finished", Unreachable: "unreachable", Broken: "broken", Stalled: "stalled",
	Aborted: "aborted", Stopped: "stopped", Withdrawn: "withdrawn",
}

// String is the name in lower case.
func (s State) String() string {
	if s < Ready || s > Withdrawn {
		return "unknown"
	}
	return stateNames[s]
}
