package wire

import (
	"bytes"
	"errors"
	"testing"
)

type sample struct {
	Number uint64   `cbor:"1,keyasint"`
	Name   string   `cbor:"2,keyasint,omitempty"`
	List   [][]byte `cbor:"3,keyasint"`
}

func TestRoundTrip(t *testing.T) {
	want := sample{Number: 70000, Name: "x", List: [][]byte{{1}, {}}}
	var got sample
	if err := Decode(Encode(want), 100, &got); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(Encode(got), Encode(want)) {
		t.Fatalf("got %+v", got)
	}
}

// RFC 8949, section 4.2.1: "preferred serialization", keys sorted bytewise.
func TestOnlyTheCanonicalFormIsAccepted(t *testing.T) {
	for name, raw := range map[string]string{
		"long form of 1":      "\xa2\x01\x18\x01\x03\x80",
		"keys out of order":   "\xa2\x03\x80\x01\x01",
		"key twice":           "\xa3\x01\x01\x01\x01\x03\x80",
		"unknown key":         "\xa3\x01\x01\x03\x80\x04\x00",
		"indefinite length":   "\xbf\x01\x01\x03\x80\xff",
		"tag":                 "\xa2\x01\xc1\x01\x03\x80",
		"trailing byte":       "\xa2\x01\x01\x03\x80\x00",
		"empty where omitted": "\xa3\x01\x01\x02\x60\x03\x80",
		"array too long":      "\xa2\x01\x01\x03\x98\xff",
		"nothing":             "",
		"too large":           "\xa2\x01\x01\x03\x81\x58\x64" + string(make([]byte, 100)),
	} {
		var v sample
		if err := Decode([]byte(raw), 64, &v); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(Encode(sample{Number: 1, List: [][]byte{{1, 2}}}))
	f.Add([]byte("\xa2\x01\x18\x01\x03\x80"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var v sample
		if Decode(raw, 4096, &v) == nil && !bytes.Equal(Encode(v), raw) {
			t.Fatal("accepted a second encoding")
		}
	})
}
