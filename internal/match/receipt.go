package match

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/placement"
	"github.com/angler-dex/angler/internal/wire"
)

// receiptDomain separates signatures under receipts from all others.
const receiptDomain = "angler/1 receipt"

// maxReceipt is the largest encoded receipt in bytes.
const maxReceipt = 2 << 10

// Receipt is the deal in the words that both sides sign: proof for billing and
// disputes that is verified offline. Only the two who made the deal hold it.
//
// A renewal has a receipt of its own, which states the whole term anew and names
// the one before it: who holds the last of them holds all.
type Receipt struct {
	SID       []byte          `cbor:"1,keyasint"`
	Lease     []byte          `cbor:"2,keyasint"`
	Provider  identity.PeerID `cbor:"3,keyasint"`
	Requester identity.PeerID `cbor:"4,keyasint"`
	Class     string          `cbor:"5,keyasint"`
	Quantity  uint16          `cbor:"6,keyasint"`
	Price     uint32          `cbor:"7,keyasint"` // 10^-6 of the currency, a unit and hour
	Seconds   uint64          `cbor:"8,keyasint"` // term of the lease, from the grant
	Manifest  []byte          `cbor:"9,keyasint"` // hash of the objects that were applied
	Issued    int64           `cbor:"10,keyasint"`
	Policy    string          `cbor:"11,keyasint"`           // the placement function that chose
	Notice    uint64          `cbor:"12,keyasint,omitempty"` // seconds before the end that the provider may cut short to; 0: never
	Workload  []byte          `cbor:"13,keyasint,omitempty"` // SHA-256 of the requester's manifests, if it named any
	Previous  []byte          `cbor:"14,keyasint,omitempty"` // in a renewal: SHA-256 of the receipt before it
	Further   []uint16        `cbor:"15,keyasint,omitempty"` // amounts in the policy's further dimensions, in its order
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

// ReadReceipt reads a receipt that nobody has vouched for.
func ReadReceipt(raw []byte) (Receipt, error) {
	var r Receipt
	if err := wire.Decode(raw, maxReceipt, &r); err != nil {
		return Receipt{}, err
	}
	optional := func(b []byte) bool { return b == nil || len(b) == sha256.Size }
	if len(r.SID) != 32 || len(r.Lease) != 32 || len(r.Manifest) != sha256.Size || !optional(r.Workload) || !optional(r.Previous) ||
		len(r.Further) > placement.MaxFurther {
		return Receipt{}, wire.ErrMalformed
	}
	return r, nil
}

// OpenReceipt reads a receipt and verifies signer's signature under its bytes.
func OpenReceipt(raw, signature []byte, signer identity.PeerID) (Receipt, error) {
	r, err := ReadReceipt(raw)
	if err != nil {
		return r, err
	}
	if !signer.Verify(receiptDomain, raw, signature) {
		return r, identity.ErrNotSigned
	}
	return r, nil
}

// sameDeal tells whether two receipts agree in all that the match decided and
// the requester asked for; the manifest, the notice and the time are the
// provider's to state.
func (r Receipt) sameDeal(o Receipt) bool {
	return bytes.Equal(r.SID, o.SID) && bytes.Equal(r.Lease, o.Lease) &&
		r.Provider == o.Provider && r.Requester == o.Requester && r.Class == o.Class && r.Policy == o.Policy &&
		r.Quantity == o.Quantity && r.Price == o.Price && r.Seconds == o.Seconds &&
		bytes.Equal(r.Workload, o.Workload) && slices.Equal(r.Further, o.Further)
}

// follows tells whether r renews what before states: nothing differs but that
// the term is longer.
func (r Receipt) follows(before Receipt, raw []byte) bool {
	hash := sha256.Sum256(raw)
	if !bytes.Equal(r.Previous, hash[:]) || r.Seconds <= before.Seconds || !bytes.Equal(r.Manifest, before.Manifest) || r.Notice != before.Notice {
		return false
	}
	before.Seconds = r.Seconds
	return r.sameDeal(before)
}
