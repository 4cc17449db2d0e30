package identity

import (
	"bytes"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/wire"
)

func TestRecord(t *testing.T) {
	key := testKey(t, 3)
	full := testRecord(t)
	bare := Record{
		ID: key.ID(), Addrs: full.Addrs[:1], Versions: []uint{1},
		Classes: []string{}, Policies: []string{}, Issued: full.Issued, Expires: full.Expires,
	}
	for _, r := range []Record{full, bare} {
		raw, err := SignRecord(key, r)
		if err != nil {
			t.Fatal(err)
		}
		back, err := OpenRecord(raw, testNow)
		if err != nil || !reflect.DeepEqual(back, r) {
			t.Fatalf("read back %+v, %v\nwant %+v", back, err, r)
		}
	}
}

func TestRecordOfNow(t *testing.T) {
	key := testKey(t, 3)
	r := testRecord(t)
	r.ID = PeerID{}
	r.Issued = r.Issued.Add(123456789).In(time.FixedZone("CET", 3600))
	raw, err := SignRecord(key, r)
	if err != nil {
		t.Fatal(err)
	}
	back, err := OpenRecord(raw, testNow)
	if err != nil || back.ID != key.ID() || back.Issued != testNow {
		t.Fatalf("read back %+v, %v", back, err)
	}
}

func TestRecordTimes(t *testing.T) {
	raw, err := SignRecord(testKey(t, 3), testRecord(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		after time.Duration
		want  error
	}{
		{-Skew - time.Second, ErrNotYetValid},
		{-Skew, nil},
		{time.Hour + Skew, nil},
		{time.Hour + Skew + time.Second, ErrExpired},
	} {
		_, err := OpenRecord(raw, testNow.Add(c.after))
		wantError(t, err, c.want)
	}
}

// No bit of a record can be changed by anybody but its writer.
func TestRecordTampered(t *testing.T) {
	raw, err := SignRecord(testKey(t, 3), testRecord(t))
	if err != nil {
		t.Fatal(err)
	}
	for i := range len(raw) * 8 {
		changed := bytes.Clone(raw)
		changed[i/8] ^= 1 << (i % 8)
		if _, err := OpenRecord(changed, testNow); err == nil {
			t.Fatalf("bit %d can be changed", i)
		}
	}
	for i := range raw {
		if _, err := OpenRecord(raw[:i], testNow); err == nil {
			t.Fatalf("cut to %d bytes and accepted", i)
		}
	}
}

func TestRecordOfAnother(t *testing.T) {
	r := testRecord(t)
	_, err := SignRecord(testKey(t, 4), r)
	wantError(t, err, ErrNotSigned)
	m := testMembership(t, testKey(t, 4).ID(), RoleOperator)
	r.Membership = &m
	_, err = SignRecord(testKey(t, 3), r)
	wantError(t, err, ErrWrongMember)
	// Signed all the same, as a cheat would.
	body, err := r.body()
	if err != nil {
		t.Fatal(err)
	}
	raw := wire.Encode(sealed{Body: body, Signature: testKey(t, 3).Sign(domainRecord, body)})
	_, err = OpenRecord(raw, testNow)
	wantError(t, err, ErrWrongMember)
}

func TestRecordCaps(t *testing.T) {
	many := func(n int) (list []string) {
		for i := range n {
			list = append(list, fmt.Sprint("c", i))
		}
		return list
	}
	addr := netip.MustParseAddrPort
	for name, change := range map[string]func(*Record){
		"no address":        func(r *Record) { r.Addrs = nil },
		"nine addresses":    func(r *Record) { r.Addrs = make([]netip.AddrPort, MaxAddrs+1) },
		"port 0":            func(r *Record) { r.Addrs[0] = addr("192.0.2.1:0") },
		"zone":              func(r *Record) { r.Addrs[0] = addr("[fe80::1%eth0]:1") },
		"mapped":            func(r *Record) { r.Addrs[0] = addr("[::ffff:192.0.2.1]:1") },
		"unspecified":       func(r *Record) { r.Addrs[0] = addr("0.0.0.0:1") },
		"multicast":         func(r *Record) { r.Addrs[0] = addr("[ff02::1]:1") },
		"broadcast":         func(r *Record) { r.Addrs[0] = addr("255.255.255.255:1") },
		"invalid address":   func(r *Record) { r.Addrs[0] = netip.AddrPort{} },
		"65 classes":        func(r *Record) { r.Classes = many(maxClasses + 1) },
		"class twice":       func(r *Record) { r.Classes = []string{"a", "a"} },
		"class empty":       func(r *Record) { r.Classes = []string{""} },
		"class too long":    func(r *Record) { r.Classes = []string{strings.Repeat("x", maxClass+1)} },
		"class escapes":     func(r *Record) { r.Classes = []string{"\x1b[2J"} },
		"17 policies":       func(r *Record) { r.Policies = many(maxPolicies + 1) },
		"no version":        func(r *Record) { r.Versions = nil },
		"17 versions":       func(r *Record) { r.Versions = make([]uint, maxVersions+1) },
		"cell too long":     func(r *Record) { r.Cell = strings.Repeat("u", maxCell+1) },
		"long coordinate":   func(r *Record) { r.Coordinate = make([]byte, maxPlace+1) },
		"lives too long":    func(r *Record) { r.Expires = r.Issued.Add(MaxRecordLife + time.Second) },
		"expires at once":   func(r *Record) { r.Expires = r.Issued },
		"too large in all":  func(r *Record) { r.Classes = []string{}; r.Classes = wide(maxClasses, maxClass) },
		"broken membership": func(r *Record) { r.Membership = &Membership{Member: r.ID} },
	} {
		t.Run(name, func(t *testing.T) {
			r := testRecord(t)
			change(&r)
			_, err := SignRecord(testKey(t, 3), r)
			wantError(t, err, ErrMalformed)
			body, err := r.body()
			if err != nil || name == "zone" { // neither has a form on the wire
				return
			}
			raw := wire.Encode(sealed{Body: body, Signature: testKey(t, 3).Sign(domainRecord, body)})
			_, err = OpenRecord(raw, testNow)
			wantError(t, err, ErrMalformed)
		})
	}
}

// wide returns n different texts of the given size.
func wide(n, size int) (list []string) {
	for i := range n {
		list = append(list, fmt.Sprintf("%0*d", size, i))
	}
	return list
}

func FuzzOpenRecord(f *testing.F) {
	key := testKey(f, 3)
	for _, r := range []Record{testRecord(f), {Addrs: testRecord(f).Addrs, Versions: []uint{1, 2}, Issued: testNow, Expires: testNow.Add(1e9)}} {
		raw, err := SignRecord(key, r)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw, false)
		body, err := r.body()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body, true)
	}
	f.Add(wire.Encode(recordBody{ID: key.ID()}), true)
	// sign lets the fuzzer past the signature: it writes bodies, we sign them.
	f.Fuzz(func(t *testing.T, raw []byte, sign bool) {
		if sign {
			raw = wire.Encode(sealed{Body: raw, Signature: key.Sign(domainRecord, raw)})
		}
		r, err := OpenRecord(raw, testNow)
		if err != nil {
			return
		}
		if again, err := SignRecord(key, r); r.ID == key.ID() && (err != nil || !bytes.Equal(again, raw)) {
			t.Fatalf("%x is accepted and written as %x: %v", raw, again, err)
		}
	})
}
