package identity

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"
)

var testNow = time.Date(2026, time.November, 20, 12, 0, 0, 0, time.UTC)

// testKey returns the key of a seed.
func testKey(t testing.TB, seed byte) *Key {
	t.Helper()
	k, err := Generate(rand.NewChaCha8([32]byte{seed}))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func testPool(t testing.TB) *Pool {
	return &Pool{
		Name:      "acme-west",
		Bootstrap: []string{"dht1.acme.example:7000", "[2001:db8::1]:7000"},
		Signers:   []PeerID{testKey(t, 1).ID(), testKey(t, 2).ID()},
	}
}

func testMembership(t testing.TB, member PeerID, role Role) Membership {
	t.Helper()
	m, err := SignMembership(testKey(t, 1), Membership{
		Pool: "acme-west", Member: member, Role: role, Operator: "Acme GmbH",
		NotBefore: testNow, NotAfter: testNow.Add(720 * time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func testRecord(t testing.TB) Record {
	key := testKey(t, 3)
	m := testMembership(t, key.ID(), RoleOperator)
	return Record{
		ID:         key.ID(),
		Addrs:      []netip.AddrPort{netip.MustParseAddrPort("192.0.2.7:4433"), netip.MustParseAddrPort("[2001:db8::7]:4433")},
		Classes:    []string{"arch=amd64,cpu=1,currency=USD,memory=1Gi"},
		Policies:   []string{"lowest-price"},
		Versions:   []uint{1},
		Cell:       "u33",
		Coordinate: []byte{1, 2, 3},
		Membership: &m,
		Issued:     testNow,
		Expires:    testNow.Add(time.Hour),
	}
}

func wantError(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got error %v, want %v", err, want)
	}
}

func TestPeerIDText(t *testing.T) {
	id := testKey(t, 1).ID()
	text := id.String()
	if len(text) != idTextSize || id.Short() != text[:8] {
		t.Fatalf("text %q, short %q", text, id.Short())
	}
	back, err := ParsePeerID(text)
	if err != nil || back != id {
		t.Fatalf("read back %v, %v", back, err)
	}
	for _, bad := range []string{
		"", text[:51], text + "a", "A" + text[1:], "1" + text[1:], text[:51] + "\n",
		text[:51] + "b", // the last character carries one bit only: 4 spare bits must be zero
	} {
		_, err := ParsePeerID(bad)
		wantError(t, err, ErrMalformed)
	}
}

func TestPeerIDCompare(t *testing.T) {
	a, b := PeerID{1}, PeerID{2}
	if a.Compare(b) != -1 || b.Compare(a) != 1 || a.Compare(a) != 0 {
		t.Fatal("not the order of bytes")
	}
}

// RFC 8032, section 5.1.7, leaves small-order keys to the verifier; for the
// neutral element every R = S·B verifies under every message.
func TestSmallOrderKeysSignNothing(t *testing.T) {
	for _, id := range []PeerID{
		{1}, // the neutral element
		{0}, // order 4
		{0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, // order 2
		{0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, // 1 as p+1
	} {
		if err := id.Valid(); !errors.Is(err, ErrMalformed) {
			t.Errorf("%x: %v", id, err)
		}
		neutral := make([]byte, SignatureSize) // R = neutral element, S = 0
		neutral[0] = 1
		if id.Verify("test", []byte("anything"), neutral) {
			t.Errorf("%x signed", id)
		}
	}
	if err := testKey(t, 1).ID().Valid(); err != nil {
		t.Fatal(err)
	}
}

func TestSignatureDomains(t *testing.T) {
	k := testKey(t, 1)
	msg := []byte("message")
	sig := k.Sign("one", msg)
	if !k.ID().Verify("one", msg, sig) {
		t.Fatal("own signature refused")
	}
	if k.ID().Verify("two", msg, sig) || k.ID().Verify("one", []byte("massage"), sig) || testKey(t, 2).ID().Verify("one", msg, sig) {
		t.Fatal("a signature holds for another domain, message or key")
	}
	if !bytes.Equal(sig, k.Sign("one", msg)) {
		t.Fatal("signatures differ")
	}
	for i := range sig {
		forged := bytes.Clone(sig)
		forged[i] ^= 1
		if k.ID().Verify("one", msg, forged) {
			t.Fatalf("byte %d of the signature does not matter", i)
		}
	}
}

func FuzzParsePeerID(f *testing.F) {
	f.Add(testKey(f, 1).ID().String())
	f.Add("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab")
	f.Fuzz(func(t *testing.T, text string) {
		if id, err := ParsePeerID(text); err == nil && id.String() != text {
			t.Fatalf("%q is accepted and written as %q", text, id)
		}
	})
}
