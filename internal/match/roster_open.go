package match

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/wire"
)

// Seat is a roster seen from one of its providers, everything in it checked.
type Seat struct {
	Roster  *Roster
	Records []identity.Record // of party 1+k
	Self    int               // own party index
	SID     [32]byte
	Hash    [32]byte
}

// Parties is how many there are, the requester among them.
func (s *Seat) Parties() int { return 1 + len(s.Roster.Providers) }

// Peer is the identity of a party.
func (s *Seat) Peer(party int) identity.PeerID {
	if party == 0 {
		return s.Roster.Requester.ID
	}
	return s.Roster.Providers[party-1].ID
}

// Terms are what a provider accepted and therefore expects in the roster.
type Terms struct {
	Invite    Invite
	Requester identity.PeerID // proven by the link
	Self      identity.PeerID
	Nonce     []byte         // from the own Answer
	Pool      *identity.Pool // nil: open market
	MinRoster int            // least number of distinct operators
	Now       time.Time
}

// Reasons to refuse a roster, beside wire.ErrMalformed. They stay at home.
var (
	errRosterSignature = errors.New("roster is not signed by the requester of this link")
	errRosterTerms     = errors.New("roster differs from the invitation")
	errRosterMembers   = errors.New("roster members are not acceptable")
	errRosterSmall     = errors.New("roster has too few distinct operators")
)

// Open checks a roster against the terms that this provider accepted: the
// requester's signature, the invitation's fields, its own entry with its own
// fresh nonce, every member's signed record, no member twice, and at least
// MinRoster providers certified as distinct operators, none of them the
// requester's own: a requester that filled the roster with its own sybils
// could read the one honest price off the outcome.
//
// On an open market nobody certifies operators: there every identity counts as
// one, whatever its record says, and MinRoster protects from nothing but
// accidents.
func (s *SignedRoster) Open(t Terms) (*Seat, error) {
	if !t.Requester.Verify(rosterDomain, s.Body, s.Signature) {
		return nil, errRosterSignature
	}
	var r Roster
	if err := wire.Decode(s.Body, maxRoster, &r); err != nil {
		return nil, err
	}
	if err := r.fits(t); err != nil {
		return nil, err
	}
	seat := &Seat{Roster: &r, SID: s.SID(), Hash: s.Hash()}
	seen := map[identity.PeerID]bool{r.Requester.ID: true}
	for k, m := range r.Providers {
		if seen[m.ID] || len(m.Nonce) != nonceSize {
			return nil, errRosterMembers
		}
		seen[m.ID] = true
		rec, err := checkRecord(m.Record, m.ID, t.Pool, t.Now)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errRosterMembers, err)
		}
		seat.Records = append(seat.Records, rec)
		if m.ID == t.Self && bytes.Equal(m.Nonce, t.Nonce) {
			seat.Self = k + 1
		}
	}
	if seat.Self == 0 {
		return nil, errRosterMembers
	}
	if operators(seat, t.Pool) < t.MinRoster {
		return nil, errRosterSmall
	}
	return seat, nil
}

// nonceSize is the length of a nonce, a commitment and a circuit's hash.
const nonceSize = 32

// fits checks everything of a roster but its members.
func (r *Roster) fits(t Terms) error {
	in := t.Invite
	switch {
	case r.Version != in.Version || r.Pool != in.Pool || r.Class != in.Class || r.Policy != in.Policy || r.Seconds != in.Seconds:
		return errRosterTerms
	case r.Requester.ID != t.Requester || !bytes.Equal(r.Requester.Membership, in.Membership):
		return errRosterTerms
	case len(r.Requester.Nonce) != nonceSize || len(r.Commitment) != nonceSize || len(r.Circuit) != nonceSize:
		return fmt.Errorf("%w: wrong length", wire.ErrMalformed)
	case len(r.Providers) == 0 || len(r.Providers) > MaxProviders:
		return errRosterMembers
	case !allowedK(r.K):
		return errRosterTerms
	}
	return nil
}

// operators counts the distinct operators of a roster, the requester's own left
// out.
func operators(s *Seat, pool *identity.Pool) int {
	if pool == nil {
		return len(s.Records)
	}
	names := map[string]bool{}
	for _, r := range s.Records {
		names[r.Membership.Operator] = true // checkRecord has seen to it that there is one
	}
	// Whether the membership is valid does not matter: who claims to be of an
	// operator is not counted as another.
	if m, err := identity.ParseMembership(s.Roster.Requester.Membership); err == nil {
		delete(names, m.Operator)
	}
	return len(names)
}
