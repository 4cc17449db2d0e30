package match

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/wire"
)

// receiptDomain separates signatures under receipts from all others.
const receiptDomain = "angler/1 receipt"

// maxReceipt is the largest encoded receipt in bytes.
const maxReceipt = 1 << 10

// Receipt is the deal in the words that both sides sign: proof for billing and
// disputes that is verified offline. Only the two who made the deal hold it.
type Receipt struct {
	SID       []byte          `cbor:"1,keyasint"`
	Lease     []byte          `cbor:"2,keyasint"`
	Provider  identity.PeerID `cbor:"3,keyasint"`
	Requester identity.PeerID `cbor:"4,keyasint"`
	Class     string          `cbor:"5,keyasint"`
	Quantity  uint16          `cbor:"6,keyasint"`
	Price     uint32          `cbor:"7,keyasint"` // 10^-6 of the currency, a unit and hour
	Seconds   uint64          `cbor:"8,keyasint"` // duration of the lease
	Manifest  []byte          `cbor:"9,keyasint"` // hash of the objects that were applied
	Issued    int64           `cbor:"10,keyasint"`
}

// String leaves the deal out, as does LogValue.
func (r Receipt) String() string { return fmt.Sprintf("receipt of lease %.4x", r.Lease) }

// GoString is String: %#v would print the deal.
func (r Receipt) GoString() string { return r.String() }

// LogValue is for log/slog.
func (r Receipt) LogValue() slog.Value { return slog.StringValue(r.String()) }

// ErrReceipt says that a receipt is not what both sides agreed on.
var ErrReceipt = errors.New("receipt does not state what was agreed")

// Encode returns the bytes that both sides sign.
func (r Receipt) Encode() []byte { return wire.Encode(r) }

// SignReceipt returns key's signature under an encoded receipt.
func SignReceipt(key *identity.Key, receipt []byte) []byte { return key.Sign(receiptDomain, receipt) }

// OpenReceipt reads a receipt and verifies signer's signature under its bytes.
func OpenReceipt(raw, signature []byte, signer identity.PeerID) (Receipt, error) {
	var r Receipt
	if err := wire.Decode(raw, maxReceipt, &r); err != nil {
		return r, err
	}
	if len(r.SID) != 32 || len(r.Lease) != 32 || len(r.Manifest) != 32 {
		return r, wire.ErrMalformed
	}
	if !signer.Verify(receiptDomain, raw, signature) {
		return r, identity.ErrNotSigned
	}
	return r, nil
}

// sameDeal tells whether two receipts agree in all that the match decided; the
// manifest and the time are the provider's to state.
func (r Receipt) sameDeal(o Receipt) bool {
	return string(r.SID) == string(o.SID) && string(r.Lease) == string(o.Lease) &&
		r.Provider == o.Provider && r.Requester == o.Requester && r.Class == o.Class &&
		r.Quantity == o.Quantity && r.Price == o.Price && r.Seconds == o.Seconds
}
