package match

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/angler-dex/angler/internal/k8s"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/wire"
)

// Grant is access to a leased namespace in typed fields. A peer never sends a
// kubeconfig: one can name programs to run. It does not print its token.
type Grant struct {
	Server    string `cbor:"1,keyasint"`
	CA        []byte `cbor:"2,keyasint"` // PEM
	Namespace string `cbor:"3,keyasint"`
	Token     string `cbor:"4,keyasint,omitempty"`
	Expires   int64  `cbor:"5,keyasint"` // of the credential, Unix seconds

	// In place of a token: a client certificate and its key, PEM.
	Certificate []byte `cbor:"6,keyasint,omitempty"`
	Key         []byte `cbor:"7,keyasint,omitempty"`
}

// String leaves the token out, as does LogValue.
func (g Grant) String() string { return g.typed().String() }

// GoString is String: %#v would print the token.
func (g Grant) GoString() string { return g.String() }

// LogValue is for log/slog.
func (g Grant) LogValue() slog.Value { return g.typed().LogValue() }

func (g Grant) typed() k8s.Grant {
	return k8s.Grant{
		Server: g.Server, CA: g.CA, Namespace: g.Namespace, Token: g.Token, Certificate: g.Certificate, Key: g.Key,
		Expires: time.Unix(g.Expires, 0).UTC(),
	}
}

func grantOf(g k8s.Grant) *Grant {
	return &Grant{
		Server: g.Server, CA: g.CA, Namespace: g.Namespace, Token: g.Token, Certificate: g.Certificate, Key: g.Key, Expires: g.Expires.Unix(),
	}
}

// deed is what the ledger keeps of a granted lease, beside the grant, which is a
// credential and erased at the end: the receipt and the signatures of both.
type deed struct {
	Receipt   []byte `cbor:"1,keyasint"`
	Signed    []byte `cbor:"2,keyasint"`
	Requester []byte `cbor:"3,keyasint,omitempty"` // after it confirmed

	Renewals []signedReceipt `cbor:"4,keyasint,omitempty"` // in the order in which they were confirmed
}

// maxRenewals bounds the renewals of a lease, whose receipts are kept.
const maxRenewals = 100

// maxDeed is the largest encoded deed in bytes.
const maxDeed = (maxRenewals + 1) * (maxReceipt + 256)

// last is the receipt that states the present term.
func (d deed) last() signedReceipt {
	if n := len(d.Renewals); n > 0 {
		return d.Renewals[n-1]
	}
	return signedReceipt{Receipt: d.Receipt, Provider: d.Signed, Requester: d.Requester}
}

// record writes the deed into a lease.
func (d deed) record(l *market.Lease) { l.Receipt = wire.Encode(d) }

// openDeed reads the grant and the deed of a granted lease, with which a
// repeated claim is answered in the same words.
func openDeed(l market.Lease) (*Grant, deed, error) {
	d, err := readDeed(l)
	if err != nil {
		return nil, deed{}, err
	}
	g := new(Grant)
	if err := wire.Decode(l.Grant, maxReply, g); err != nil {
		return nil, deed{}, fmt.Errorf("grant: %w", err)
	}
	return g, d, nil
}

func readDeed(l market.Lease) (deed, error) {
	var d deed
	if err := wire.Decode(l.Receipt, maxDeed, &d); err != nil {
		return deed{}, fmt.Errorf("deed: %w", err)
	}
	return d, nil
}
