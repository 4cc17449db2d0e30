package identity

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"encoding/base32"
	"fmt"

	"filippo.io/edwards25519"
)

// PeerID is a peer's name: its Ed25519 public key as RFC 8032 encodes it. The
// zero PeerID names nobody.
type PeerID [ed25519.PublicKeySize]byte

// idText is RFC 4648 base32 in lower case without padding: 52 characters, which
// are safe in file names, labels and URLs.
var idText = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// idTextSize is the length of a PeerID's text.
const idTextSize = 52

// String returns the id's text, 52 characters of lower-case base32.
func (id PeerID) String() string { return idText.EncodeToString(id[:]) }

// Short returns the first 8 characters of the text: enough to tell peers apart
// in a table or a log, not enough to name one.
func (id PeerID) Short() string { return id.String()[:8] }

// IsZero tells whether id names nobody.
func (id PeerID) IsZero() bool { return id == PeerID{} }

// Compare orders ids by their bytes: -1, 0 or 1.
func (id PeerID) Compare(other PeerID) int { return bytes.Compare(id[:], other[:]) }

// ParsePeerID reads the text that String writes, and nothing else: of the
// spellings that base32 allows for the same bytes only one is accepted.
func ParsePeerID(text string) (PeerID, error) {
	var id PeerID
	if len(text) != idTextSize {
		return PeerID{}, fmt.Errorf("peer id of %d characters: %w: it has %d (a-z, 2-7)", len(text), ErrMalformed, idTextSize)
	}
	if _, err := idText.Decode(id[:], []byte(text)); err != nil || id.String() != text {
		return PeerID{}, fmt.Errorf("peer id %q: %w: it is lower-case base32 (a-z, 2-7), as `angler identity show` prints it", text, ErrMalformed)
	}
	return id, nil
}

// MarshalText implements encoding.TextMarshaler.
func (id PeerID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (id *PeerID) UnmarshalText(text []byte) error {
	parsed, err := ParsePeerID(string(text))
	if err != nil {
		return err
	}
	*id = parsed
	return nil
}

// Valid returns nil if id is a public key that can have one owner: the
// canonical encoding of a point of the curve that is not of small order.
// Anybody can sign for a point of small order.
func (id PeerID) Valid() error {
	p, err := new(edwards25519.Point).SetBytes(id[:])
	if err != nil || !bytes.Equal(p.Bytes(), id[:]) {
		return fmt.Errorf("peer id %s: %w: not a canonical curve point", id.Short(), ErrMalformed)
	}
	if new(edwards25519.Point).MultByCofactor(p).Equal(edwards25519.NewIdentityPoint()) == 1 {
		return fmt.Errorf("peer id %s: %w: a point of small order", id.Short(), ErrMalformed)
	}
	return nil
}

// Verify tells whether sig is id's signature of msg in the domain (see
// [Key.Sign]). It is false for every signature of an id that is not Valid.
func (id PeerID) Verify(domain string, msg, sig []byte) bool {
	if id.Valid() != nil {
		return false
	}
	return ed25519.VerifyWithOptions(id[:], msg, sig, &ed25519.Options{Hash: crypto.Hash(0), Context: checkDomain(domain)}) == nil
}
