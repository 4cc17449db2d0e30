package identity

import (
	"bytes"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/wire"
)

func TestPoolFile(t *testing.T) {
	p := testPool(t)
	file, err := p.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/pool.yaml", file)
	back, err := ParsePool(file)
	if err != nil || !reflect.DeepEqual(back, p) {
		t.Fatalf("read back %+v, %v", back, err)
	}
}

// golden compares with a file that a person can read; change it only if you
// understand what changed.
func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("%s has\n%s\nand is written as\n%s", path, want, got)
	}
}

func TestPoolFileRefused(t *testing.T) {
	signer := testKey(t, 1).ID().String()
	ok := "name: acme\nsigners: [" + signer + "]\n"
	if _, err := ParsePool([]byte(ok)); err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string]string{
		"empty":            "",
		"not YAML":         "\t{",
		"unknown field":    ok + "colour: red\n",
		"repeated field":   ok + "name: acme\n",
		"no signer":        "name: acme\n",
		"signer twice":     "name: acme\nsigners: [" + signer + "," + signer + "]\n",
		"signer bad":       "name: acme\nsigners: [x]\n",
		"signer no point":  "name: acme\nsigners: [" + PeerID{2}.String() + "]\n",
		"no name":          "signers: [" + signer + "]\n",
		"name upper case":  "name: Acme\nsigners: [" + signer + "]\n",
		"name with slash":  "name: a/b\nsigners: [" + signer + "]\n",
		"name ends in dot": "name: a.\nsigners: [" + signer + "]\n",
		"name too long":    "name: " + strings.Repeat("a", 64) + "\nsigners: [" + signer + "]\n",
		"no port":          ok + "bootstrap: [host]\n",
		"port 0":           ok + "bootstrap: ['host:0']\n",
		"port 65536":       ok + "bootstrap: ['host:65536']\n",
		"port +1":          ok + "bootstrap: ['host:+1']\n",
		"no host":          ok + "bootstrap: [':1']\n",
		"too large":        ok + "#" + strings.Repeat("x", MaxFile),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParsePool([]byte(file))
			wantError(t, err, ErrMalformed)
		})
	}
}

func TestVerify(t *testing.T) {
	p := testPool(t)
	member, other := testKey(t, 3).ID(), testKey(t, 4).ID()
	m := testMembership(t, member, RoleOperator)
	if err := p.Verify(m, member, RoleOperator, testNow); err != nil {
		t.Fatal(err)
	}
	forged := m
	forged.Operator = "Bcme GmbH"
	stranger, err := SignMembership(testKey(t, 5), m)
	if err != nil {
		t.Fatal(err)
	}
	usurped := stranger
	usurped.Signer = m.Signer
	foreign := *p
	foreign.Name = "acme-east"
	unsigned := m
	unsigned.Signature = nil
	for name, c := range map[string]struct {
		err  error
		want error
	}{
		"another pool":        {foreign.Verify(m, member, RoleOperator, testNow), ErrWrongPool},
		"another peer":        {p.Verify(m, other, RoleOperator, testNow), ErrWrongMember},
		"another role":        {p.Verify(m, member, RoleRequester, testNow), ErrWrongRole},
		"changed":             {p.Verify(forged, member, RoleOperator, testNow), ErrNotSigned},
		"signed by stranger":  {p.Verify(stranger, member, RoleOperator, testNow), ErrNotSigned},
		"another's signature": {p.Verify(usurped, member, RoleOperator, testNow), ErrNotSigned},
		"no signature":        {p.Verify(unsigned, member, RoleOperator, testNow), ErrMalformed},
		"zero":                {p.Verify(Membership{}, member, RoleOperator, testNow), ErrMalformed},
		"too early":           {p.Verify(m, member, RoleOperator, m.NotBefore.Add(-Skew-time.Second)), ErrNotYetValid},
		"too late":            {p.Verify(m, member, RoleOperator, m.NotAfter.Add(Skew+time.Second)), ErrExpired},
		"early within skew":   {p.Verify(m, member, RoleOperator, m.NotBefore.Add(-Skew)), nil},
		"late within skew":    {p.Verify(m, member, RoleOperator, m.NotAfter.Add(Skew)), nil},
	} {
		t.Run(name, func(t *testing.T) { wantError(t, c.err, c.want) })
	}
}

// Each field of the body is under the signature.
func TestEachFieldIsSigned(t *testing.T) {
	p := testPool(t)
	member := testKey(t, 3).ID()
	for name, change := range map[string]func(*Membership){
		"not before": func(m *Membership) { m.NotBefore = m.NotBefore.Add(-time.Hour) },
		"not after":  func(m *Membership) { m.NotAfter = m.NotAfter.Add(time.Hour) },
		"operator":   func(m *Membership) { m.Operator += "x" },
		"role":       func(m *Membership) { m.Role = RoleRequester },
		"member":     func(m *Membership) { m.Member = testKey(t, 4).ID() },
		"pool":       func(m *Membership) { m.Pool = "acme-east" },
		"signer":     func(m *Membership) { m.Signer = testKey(t, 2).ID() },
		"signature":  func(m *Membership) { m.Signature = bytes.Clone(m.Signature); m.Signature[3] ^= 4 },
	} {
		t.Run(name, func(t *testing.T) {
			m := testMembership(t, member, RoleOperator)
			change(&m)
			its := *p
			its.Name = m.Pool
			wantError(t, its.Verify(m, m.Member, m.Role, testNow), ErrNotSigned)
		})
	}
}

