package dht

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"

	"github.com/anacrolix/dht/v2/krpc"
	"github.com/anacrolix/torrent/bencode"
)

const id20 = "abcdefghij0123456789"

// The example packets of BEP 5 and what is left of them: what this node
// understands survives, what it does not is gone.
var packetVectors = []struct{ name, in, out string }{
	{"ping", "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe", ""},
	{"ping answered", "d1:rd2:id20:mnopqrstuvwxyz123456e1:t2:aa1:y1:re", ""},
	{"find_node", "d1:ad2:id20:abcdefghij01234567896:target20:mnopqrstuvwxyz123456e1:q9:find_node1:t2:aa1:y1:qe", ""},
	{"find_node answered", "d1:rd2:id20:0123456789abcdefghij5:nodes26:" + id20 + "\x0a\x00\x00\x01\x1a\xe1e1:t2:aa1:y1:re", ""},
	{"get_peers", "d1:ad2:id20:abcdefghij01234567899:info_hash20:mnopqrstuvwxyz123456e1:q9:get_peers1:t2:aa1:y1:qe", ""},
	{"peers", "d1:rd2:id20:abcdefghij01234567895:token8:aoeusnth6:valuesl6:axje.u6:idhtnmee1:t2:aa1:y1:re", ""},
	{
		"announce_peer",
		"d1:ad2:id20:abcdefghij012345678912:implied_porti1e9:info_hash20:mnopqrstuvwxyz1234564:porti6881e5:token8:aoeusnthe1:q13:announce_peer1:t2:aa1:y1:qe", "",
	},
	{"error", "d1:eli201e23:A Generic Error Ocurrede1:t2:aa1:y1:ee", ""},
	{"read-only, wants, seen as", "d1:ad2:id20:" + id20 + "4:wantl2:n42:n6ee2:ip6:\x0a\x00\x00\x01\x1a\xe11:q4:ping2:roi1e1:t2:aa1:y1:qe", ""},

	{"keys out of order, unknown keys", "d1:y1:q1:t2:aa1:v4:LT011:xlli1eee1:q4:ping1:ad2:id20:" + id20 + "3:fooi0eee", "d1:ad2:id20:" + id20 + "e1:q4:ping1:t2:aa1:y1:qe"},
	{"bytes behind the end", "d1:ad2:id20:" + id20 + "e1:q4:ping1:t2:aa1:y1:qegarbage", "d1:ad2:id20:" + id20 + "e1:q4:ping1:t2:aa1:y1:qe"},
	{"BEP 44 get becomes find_node", "d1:ad2:id20:" + id20 + "3:seqi1e6:target20:" + id20 + "e1:q3:get1:t2:aa1:y1:qe", "d1:ad2:id20:" + id20 + "6:target20:" + id20 + "e1:q9:find_node1:t2:aa1:y1:qe"},
	{"BEP 44 put becomes unknown", "d1:ad2:id20:" + id20 + "5:token1:a1:vi1ee1:q3:put1:t2:aa1:y1:qe", "d1:ad2:id20:" + id20 + "e1:q7:unknown1:t2:aa1:y1:qe"},
	{"an address of one byte", "d1:ad2:id20:" + id20 + "e2:ip1:a1:q4:ping1:t1:a1:y1:qe", "d1:ad2:id20:" + id20 + "e1:q4:ping1:t1:a1:y1:qe"},
	{"peers of odd sizes", "d1:rd2:id20:" + id20 + "6:valuesl1:a0:6:axje.u7:1234567i3elleeee1:t1:a1:y1:re", "d1:rd2:id20:" + id20 + "6:valuesl6:axje.uee1:t1:a1:y1:re"},
	{"a BEP 44 answer", "d1:rd2:id20:" + id20 + "1:k32:" + id20 + "0123456789ab1:v5:hello5:token1:ae1:t1:a1:y1:re", "d1:rd2:id20:" + id20 + "5:token1:ae1:t1:a1:y1:re"},
	{"an error of another shape", "d1:e3:no!1:t1:a1:y1:ee", "d1:eli201e0:e1:t1:a1:y1:ee"},
}

