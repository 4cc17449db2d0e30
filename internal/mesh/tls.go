package mesh

import (
	"crypto/tls"
	"errors"
	"fmt"

	"github.com/angler-dex/angler/internal/identity"
)

// alpn names this protocol and its version in the TLS handshake.
const alpn = "angler/1"

// serverTLS returns the configuration for connections from outside: a client
// certificate is required, and what it proves is looked at afterwards.
func serverTLS(cert tls.Certificate, self identity.PeerID) *tls.Config {
	return &tls.Config{
		MinVersion:             tls.VersionTLS13,
		Certificates:           []tls.Certificate{cert},
		NextProtos:             []string{alpn},
		ClientAuth:             tls.RequireAnyClientCert,
		SessionTicketsDisabled: true,
		VerifyConnection: func(state tls.ConnectionState) error {
			_, err := proven(state, self)
			return err
		},
	}
}

// clientTLS returns the configuration for dialling: want is who must answer,
// zero for anybody. In TLS 1.3 the server proves itself first, so the wrong one
// does not learn who dialled.
func clientTLS(cert tls.Certificate, self, want identity.PeerID) *tls.Config {
	return &tls.Config{
		MinVersion:   tls.VersionTLS13,
		Certificates: []tls.Certificate{cert},
		NextProtos:   []string{alpn},
		// Names and chains are not how peers are known; VerifyConnection pins
		// the key.
		InsecureSkipVerify: true,
		VerifyConnection: func(state tls.ConnectionState) error {
			peer, err := proven(state, self)
			if err != nil {
				return err
			}
			if !want.IsZero() && peer != want {
				return fmt.Errorf("%w: %s instead of %s", ErrWrongPeer, peer.Short(), want.Short())
			}
			return nil
		},
	}
}

// proven returns the peer's identity. TLS calls VerifyConnection after it has
// checked the signature under the handshake, so the peer holds the key.
func proven(state tls.ConnectionState, self identity.PeerID) (identity.PeerID, error) {
	if state.Version != tls.VersionTLS13 || state.NegotiatedProtocol != alpn || state.DidResume {
		return identity.PeerID{}, errors.New("not a fresh TLS 1.3 handshake of " + alpn)
	}
	peer, err := identity.FromCertificates(state.PeerCertificates)
	if err != nil {
		return identity.PeerID{}, err
	}
	if peer == self {
		return identity.PeerID{}, ErrSelf
	}
	return peer, nil
}
