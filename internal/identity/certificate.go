package identity

import (
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"time"
)

// A certificate is only the envelope that TLS wants around a public key: no
// names, and the dates by which RFC 5280 (section 4.1.2.5) says "none".
var (
	noNotBefore = time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)
	noNotAfter  = time.Date(9999, time.December, 31, 23, 59, 59, 0, time.UTC)
)

// Certificate returns the self-signed certificate of the key, for mutual TLS.
// It holds the public key and nothing else: no names, no expiry. The same key
// always gives the same certificate.
func (k *Key) Certificate() (tls.Certificate, error) {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    noNotBefore,
		NotAfter:     noNotAfter,
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
	// Ed25519 signs without randomness, and the serial number is given.
	der, err := x509.CreateCertificate(nil, template, template, k.private.Public(), k.private)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("self-signed certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: k.private}, nil
}

// FromCertificates returns the identity that a TLS 1.3 peer proved with the
// certificates that it sent: exactly one, with an Ed25519 key that is Valid.
//
// Possession of the key is proven by TLS itself (CertificateVerify, RFC 8446,
// section 4.4.3). The certificate's own signature, its names, extensions and
// dates are deliberately not looked at: they are statements of the very key
// that the certificate holds, so they prove nothing. Whether the key may do
// something is said by memberships, which do have dates.
func FromCertificates(certs []*x509.Certificate) (PeerID, error) {
	if len(certs) != 1 {
		return PeerID{}, fmt.Errorf("%w: %d certificates instead of one", ErrMalformed, len(certs))
	}
	public, ok := certs[0].PublicKey.(ed25519.PublicKey)
	if !ok || len(public) != ed25519.PublicKeySize {
		return PeerID{}, fmt.Errorf("%w: the certificate's key is not an Ed25519 key", ErrMalformed)
	}
	id := PeerID(public)
	if err := id.Valid(); err != nil {
		return PeerID{}, err
	}
	return id, nil
}