var malformedPackets = map[string]string{
	"nothing":                    "",
	"not bencode":                "hello",
	"QUIC":                       "\xc0\x00\x00\x00\x01\x08abcdefgh",
	"truncated":                  "d1:ad2:id20:abcdefghij01234",
	"not closed":                 "d1:ad2:id20:" + id20 + "e1:q4:ping1:t2:aa1:y1:q",
	"query without arguments":    "d1:q4:ping1:t2:aa1:y1:qe",
	"announce without arguments": "d1:q13:announce_peer1:t1:a1:y1:qe",
	"arguments of a wrong type":  "d1:al2:id20:" + id20 + "e1:q4:ping1:t2:aa1:y1:qe",
	"no id":                      "d1:ade1:q4:ping1:t2:aa1:y1:qe",
	"a short id":                 "d1:ad2:id3:abce1:q4:ping1:t2:aa1:y1:qe",
	"an id that is a number":     "d1:ad2:idi7ee1:q4:ping1:t2:aa1:y1:qe",
	"find_node without target":   "d1:ad2:id20:" + id20 + "e1:q9:find_node1:t2:aa1:y1:qe",
	"get_peers without hash":     "d1:ad2:id20:" + id20 + "e1:q9:get_peers1:t2:aa1:y1:qe",
	"announce without port":      "d1:ad2:id20:" + id20 + "9:info_hash20:" + id20 + "5:token1:ae1:q13:announce_peer1:t1:a1:y1:qe",
	"a port out of range":        "d1:ad2:id20:" + id20 + "9:info_hash20:" + id20 + "4:porti65536e5:token1:ae1:q13:announce_peer1:t1:a1:y1:qe",
	"a negative port":            "d1:ad2:id20:" + id20 + "9:info_hash20:" + id20 + "4:porti-1e5:token1:ae1:q13:announce_peer1:t1:a1:y1:qe",
	"wants of a wrong type":      "d1:ad2:id20:" + id20 + "4:wanti1ee1:q4:ping1:t1:a1:y1:qe",
	"answer without r":           "d1:t2:aa1:y1:re",
	"answer without id":          "d1:rde1:t2:aa1:y1:re",
	"nodes of an odd length":     "d1:rd2:id20:" + id20 + "5:nodes27:aaaaaaaaaaaaaaaaaaaaaaaaaaae1:t1:a1:y1:re",
	"nodes of a wrong type":      "d1:rd2:id20:" + id20 + "5:nodesi1ee1:t1:a1:y1:re",
	"error without e":            "d1:t2:aa1:y1:ee",
	"another kind":               "d1:t2:aa1:y1:xe",
	"a kind of two letters":      "d1:rd2:id20:" + id20 + "e1:t2:aa1:y2:rre",
	"a long transaction":         "d1:ad2:id20:" + id20 + "e1:q4:ping1:t33:" + strings.Repeat("a", 33) + "1:y1:qe",
	"a long token":               "d1:rd2:id20:" + id20 + "5:token129:" + strings.Repeat("a", 129) + "e1:t1:a1:y1:re",
	"a length beyond the end":    "d1:q99999:aae",
	"an immense length":          "d1:q99999999999999999999:aae",
	"a negative length":          "d1:q-1:ae",
	"an immense number":          "d1:qi99999999999999999999999999999ee",
	"a number of nothing":        "d1:qiee",
	"deep lists":                 "d1:x" + strings.Repeat("l", 2000) + strings.Repeat("e", 2000) + "e",
	"a key that is a number":     "di1e1:ae",
}

func TestPacketsAreRebuilt(t *testing.T) {
	for _, c := range packetVectors {
		t.Run(c.name, func(t *testing.T) {
			m, err := parseMessage([]byte(c.in))
			if err != nil {
				t.Fatal(err)
			}
			want := c.out
			if want == "" {
				want = c.in
			}
			if got := string(m.append(nil)); got != want {
				t.Errorf("got  %q\nwant %q", got, want)
			}
		})
	}
}

