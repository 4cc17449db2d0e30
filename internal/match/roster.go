package match

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/wire"
)

// MaxProviders bounds a roster.
const MaxProviders = 64

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
	K          uint      `cbor:"6,keyasint"`  // SoftSpoken's k
	Circuit    []byte    `cbor:"7,keyasint"`  // hash of the template circuit
	Commitment []byte    `cbor:"8,keyasint"`  // salted, to quantity and maximum price
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

// Hash heads every frame of the MPC beside the sid.
func (s *SignedRoster) Hash() [32]byte { return tagged("angler/1 roster", s.Body) }

func tagged(tag string, b []byte) [32]byte {
	h := sha256.New()
	h.Write([]byte{byte(len(tag))})
	h.Write([]byte(tag))
	h.Write(b)
	return [32]byte(h.Sum(nil))
}

// Seat is a roster seen from one of its providers, everything in it checked.
type Seat struct {
	Roster  *Roster
	Records []identity.Record // of party 1+k
	Self    int               // own party index
	SID     [32]byte
	Hash    [32]byte
}

// Terms are what a provider accepted and therefore expects in the roster.
type Terms struct {
	Invite    Invite
	Requester identity.PeerID // proven by the link
	Self      identity.PeerID
	Nonce     []byte
	Pool      *identity.Pool // nil: open market
	MinRoster int
	Now       time.Time
}

// Reasons to refuse a roster. They stay at home.
var (
	ErrRosterSignature = errors.New("roster is not signed by the requester of this link")
	ErrRosterTerms     = errors.New("roster differs from the invitation")
	ErrRosterMembers   = errors.New("roster members are not acceptable")
	ErrRosterSmall     = errors.New("roster has too few distinct operators")
)

// Open checks a roster against the terms that this provider accepted: the
// requester's signature, the invitation's fields, its own entry with its own
// fresh nonce, every member's signed record, no member twice, and at least
// MinRoster providers certified as distinct operators, none of them the
// requester's own: a requester that filled the roster with its own sybils
// could read the one honest price off the outcome.
func (s *SignedRoster) Open(t Terms) (*Seat, error) {
	if !t.Requester.Verify(rosterDomain, s.Body, s.Signature) {
		return nil, ErrRosterSignature
	}
	var r Roster
	if err := wire.Decode(s.Body, maxRoster, &r); err != nil {
		return nil, err
	}
	in := t.Invite
	if r.Version != in.Version || r.Pool != in.Pool || r.Class != in.Class || r.Policy != in.Policy || r.Seconds != in.Seconds ||
		r.Requester.ID != t.Requester || !bytes.Equal(r.Requester.Membership, in.Membership) {
		return nil, ErrRosterTerms
	}
	if len(r.Requester.Nonce) != 32 || len(r.Commitment) != 32 || len(r.Circuit) != 32 {
		return nil, fmt.Errorf("%w: wrong length", wire.ErrMalformed)
	}
	if len(r.Providers) == 0 || len(r.Providers) > MaxProviders {
		return nil, ErrRosterMembers
	}
	seat := &Seat{Roster: &r, SID: s.SID(), Hash: s.Hash()}
	seen := map[identity.PeerID]bool{r.Requester.ID: true}
	operators := map[string]bool{}
	for k, m := range r.Providers {
		if seen[m.ID] || len(m.Nonce) != 32 {
			return nil, ErrRosterMembers
		}
		seen[m.ID] = true
		rec, err := checkRecord(m.Record, m.ID, t.Pool, t.Now)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrRosterMembers, err)
		}
		seat.Records = append(seat.Records, rec)
		operators[operatorOf(rec)] = true
		if m.ID == t.Self && bytes.Equal(m.Nonce, t.Nonce) {
			seat.Self = k + 1
		}
	}
	if seat.Self == 0 {
		return nil, ErrRosterMembers
	}
	if m, err := identity.ParseMembership(r.Requester.Membership); err == nil {
		delete(operators, m.Operator)
	}
	if len(operators) < t.MinRoster {
		return nil, ErrRosterSmall
	}
	return seat, nil
}

// operatorOf names who runs a provider: the certified operator in a pool, the
// identity itself on an open market, where nothing better is known.
func operatorOf(r identity.Record) string {
	if r.Membership != nil {
		return r.Membership.Operator
	}
	return "\x00" + r.ID.String() // an operator's name cannot begin so
}

// checkRecord opens a provider's record and, in a pool, its membership.
func checkRecord(raw []byte, id identity.PeerID, pool *identity.Pool, now time.Time) (identity.Record, error) {
	rec, err := identity.OpenRecord(raw, now)
	if err != nil {
		return rec, err
	}
	if rec.ID != id {
		return rec, errors.New("record is of another identity")
	}
	if pool == nil {
		return rec, nil
	}
	if rec.Membership == nil {
		return rec, errors.New("record without membership")
	}
	return rec, pool.Verify(*rec.Membership, id, identity.RoleOperator, now)
}
