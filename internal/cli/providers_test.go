package cli

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/angler-dex/angler/internal/identity"
)

// names resolves a few.
type names map[string][]netip.Addr

func (n names) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	ips, known := n[host]
	if !known {
		return nil, errors.New("no such host")
	}
	return ips, nil
}

var two = names{"two.example": {netip.MustParseAddr("198.51.100.7"), netip.MustParseAddr("2001:db8::7")}}

func TestReadProviders(t *testing.T) {
	ash, birch := identity.PeerID{1}, identity.PeerID{2}
	text := fmt.Sprintf("# ours\n\n 127.0.0.1:7400 %s\n[::1]:7400\ntwo.example:7401\t%s\n[::ffff:192.0.2.1]:1\n", ash, birch)
	got, err := readProviders(t.Context(), strings.NewReader(text), two)
	if err != nil {
		t.Fatal(err)
	}
	want := "[127.0.0.1:7400 [::1]:7400 198.51.100.7:7401 [2001:db8::7]:7401 192.0.2.1:1]"
	if fmt.Sprint(got.Fixed) != want {
		t.Errorf("read %v", got.Fixed)
	}
	for at, id := range map[string]identity.PeerID{"127.0.0.1:7400": ash, "[::1]:7400": {}, "198.51.100.7:7401": birch, "[2001:db8::7]:7401": birch} {
		if got.IDs[netip.MustParseAddrPort(at)] != id {
			t.Errorf("at %s: %s", at, got.IDs[netip.MustParseAddrPort(at)])
		}
	}
}

func TestReadProvidersFaults(t *testing.T) {
	ash, birch := identity.PeerID{1}.String(), identity.PeerID{2}.String()
	for text, want := range map[string]string{
		"":                                      "names no provider",
		"# nobody":                              "names no provider",
		"127.0.0.1":                             `line 1: "127.0.0.1" is not host:port`,
		"127.0.0.1:0":                           "is not host:port",
		"127.0.0.1:65536":                       "is not host:port",
		":7400":                                 "is not host:port",
		"\nnobody.example:7400":                 `line 2: "nobody.example" cannot be resolved`,
		"127.0.0.1:7400 ash":                    `"ash" is not a peer id`,
		"127.0.0.1:7400 " + ash + " ash":        "more than an address and a peer id",
		"[::1]:1 " + ash + "\n[::1]:1 " + birch: "line 2: [::1]:1 is another provider",
		strings.Repeat("two.example:7400\n", 1000): "line 513: more than 1024 addresses",
		strings.Repeat("x", 70_000):                "too long",
	} {
		if _, err := readProviders(t.Context(), strings.NewReader(text), two); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v", text, err)
		}
	}
}

func FuzzReadProviders(f *testing.F) {
	f.Add("127.0.0.1:7400 " + identity.PeerID{1}.String() + "\n#\n[::1]:1")
	f.Add("two.example:7401")
	f.Add("[fe80::1%eth0]:7400")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := readProviders(t.Context(), strings.NewReader(text), two)
		if err != nil {
			return
		}
		if len(got.Fixed) == 0 || len(got.Fixed) > maxFixed {
			t.Fatalf("%d addresses", len(got.Fixed))
		}
		for _, at := range got.Fixed {
			if _, known := got.IDs[at]; !known || !at.IsValid() || at.Port() == 0 {
				t.Fatalf("%v", at)
			}
		}
	})
}
