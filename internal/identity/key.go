package identity

import (
	"crypto"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
)

// SignatureSize is the length of a signature in bytes.
const SignatureSize = ed25519.SignatureSize

// Key is a peer's private key. It prints as its public half.
type Key struct {
	private ed25519.PrivateKey
	id      PeerID
}

// Generate makes a key from 32 bytes of rnd, which must be unpredictable. The
// same bytes make the same key.
func Generate(rnd io.Reader) (*Key, error) {
	seed := make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(rnd, seed); err != nil {
		return nil, fmt.Errorf("generate key: %w", err)
	}
	return newKey(ed25519.NewKeyFromSeed(seed)), nil
}

func newKey(private ed25519.PrivateKey) *Key {
	k := &Key{private: private}
	copy(k.id[:], private[ed25519.SeedSize:])
	return k
}

// ID returns the key's public half.
func (k *Key) ID() PeerID { return k.id }

// String returns the id's text, so that a key that is logged by mistake does
// not leak.
func (k *Key) String() string { return k.id.String() }

// GoString is String: %#v must not print the private half either.
func (k *Key) GoString() string { return k.id.String() }

// LogValue is what log/slog prints of a key: its id.
func (k *Key) LogValue() slog.Value { return slog.StringValue(k.id.String()) }

// Sign returns the 64-byte Ed25519ctx signature (RFC 8032) of msg with the
// domain as context. A domain is a constant of the program, 1 to 255 bytes,
// like "angler/1 record"; a signature made in one domain verifies in no other.
// Signatures are deterministic.
func (k *Key) Sign(domain string, msg []byte) []byte {
	sig, err := k.private.Sign(nil, msg, &ed25519.Options{Hash: crypto.Hash(0), Context: checkDomain(domain)})
	if err != nil {
		panic("identity: ed25519 refused to sign: " + err.Error())
	}
	return sig
}

// Derive returns 32 secret bytes that only the holder of the key can compute,
// others for each label: HKDF-SHA256 (RFC 5869) of the private key.
func (k *Key) Derive(label string) [32]byte {
	secret, err := hkdf.Key(sha256.New, k.private.Seed(), nil, label, 32)
	if err != nil {
		panic("identity: HKDF of 32 bytes: " + err.Error())
	}
	return [32]byte(secret)
}

// checkDomain returns the domain if it can be a context of RFC 8032. Domains
// are constants of ours: another one is our bug. The empty one would be plain
// Ed25519, in which TLS signs.
func checkDomain(domain string) string {
	if len(domain) == 0 || len(domain) > 255 {
		panic("identity: a signature domain has 1 to 255 bytes")
	}
	return domain
}