func TestMalformedPacketsAreRefused(t *testing.T) {
	for name, packet := range malformedPackets {
		if m, err := parseMessage([]byte(packet)); err == nil {
			t.Errorf("%s: accepted as %q", name, m.append(nil))
		}
	}
}

func TestUnusableAddressesAreStruckOut(t *testing.T) {
	node := func(ip, port string) string { return id20 + ip + port }
	in := "d1:rd2:id20:" + id20 +
		"5:nodes104:" + node("\x0a\x00\x00\x01", "\x1a\xe1") + node("\x00\x00\x00\x00", "\x1a\xe1") +
		node("\xe0\x00\x00\x01", "\x1a\xe1") + node("\x08\x08\x08\x08", "\x00\x00") +
		"6:nodes638:" + node("\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff", "\x1a\xe1") +
		"6:valuesl6:\x08\x08\x08\x08\x1a\xe16:\x7f\x00\x00\x01\x00\x0018:\xff\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x1a\xe1ee1:t1:a1:y1:re"
	for public, want := range map[bool]string{
		false: "d1:rd2:id20:" + id20 + "5:nodes26:" + node("\x0a\x00\x00\x01", "\x1a\xe1") + "6:valuesl6:\x08\x08\x08\x08\x1a\xe1ee1:t1:a1:y1:re",
		true:  "d1:rd2:id20:" + id20 + "6:valuesl6:\x08\x08\x08\x08\x1a\xe1ee1:t1:a1:y1:re",
	} {
		m, err := parseMessage([]byte(in))
		if err != nil {
			t.Fatal(err)
		}
		m.keepUsable(func(a netip.AddrPort) bool { return usable(a, public) })
		if got := string(m.append(nil)); got != want {
			t.Errorf("public %v:\ngot  %q\nwant %q", public, got, want)
		}
	}
}

func TestLongListsAreCut(t *testing.T) {
	nodes := strings.Repeat(id20+"\x0a\x00\x00\x01\x1a\xe1", 100)
	values := strings.Repeat("6:\x0a\x00\x00\x01\x1a\xe1", 300)
	m, err := parseMessage([]byte("d1:rd2:id20:" + id20 + "5:nodes2600:" + nodes + "6:valuesl" + values + "ee1:t1:a1:y1:re"))
	if err != nil {
		t.Fatal(err)
	}
	if len(m.nodes) != maxNodes*nodeSize4 || len(m.values) != maxValues {
		t.Errorf("%d bytes of nodes, %d values", len(m.nodes), len(m.values))
	}
}

// Whatever a stranger sends: no panic; and what gets through is canonical,
// says the same when read again, and is read by the library without an error,
// a panic or a field that it would choke on later.
func FuzzMessage(f *testing.F) {
	for _, c := range packetVectors {
		f.Add([]byte(c.in))
	}
	for _, packet := range malformedPackets {
		f.Add([]byte(packet))
	}
	f.Fuzz(func(t *testing.T, packet []byte) {
		m, err := parseMessage(packet)
		if err != nil {
			return
		}
		m.keepUsable(func(a netip.AddrPort) bool { return usable(a, false) })
		out := m.append(nil)
		if len(out) > len(packet)+64 {
			t.Fatalf("%d bytes became %d", len(packet), len(out))
		}
		again, err := parseMessage(out)
		if err != nil {
			t.Fatalf("%q became %q, which is malformed", packet, out)
		}
		if back := again.append(nil); !bytes.Equal(back, out) {
			t.Fatalf("%q became %q, then %q", packet, out, back)
		}
		var lib krpc.Msg
		if err := bencode.Unmarshal(out, &lib); err != nil {
			t.Fatalf("%q became %q: %v", packet, out, err)
		}
		if lib.Y == "q" && lib.A == nil || lib.Y == "r" && lib.R == nil || lib.Y == "e" && lib.E == nil {
			t.Fatalf("%q became %q, which lacks its dictionary", packet, out)
		}
		if lib.Y == "q" && lib.Q == "announce_peer" && lib.A.Port == nil {
			t.Fatalf("%q became %q, without a port", packet, out)
		}
	})
}
