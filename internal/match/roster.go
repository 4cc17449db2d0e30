package match

import (
	"crypto/sha256"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/wire"
)

// MaxProviders bounds a roster.
const MaxProviders = 64

// rosterDomain separates signatures under rosters from all others.
const rosterDomain = "angler/1 roster"

// Requester is party 0 of a roster.
type Requester struct {
	ID         identity.PeerID `cbor:"1,keyasint"`
	Nonce      []byte          `cbor:"2,keyasint"`
	Membership []byte          `cbor:"3,keyasint,omitempty"`
}

// Member is a provider in a roster: party 1 + its place.
type Member struct {
	ID     identity.PeerID `cbor:"1,keyasint"`
	Nonce  []byte          `cbor:"2,keyasint"` // from its Answer
	Record []byte          `cbor:"3,keyasint"` // its own signed record: where it may be dialled
}

// Roster fixes one match: parties, nonces and every knob that both ends must
// agree on. Its hash is the session id.
type Roster struct {
	Version    uint      `cbor:"1,keyasint"`
	Pool       string    `cbor:"2,keyasint"`
	Class      string    `cbor:"3,keyasint"`
	Policy     string    `cbor:"4,keyasint"`
	Seconds    uint64    `cbor:"5,keyasint"`
	K          uint      `cbor:"6,keyasint"`  // SoftSpoken's k: see speed.go
	Circuit    []byte    `cbor:"7,keyasint"`  // hash of the template circuit
	Commitment []byte    `cbor:"8,keyasint"`  // salted, to what the requester enters
	Requester  Requester `cbor:"9,keyasint"`  // party 0
	Providers  []Member  `cbor:"10,keyasint"` // parties 1 …
}

// SignedRoster is a roster as it travels: its exact bytes, signed by party 0.
type SignedRoster struct {
	Body      []byte `cbor:"1,keyasint"`
	Signature []byte `cbor:"2,keyasint"`
}

// Sign encodes the roster and signs the bytes.
func (r *Roster) Sign(key *identity.Key) SignedRoster {
	body := wire.Encode(r)
	return SignedRoster{Body: body, Signature: key.Sign(rosterDomain, body)}
}

// SID is the session id that the roster's bytes determine.
func (s *SignedRoster) SID() [32]byte { return tagged("angler/1 sid", s.Body) }

// Hash names the roster: it heads every frame of the MPC beside the sid.
func (s *SignedRoster) Hash() [32]byte { return tagged("angler/1 roster", s.Body) }

// tagged is SHA-256 of b under a tag, which says what is hashed.
func tagged(tag string, b []byte) [32]byte {
	h := sha256.New()
	h.Write([]byte{byte(len(tag))})
	h.Write([]byte(tag))
	h.Write(b)
	return [32]byte(h.Sum(nil))
}
