package match

import (
	"bytes"
	"crypto/rand"
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/wire"
)

// rosterBench is a roster of three providers of a pool, seen from the second.
type rosterBench struct {
	tb        testing.TB
	now       time.Time
	pool      *identity.Pool
	signer    *identity.Key
	requester *identity.Key
	providers []*identity.Key
	roster    Roster
	terms     Terms
}

func newKey(tb testing.TB) *identity.Key {
	tb.Helper()
	k, err := identity.Generate(rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

func newRosterBench(tb testing.TB) *rosterBench {
	tb.Helper()
	b := &rosterBench{tb: tb, now: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC), signer: newKey(tb), requester: newKey(tb)}
	b.pool = &identity.Pool{Name: "test", Signers: []identity.PeerID{b.signer.ID()}}
	membership := b.member(b.requester, identity.RoleRequester, "asker", b.now.Add(time.Hour))
	raw, err := membership.Encode()
	if err != nil {
		tb.Fatal(err)
	}
	in := Invite{Version: Version, Pool: "test", Class: "arch=amd64,cpu=1,currency=USD,memory=1Gi", Policy: "lowest-price", Seconds: 3600, Membership: raw}
	b.roster = Roster{
		Version: in.Version, Pool: in.Pool, Class: in.Class, Policy: in.Policy, Seconds: in.Seconds, K: 8,
		Circuit: make([]byte, 32), Commitment: make([]byte, 32),
		Requester: Requester{ID: b.requester.ID(), Nonce: make([]byte, 32), Membership: raw},
	}
	for _, operator := range []string{"a", "b", "c"} {
		key := newKey(tb)
		b.providers = append(b.providers, key)
		b.roster.Providers = append(b.roster.Providers, Member{
			ID: key.ID(), Nonce: bytes.Repeat([]byte{operator[0]}, 32), Record: b.record(key, b.member(key, identity.RoleOperator, operator, b.now.Add(time.Hour))),
		})
	}
	b.terms = Terms{
		Invite: in, Requester: b.requester.ID(), Self: b.providers[1].ID(), Nonce: bytes.Repeat([]byte{'b'}, 32),
		Pool: b.pool, MinRoster: 3, Now: b.now,
	}
	return b
}

func (b *rosterBench) member(key *identity.Key, role identity.Role, operator string, until time.Time) identity.Membership {
	b.tb.Helper()
	m, err := identity.SignMembership(b.signer, identity.Membership{
		Pool: b.pool.Name, Member: key.ID(), Role: role, Operator: operator, NotBefore: b.now.Add(-24 * time.Hour), NotAfter: until,
	})
	if err != nil {
		b.tb.Fatal(err)
	}
	return m
}

func (b *rosterBench) record(key *identity.Key, m identity.Membership) []byte {
	b.tb.Helper()
	member := &m
	if m.Pool == "" {
		member = nil
	}
	raw, err := identity.SignRecord(key, identity.Record{
		Addrs: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:4000")}, Classes: []string{"arch=amd64,cpu=1,currency=USD,memory=1Gi"},
		Policies: []string{"lowest-price"}, Versions: []uint{Version}, Membership: member, Issued: b.now, Expires: b.now.Add(time.Hour),
	})
	if err != nil {
		b.tb.Fatal(err)
	}
	return raw
}

func (b *rosterBench) open() (*Seat, error) {
	s := b.roster.Sign(b.requester)
	return s.Open(b.terms)
}

func TestRosterOpens(t *testing.T) {
	b := newRosterBench(t)
	seat, err := b.open()
	if err != nil {
		t.Fatal(err)
	}
	if seat.Self != 2 || seat.Parties() != 4 || seat.Peer(0) != b.requester.ID() || seat.Peer(3) != b.providers[2].ID() || len(seat.Records) != 3 {
		t.Errorf("seat %d of %d", seat.Self, seat.Parties())
	}
	if seat.SID == seat.Hash {
		t.Error("sid and hash of the roster are the same")
	}
}

// Every field is checked against what was agreed to, and every member.
func TestRosterRefused(t *testing.T) {
	for _, c := range []struct {
		name string
		want error
		edit func(b *rosterBench)
	}{
		{"version", errRosterTerms, func(b *rosterBench) { b.roster.Version++ }},
		{"pool", errRosterTerms, func(b *rosterBench) { b.roster.Pool = "tesu" }},
		{"class", errRosterTerms, func(b *rosterBench) { b.roster.Class = "arch=amd64,cpu=2,currency=USD,memory=1Gi" }},
		{"policy", errRosterTerms, func(b *rosterBench) { b.roster.Policy = "second-price" }},
		{"duration", errRosterTerms, func(b *rosterBench) { b.roster.Seconds++ }},
		{"k", errRosterTerms, func(b *rosterBench) { b.roster.K = 2 }},
		{"k beyond all numbers", errRosterTerms, func(b *rosterBench) { b.roster.K = 1 << 63 }},
		{"circuit's hash too short", wire.ErrMalformed, func(b *rosterBench) { b.roster.Circuit = b.roster.Circuit[:31] }},
		{"commitment too long", wire.ErrMalformed, func(b *rosterBench) { b.roster.Commitment = make([]byte, 33) }},
		{"no commitment", wire.ErrMalformed, func(b *rosterBench) { b.roster.Commitment = nil }},
		{"requester's nonce", wire.ErrMalformed, func(b *rosterBench) { b.roster.Requester.Nonce = nil }},
		{"another requester", errRosterTerms, func(b *rosterBench) { b.roster.Requester.ID = newKey(t).ID() }},
		{"another membership", errRosterTerms, func(b *rosterBench) { b.roster.Requester.Membership = nil }},
		{"no providers", errRosterMembers, func(b *rosterBench) { b.roster.Providers = nil }},
		{"too many providers", errRosterMembers, func(b *rosterBench) {
			for len(b.roster.Providers) <= MaxProviders {
				b.roster.Providers = append(b.roster.Providers, b.roster.Providers[0])
			}
		}},
		{"without us", errRosterMembers, func(b *rosterBench) { b.roster.Providers = append(b.roster.Providers[:1], b.roster.Providers[2:]...) }},
		{"our nonce of another match", errRosterMembers, func(b *rosterBench) { b.roster.Providers[1].Nonce[0]++ }},
		{"another's nonce too short", errRosterMembers, func(b *rosterBench) { b.roster.Providers[0].Nonce = nil }},
		{"a member twice", errRosterMembers, func(b *rosterBench) { b.roster.Providers[2] = b.roster.Providers[0] }},
		{"we twice", errRosterMembers, func(b *rosterBench) { b.roster.Providers = append(b.roster.Providers, b.roster.Providers[1]) }},
		{"the requester among the providers", errRosterMembers, func(b *rosterBench) {
			b.roster.Providers[0] = Member{
				ID: b.requester.ID(), Nonce: make([]byte, 32),
				Record: b.record(b.requester, b.member(b.requester, identity.RoleOperator, "d", b.now.Add(time.Hour))),
			}
		}},
		{"a record of another", errOtherRecord, func(b *rosterBench) { b.roster.Providers[0].Record = b.roster.Providers[2].Record }},
		{"a record that is damaged", identity.ErrNotSigned, func(b *rosterBench) {
			raw := bytes.Clone(b.roster.Providers[0].Record)
			raw[len(raw)-1] ^= 1
			b.roster.Providers[0].Record = raw
		}},
		{"no record", errRosterMembers, func(b *rosterBench) { b.roster.Providers[0].Record = nil }},
		{"a record out of date", identity.ErrExpired, func(b *rosterBench) { b.terms.Now = b.now.Add(time.Hour + identity.Skew + time.Second) }},
		{"a member of no pool", errNoMembership, func(b *rosterBench) {
			b.roster.Providers[0].Record = b.record(b.providers[0], identity.Membership{})
		}},
		{"a member of another pool", identity.ErrWrongPool, func(b *rosterBench) {
			m := identity.Membership{
				Pool: "other", Member: b.providers[0].ID(), Role: identity.RoleOperator, Operator: "a", NotBefore: b.now, NotAfter: b.now.Add(time.Hour),
			}
			m, err := identity.SignMembership(b.signer, m)
			if err != nil {
				t.Fatal(err)
			}
			b.roster.Providers[0].Record = b.record(b.providers[0], m)
		}},
		{"certified by somebody", identity.ErrNotSigned, func(b *rosterBench) {
			b.signer = newKey(t)
			b.roster.Providers[0].Record = b.record(b.providers[0], b.member(b.providers[0], identity.RoleOperator, "a", b.now.Add(time.Hour)))
		}},
		{"a requester as provider", identity.ErrWrongRole, func(b *rosterBench) {
			b.roster.Providers[0].Record = b.record(b.providers[0], b.member(b.providers[0], identity.RoleRequester, "a", b.now.Add(time.Hour)))
		}},
		{"an expired membership", identity.ErrExpired, func(b *rosterBench) {
			until := b.now.Add(-identity.Skew - time.Second)
			b.roster.Providers[0].Record = b.record(b.providers[0], b.member(b.providers[0], identity.RoleOperator, "a", until))
		}},
		{"two of one operator", errRosterSmall, func(b *rosterBench) {
			b.roster.Providers[0].Record = b.record(b.providers[0], b.member(b.providers[0], identity.RoleOperator, "c", b.now.Add(time.Hour)))
		}},
		{"one of the requester's own operator", errRosterSmall, func(b *rosterBench) {
			b.roster.Providers[0].Record = b.record(b.providers[0], b.member(b.providers[0], identity.RoleOperator, "asker", b.now.Add(time.Hour)))
		}},
		{"fewer than the least", errRosterSmall, func(b *rosterBench) { b.terms.MinRoster = 4 }},
		{"signed by another", errRosterSignature, func(b *rosterBench) { b.requester = newKey(t) }},
		{"shown over another's link", errRosterSignature, func(b *rosterBench) { b.terms.Requester = newKey(t).ID() }},
	} {
		b := newRosterBench(t)
		c.edit(b)
		if seat, err := b.open(); !errors.Is(err, c.want) || seat != nil {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

// A membership of the requester that nobody has certified still counts its
// operator out: who says to be of an operator is not counted as another.
func TestRequesterNamesItsOperator(t *testing.T) {
	b := newRosterBench(t)
	b.signer = newKey(t)
	m := b.member(b.requester, identity.RoleRequester, "a", b.now.Add(time.Hour))
	raw, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	b.roster.Requester.Membership, b.terms.Invite.Membership = raw, raw
	if _, err := b.open(); !errors.Is(err, errRosterSmall) {
		t.Errorf("error %v", err)
	}
}

// On an open market identities count, whatever the records say of operators.
func TestOpenMarketCountsIdentities(t *testing.T) {
	b := newRosterBench(t)
	b.terms.Pool = nil
	b.roster.Providers[0].Record = b.record(b.providers[0], identity.Membership{})
	b.roster.Providers[2].Record = b.record(b.providers[2], b.member(b.providers[2], identity.RoleOperator, "b", b.now.Add(time.Hour)))
	if _, err := b.open(); err != nil {
		t.Fatal(err)
	}
	b.terms.MinRoster = 4
	if _, err := b.open(); !errors.Is(err, errRosterSmall) {
		t.Errorf("error %v", err)
	}
}

// The signature is under the roster's very bytes, and only one encoding of a
// roster is accepted.
func TestRosterBytes(t *testing.T) {
	b := newRosterBench(t)
	s := b.roster.Sign(b.requester)
	for at := range s.Body {
		forged := SignedRoster{Body: bytes.Clone(s.Body), Signature: s.Signature}
		forged.Body[at] ^= 1
		if _, err := forged.Open(b.terms); !errors.Is(err, errRosterSignature) {
			t.Fatalf("byte %d changed: %v", at, err)
		}
		if forged.SID() == s.SID() || forged.Hash() == s.Hash() {
			t.Fatalf("byte %d changed: same session", at)
		}
	}
	body := append(bytes.Clone(s.Body), 0)
	longer := SignedRoster{Body: body, Signature: b.requester.Sign(rosterDomain, body)}
	if _, err := longer.Open(b.terms); !errors.Is(err, wire.ErrMalformed) {
		t.Errorf("a byte more: %v", err)
	}
	body = make([]byte, maxRoster+1)
	large := SignedRoster{Body: body, Signature: b.requester.Sign(rosterDomain, body)}
	if _, err := large.Open(b.terms); !errors.Is(err, wire.ErrMalformed) {
		t.Errorf("too large: %v", err)
	}
}

// The largest roster that can be is within what a provider reads.
func TestLargestRosterFits(t *testing.T) {
	var r Roster
	r.Requester.Membership = make([]byte, identity.MaxMembership)
	for range MaxProviders {
		r.Providers = append(r.Providers, Member{Nonce: make([]byte, 32), Record: make([]byte, identity.MaxRecord)})
	}
	if n := len(wire.Encode(r.Sign(newKey(t)))); n > maxRoster {
		t.Errorf("%d bytes, %d are read", n, maxRoster)
	}
}
