package identity

import (
	"fmt"
	"time"

	"github.com/angler-dex/angler/internal/wire"
)

// Role is what a member may do in a pool.
type Role string

// The roles. An operator provides namespaces; a requester asks for some. A
// peer that does both holds two memberships.
const (
	RoleOperator  Role = "operator"
	RoleRequester Role = "requester"
)

// ParseRole reads a role's name.
func ParseRole(text string) (Role, error) {
	if r := Role(text); r == RoleOperator || r == RoleRequester {
		return r, nil
	}
	return "", fmt.Errorf("role %.20q: %w: it is operator or requester", text, ErrMalformed)
}

// domainMembership separates these signatures from all others.
const domainMembership = "angler/1 membership"

// MaxMembership is the largest size in bytes of an encoded membership.
const MaxMembership = 512

const maxOperator = 64

// Membership is a pool signer's word that a peer belongs to the pool. It holds
// for one identity and one role, from NotBefore to NotAfter, and means
// something only together with a pool that lists the signer: [Pool.Verify].
type Membership struct {
	Pool   string `json:"pool"`
	Member PeerID `json:"member"`
	Role   Role   `json:"role"`
	// Operator is the organisation behind the peer, 1 to 64 characters of
	// printable ASCII. Rosters count distinct operators, so a signer must give
	// one organisation one name.
	Operator string `json:"operator"`
	// NotBefore and NotAfter bound the validity, in whole seconds of UTC.
	NotBefore time.Time `json:"notBefore"`
	NotAfter  time.Time `json:"notAfter"`
	// Signer made the Signature, over the canonical encoding of the rest.
	Signer    PeerID `json:"signer"`
	Signature []byte `json:"signature"`
}

// membershipBody is the signed part as it travels.
type membershipBody struct {
	Pool      string `cbor:"1,keyasint"`
	Member    PeerID `cbor:"2,keyasint"`
	Role      Role   `cbor:"3,keyasint"`
	Operator  string `cbor:"4,keyasint"`
	NotBefore int64  `cbor:"5,keyasint"`
	NotAfter  int64  `cbor:"6,keyasint"`
	Signer    PeerID `cbor:"7,keyasint"`
}

// SignMembership returns m signed by key, which becomes its Signer; times are
// cut to whole seconds of UTC. It fails if a field is out of its range.
func SignMembership(key *Key, m Membership) (Membership, error) {
	m.NotBefore = wireTime(m.NotBefore.Unix())
	m.NotAfter = wireTime(m.NotAfter.Unix())
	m.Signer = key.ID()
	m.Signature = key.Sign(domainMembership, m.body())
	if err := m.validate(); err != nil {
		return Membership{}, err
	}
	return m, nil
}

// Encode returns the membership as it travels (see the package's Formats).
func (m Membership) Encode() ([]byte, error) {
	if err := m.validate(); err != nil {
		return nil, err
	}
	return wire.Encode(sealed{Body: m.body(), Signature: m.Signature}), nil
}

// ParseMembership reads what Encode writes. It checks the form only, not the
// signature: that is up to [Pool.Verify].
func ParseMembership(raw []byte) (Membership, error) {
	var s sealed
	if err := wire.Decode(raw, MaxMembership, &s); err != nil {
		return Membership{}, fmt.Errorf("membership: %w", err)
	}
	var b membershipBody
	if err := wire.Decode(s.Body, MaxMembership, &b); err != nil {
		return Membership{}, fmt.Errorf("membership: %w", err)
	}
	m := Membership{
		Pool:      b.Pool,
		Member:    b.Member,
		Role:      b.Role,
		Operator:  b.Operator,
		NotBefore: wireTime(b.NotBefore),
		NotAfter:  wireTime(b.NotAfter),
		Signer:    b.Signer,
		Signature: s.Signature,
	}
	if err := m.validate(); err != nil {
		return Membership{}, err
	}
	return m, nil
}

// body returns the bytes that are signed.
func (m Membership) body() []byte {
	return wire.Encode(membershipBody{
		Pool:      m.Pool,
		Member:    m.Member,
		Role:      m.Role,
		Operator:  m.Operator,
		NotBefore: m.NotBefore.Unix(),
		NotAfter:  m.NotAfter.Unix(),
		Signer:    m.Signer,
	})
}

// signed tells whether the signature is that of Signer, whoever that is.
func (m Membership) signed() bool {
	return m.Signer.Verify(domainMembership, m.body(), m.Signature)
}

// validate checks each field's range.
func (m Membership) validate() error {
	if !validPoolName(m.Pool) {
		return fmt.Errorf("membership: %w: bad pool name", ErrMalformed)
	}
	if _, err := ParseRole(string(m.Role)); err != nil {
		return fmt.Errorf("membership: %w", err)
	}
	if !printable(m.Operator, maxOperator) {
		return fmt.Errorf("membership: %w: the operator's name is 1 to %d characters of printable ASCII", ErrMalformed, maxOperator)
	}
	if err := checkPeriod(m.NotBefore, m.NotAfter); err != nil {
		return fmt.Errorf("membership: %w", err)
	}
	if len(m.Signature) != SignatureSize {
		return fmt.Errorf("membership: %w: the signature has %d bytes", ErrMalformed, SignatureSize)
	}
	return nil
}
