package match

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/identity"
)

// What one peer can make us send to whom.
func TestKnocks(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	const home, lan, here = "198.51.100.7", "192.168.1.5", "127.0.0.1"
	for _, c := range []struct {
		addrs, seen string
		lead        string // where announcements lead
		astray      bool   // we knock there
		open        bool
		again       time.Duration // it has asked for the first address of elsewhere so long ago
		at          string
		some        bool
		refused     bool
	}{
		{addrs: home, seen: home, at: home},
		{addrs: home, seen: home, open: true, at: home},
		{addrs: home, seen: home, again: 5 * time.Second, refused: true},
		{addrs: home, seen: home, again: 15 * time.Second, at: home},
		{addrs: "203.0.113.1 " + home, seen: home, at: home + " 203.0.113.1"},
		{addrs: "203.0.113.1 " + home, seen: home, again: 15 * time.Second, at: home, some: true},
		{addrs: "203.0.113.1 " + home, seen: home, open: true, at: home, some: true},
		{addrs: "203.0.113.1", seen: home, again: 15 * time.Second, refused: true},
		{addrs: "203.0.113.1", seen: home, again: time.Minute, at: "203.0.113.1"},
		{addrs: "203.0.113.1", seen: home, open: true, refused: true},
		{addrs: "203.0.113.1 203.0.113.2 203.0.113.3 203.0.113.4 203.0.113.5", seen: home, at: "203.0.113.1 203.0.113.2 203.0.113.3 203.0.113.4"},
		{addrs: lan, seen: home},                   // behind a NAT: there is nothing that others could try
		{addrs: lan + " " + here, seen: home},      // nor is there here
		{addrs: lan, seen: "192.168.1.9", at: lan}, // in the same network
		{addrs: "fd00::1 ::1 " + home, seen: home, at: home},
		{addrs: "100.64.0.1 64:ff9b::a00:1 2002:a00:1::1 fec0::1 240.0.0.1 0.0.0.1 169.254.169.254 " + home, seen: home, at: home},
		{addrs: here + " ::1 169.254.169.254 " + home, seen: lan, at: home}, // a neighbour is not on this machine
		{addrs: lan, seen: lan, lead: here, at: lan},
		{addrs: here, seen: here, at: here},
		{addrs: lan, seen: here, at: lan},
		{addrs: "100.64.0.1", seen: "100.64.0.9", at: "100.64.0.1"},
		{addrs: home, seen: home, lead: "203.0.113.1", at: home, astray: true},
		{addrs: home, seen: home, lead: "203.0.113.1", again: 15 * time.Second, refused: true},
		{addrs: home, seen: home, lead: "203.0.113.1", open: true, refused: true},
		{addrs: home, seen: "203.0.113.1", lead: "203.0.113.1", at: home, astray: true},
		{addrs: home, seen: home, lead: lan, at: home},
		{addrs: "2001:db8::7 " + home, seen: "2001:db8::7", at: "2001:db8::7 " + home},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			var k knocks
			if c.again > 0 {
				first := identity.Record{Addrs: hosts("203.0.113.1 " + c.seen)}
				if _, ok := k.admit(first, netip.AddrPort{}, netip.MustParseAddr(c.seen), true, now.Add(-c.again)); !ok {
					t.Fatal("refused the first time")
				}
				k.done()
			}
			var lead netip.AddrPort
			if c.lead != "" {
				lead = hosts(c.lead)[0]
			}
			got, ok := k.admit(identity.Record{Addrs: hosts(c.addrs)}, lead, netip.MustParseAddr(c.seen), !c.open, now)
			if ok == c.refused || got.astray.IsValid() != c.astray || got.some != c.some || fmt.Sprint(got.at) != fmt.Sprint(hosts(c.at)) {
				t.Errorf("%v, %v", got, ok)
			}
		})
	}
}

// hosts are addresses at one port.
func hosts(list string) (at []netip.AddrPort) {
	for _, text := range strings.Fields(list) {
		at = append(at, netip.AddrPortFrom(netip.MustParseAddr(text), 7400))
	}
	return at
}

func FuzzParseAddr(f *testing.F) {
	for _, at := range append(hosts("198.51.100.7 2001:db8::7 224.0.0.1"), netip.AddrPort{}) {
		raw, err := at.MarshalBinary()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		at, err := parseAddr(raw)
		if err != nil {
			return
		}
		again, err := at.MarshalBinary()
		if err != nil || !bytes.Equal(again, raw) || !identity.Dialable(at) {
			t.Fatalf("%x became %x, %v", raw, again, err)
		}
	})
}
