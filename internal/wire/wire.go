// Package wire is the one form in which Angler's messages and signed statements
// are written: deterministic CBOR (RFC 8949, section 4.2.1) with integer keys.
// A value has exactly one encoding; everything else is refused. So a message
// has one hash and one signature, and nobody can vary it without being noticed.
package wire

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/fxamacker/cbor/v2"
)

// ErrMalformed says that bytes are not the canonical encoding of what was
// expected, or are larger than it may be.
var ErrMalformed = errors.New("malformed")

// Bounds on what is decoded, besides the size of the whole.
const (
	maxNesting = 6
	maxArray   = 128
	maxMap     = 32
)

var (
	encoding = must(cbor.CoreDetEncOptions().EncMode())
	decoding = must(cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		IndefLength:       cbor.IndefLengthForbidden,
		TagsMd:            cbor.TagsForbidden,
		ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
		UTF8:              cbor.UTF8RejectInvalid,
		MaxNestedLevels:   maxNesting,
		MaxArrayElements:  maxArray,
		MaxMapPairs:       maxMap,
	}.DecMode())
)

func must[M any](mode M, err error) M {
	if err != nil {
		panic("wire: CBOR options: " + err.Error())
	}
	return mode
}

// Encode returns v's one encoding. v is a struct of ours with integer keys: a
// value that cannot be encoded is a bug and panics.
func Encode(v any) []byte {
	raw, err := encoding.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("wire: encode %T: %v", v, err))
	}
	return raw
}

// Decode reads the one encoding of a T of at most limit bytes. Unknown,
// repeated and reordered fields, longer forms of numbers and trailing bytes are
// ErrMalformed.
func Decode[T any](raw []byte, limit int, v *T) error {
	if len(raw) > limit {
		return fmt.Errorf("%w: %d bytes, at most %d are allowed", ErrMalformed, len(raw), limit)
	}
	if err := decoding.Unmarshal(raw, v); err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if !bytes.Equal(Encode(v), raw) {
		return fmt.Errorf("%w: not the canonical encoding", ErrMalformed)
	}
	return nil
}