func TestSignMembershipRefuses(t *testing.T) {
	good := Membership{Pool: "p", Role: RoleOperator, Operator: "o", NotBefore: testNow, NotAfter: testNow.Add(time.Hour)}
	if _, err := SignMembership(testKey(t, 1), good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Membership){
		"no pool":           func(m *Membership) { m.Pool = "" },
		"no role":           func(m *Membership) { m.Role = "" },
		"unknown role":      func(m *Membership) { m.Role = "admin" },
		"no operator":       func(m *Membership) { m.Operator = "" },
		"operator too long": func(m *Membership) { m.Operator = strings.Repeat("x", maxOperator+1) },
		"operator spaced":   func(m *Membership) { m.Operator = " o" },
		"operator escapes":  func(m *Membership) { m.Operator = "\x1b[2J" },
		"no times":          func(m *Membership) { m.NotBefore, m.NotAfter = time.Time{}, time.Time{} },
		"reversed":          func(m *Membership) { m.NotAfter = testNow.Add(-time.Hour) },
		"under a second":    func(m *Membership) { m.NotAfter = testNow.Add(time.Millisecond) },
		"year 10000":        func(m *Membership) { m.NotAfter = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
	} {
		t.Run(name, func(t *testing.T) {
			m := good
			change(&m)
			_, err := SignMembership(testKey(t, 1), m)
			wantError(t, err, ErrMalformed)
		})
	}
}

func TestMembershipLargest(t *testing.T) {
	m, err := SignMembership(testKey(t, 1), Membership{
		Pool: strings.Repeat("a", maxPoolName), Member: testKey(t, 2).ID(), Role: RoleRequester,
		Operator: strings.Repeat("o", maxOperator), NotBefore: time.Unix(lastSecond-1, 0), NotAfter: time.Unix(lastSecond, 0),
	})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if back, err := ParseMembership(raw); err != nil || !reflect.DeepEqual(back, m) {
		t.Fatalf("%d bytes: read back %+v, %v", len(raw), back, err)
	}
}

func TestInvitationFile(t *testing.T) {
	inv := &Invitation{Pool: *testPool(t), Membership: testMembership(t, testKey(t, 3).ID(), RoleOperator)}
	file, err := inv.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/invitation.yaml", file)
	back, err := ParseInvitation(file)
	if err != nil || !reflect.DeepEqual(back, inv) {
		t.Fatalf("read back %+v, %v", back, err)
	}
	if err = back.Verify(testKey(t, 3).ID(), testNow); err != nil {
		t.Fatal(err)
	}
	wantError(t, back.Verify(testKey(t, 4).ID(), testNow), ErrWrongMember)
	for _, bad := range []string{
		"", "pool: {}", strings.Replace(string(file), "12:00:00Z", "12:00:00.5Z", 1), string(file) + "more: 1\n",
		strings.Replace(string(file), "role: operator", "role: admin", 1),
	} {
		_, err = ParseInvitation([]byte(bad))
		wantError(t, err, ErrMalformed)
	}
	// Another zone for the same second is the same statement.
	zoned, err := ParseInvitation([]byte(strings.Replace(string(file), "2026-11-20T12:00:00Z", "2026-11-20T13:00:00+01:00", 1)))
	if err != nil || !reflect.DeepEqual(zoned, inv) {
		t.Fatalf("read back %+v, %v", zoned, err)
	}
}

func FuzzParsePool(f *testing.F) {
	file, err := testPool(f).Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(file)
	f.Add([]byte("name: acme\nsigners: []\n"))
	f.Add([]byte("a: &a [*a]"))
	f.Fuzz(func(t *testing.T, file []byte) {
		p, err := ParsePool(file)
		if err != nil {
			return
		}
		again, err := p.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		back, err := ParsePool(again)
		if err != nil {
			t.Fatal(err)
		}
		if third, err := back.Marshal(); err != nil || !bytes.Equal(third, again) {
			t.Fatalf("%q, then %q: %v", again, third, err)
		}
	})
}

func FuzzParseInvitation(f *testing.F) {
	file, err := (&Invitation{Pool: *testPool(f), Membership: testMembership(f, testKey(f, 3).ID(), RoleRequester)}).Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(file)
	f.Add(bytes.Replace(file, []byte("T12:"), []byte("T24:"), 1))
	f.Fuzz(func(t *testing.T, file []byte) {
		inv, err := ParseInvitation(file)
		if err != nil {
			return
		}
		again, err := inv.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		back, err := ParseInvitation(again)
		if err != nil || !reflect.DeepEqual(back.Membership, inv.Membership) {
			t.Fatalf("read back %+v, %v", back, err)
		}
	})
}

func FuzzParseMembership(f *testing.F) {
	raw, err := testMembership(f, testKey(f, 3).ID(), RoleOperator).Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add(wire.Encode(sealed{Body: wire.Encode(membershipBody{Pool: "p"}), Signature: make([]byte, 64)}))
	f.Add([]byte{0xa2, 0x01, 0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := ParseMembership(raw)
		if err != nil {
			return
		}
		if again, err := m.Encode(); err != nil || !bytes.Equal(again, raw) {
			t.Fatalf("%x is accepted and written as %x: %v", raw, again, err)
		}
	})
}
