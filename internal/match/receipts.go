package match

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/wire"
)

// Receipts of a lease as a file: the first receipt and those of its renewals, in
// order, each a PEM block (RFC 7468) of type
//
//	ANGLER RECEIPT
//
// without headers, whose content is deterministic CBOR,
//
//	{1: receipt, 2: the provider's signature, 3: the requester's signature}
//
// where receipt is the bytes of a Receipt, over which both signatures are: each
// Ed25519ctx (RFC 8032) with the context "angler/1 receipt", under the identity
// that the receipt names. Nothing else may stand in the file but white space between blocks.
// It says what was traded at which price: it is for its two parties, and for
// whom they show it.

// receiptPEM is the type of a block.
const receiptPEM = "ANGLER RECEIPT"

// MaxReceiptFile is the largest file of receipts in bytes.
const MaxReceiptFile = 2 * maxDeed

// SignedReceipt is a receipt with the signatures under it.
type SignedReceipt struct {
	Receipt   []byte // encoded Receipt
	Provider  []byte // signature
	Requester []byte // signature; none if it was never confirmed
}

// String leaves the deal out, as does GoString.
func (s SignedReceipt) String() string { return "signed receipt" }

// GoString is String: %#v would print the deal.
func (s SignedReceipt) GoString() string { return s.String() }

// Errors of receipts, beside identity.ErrNotSigned.
var (
	// ErrReceiptFile says that a file does not hold receipts and nothing else.
	ErrReceiptFile = errors.New("not a file of receipts")
	// ErrUnsigned says that a side has not signed.
	ErrUnsigned = errors.New("not signed")
	// ErrOtherDeal says that a receipt does not follow the one before it.
	ErrOtherDeal = errors.New("does not renew the one before it")
)

// MarshalReceipts writes the receipts of a lease as a file.
func MarshalReceipts(list []SignedReceipt) []byte {
	var out bytes.Buffer
	for _, s := range list {
		block := &pem.Block{Type: receiptPEM, Bytes: wire.Encode(signedReceipt(s))}
		if err := pem.Encode(&out, block); err != nil {
			panic("match: a block without headers in memory: " + err.Error())
		}
	}
	return out.Bytes()
}

// ParseReceipts reads such a file, without verifying anything. The error is
// ErrReceiptFile.
func ParseReceipts(text []byte) ([]SignedReceipt, error) {
	refuse := func(why string) ([]SignedReceipt, error) { return nil, fmt.Errorf("%w: %s", ErrReceiptFile, why) }
	if len(text) > MaxReceiptFile {
		return refuse(fmt.Sprintf("more than %d bytes", MaxReceiptFile))
	}
	var list []SignedReceipt
	for rest := text; len(bytes.TrimSpace(rest)) > 0; {
		block, after := pem.Decode(rest)
		if block == nil || block.Type != receiptPEM || len(block.Headers) > 0 {
			return refuse("something else than receipts stands in it")
		}
		var s signedReceipt
		if err := wire.Decode(block.Bytes, maxReply, &s); err != nil {
			return refuse(fmt.Sprintf("receipt %d is malformed", len(list)+1))
		}
		if list = append(list, SignedReceipt(s)); len(list) > maxRenewals+1 {
			return refuse("too many receipts")
		}
		rest = after
	}
	if len(list) == 0 {
		return refuse("it is empty")
	}
	if !bytes.Equal(bytes.Join(bytes.Fields(text), nil), bytes.Join(bytes.Fields(MarshalReceipts(list)), nil)) {
		return refuse("something else than receipts stands in it")
	}
	return list, nil
}

// Verify reads a receipt and checks both signatures under it. The error names
// the side whose signature is not there, or not right.
func (s SignedReceipt) Verify() (Receipt, error) {
	r, err := ReadReceipt(s.Receipt)
	if err != nil {
		return Receipt{}, err
	}
	for _, side := range []struct {
		name      string
		id        identity.PeerID
		signature []byte
	}{{"provider", r.Provider, s.Provider}, {"requester", r.Requester, s.Requester}} {
		if len(side.signature) == 0 {
			return Receipt{}, fmt.Errorf("by the %s: %w", side.name, ErrUnsigned)
		}
		if _, err := OpenReceipt(s.Receipt, side.signature, side.id); err != nil {
			return Receipt{}, fmt.Errorf("by the %s: %w", side.name, err)
		}
	}
	return r, nil
}

// VerifyReceipts verifies the receipts of a lease: both signatures under each,
// that the first begins a lease, and that each of the others renews the one
// before it. It returns what they say.
func VerifyReceipts(list []SignedReceipt) ([]Receipt, error) {
	var read []Receipt
	for n, s := range list {
		r, err := s.Verify()
		switch {
		case err != nil:
		case n == 0 && r.Previous != nil:
			err = errors.New("it is of a renewal, and the one before it is not there")
		case n > 0 && !r.follows(read[n-1], list[n-1].Receipt):
			err = ErrOtherDeal
		}
		if err != nil {
			return nil, fmt.Errorf("receipt %d of %d: %w", n+1, len(list), err)
		}
		read = append(read, r)
	}
	return read, nil
}

// Receipts are the receipts that a provider's ledger row holds.
func Receipts(deedBytes []byte) ([]SignedReceipt, error) {
	var d deed
	if err := wire.Decode(deedBytes, maxDeed, &d); err != nil {
		return nil, fmt.Errorf("deed: %w", err)
	}
	list := []SignedReceipt{{Receipt: d.Receipt, Provider: d.Signed, Requester: d.Requester}}
	for _, s := range d.Renewals {
		list = append(list, SignedReceipt(s))
	}
	return list, nil
}
