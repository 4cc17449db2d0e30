package requester

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/angler-dex/angler/internal/coord"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func at(port uint16) netip.AddrPort {
	return netip.AddrPortFrom(netip.MustParseAddr("198.51.100.7"), port)
}

func TestBook(t *testing.T) {
	path := filepath.Join(t.TempDir(), "book.json")
	b, err := OpenBook(path)
	if err != nil {
		t.Fatal(err)
	}
	for port, e := range map[uint16]entry{
		1: {RTT: 30 * time.Millisecond, Seen: noon, Class: []string{"small", "large"}},
		2: {RTT: 10 * time.Millisecond, Seen: noon, Class: []string{"small"}},
		3: {RTT: 5 * time.Millisecond, Seen: noon, Class: []string{"large"}},
		4: {RTT: 1 * time.Millisecond, Seen: noon.Add(-8 * 24 * time.Hour), Class: []string{"small"}},
		5: {RTT: 1 * time.Millisecond, Seen: noon.Add(2 * time.Hour), Class: []string{"small"}},
		6: {RTT: 1 * time.Millisecond, Seen: noon, Class: []string{"small"}},
	} {
		e.Addr = at(port)
		b.entries[e.Addr] = e
	}
	b.strike(at(6), noon)
	if err = b.Save(); err != nil {
		t.Fatal(err)
	}
	b, err = OpenBook(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := b.serving("small", nil, nil, noon); !slices.Equal(got, []netip.AddrPort{at(2), at(1)}) {
		t.Errorf("small is served at %v", got)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	var none *Book
	none.strike(at(1), noon)
	if none.serving("small", nil, nil, noon) != nil || none.Save() != nil {
		t.Error("no book has entries")
	}
}

// Where both ends have coordinates the estimate goes before an old measurement.
func TestBookEstimates(t *testing.T) {
	here, near, far := coord.New(), coord.New(), coord.New()
	for range 200 {
		for _, pair := range []struct {
			a, b *coord.Space
			rtt  time.Duration
		}{{here, near, 5 * time.Millisecond}, {here, far, 80 * time.Millisecond}, {near, far, 80 * time.Millisecond}} {
			for _, p := range [][2]*coord.Space{{pair.a, pair.b}, {pair.b, pair.a}} {
				if err := p[0].Observe(fmt.Sprintf("%p", p[1]), p[1].Here(), pair.rtt); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	b, err := OpenBook("")
	if err != nil {
		t.Fatal(err)
	}
	b.entries[at(1)] = entry{Addr: at(1), RTT: 1, Seen: noon, Class: []string{"c"}, Coordinate: far.Here().Append(nil)}
	b.entries[at(2)] = entry{Addr: at(2), RTT: time.Second, Seen: noon, Class: []string{"c"}, Coordinate: near.Here().Append(nil)}
	if got := b.serving("c", here, nil, noon); !slices.Equal(got, []netip.AddrPort{at(2), at(1)}) {
		t.Errorf("with coordinates: %v", got)
	}
	if got := b.serving("c", nil, nil, noon); !slices.Equal(got, []netip.AddrPort{at(1), at(2)}) {
		t.Errorf("without: %v", got)
	}
}

func TestDamagedBookIsEmpty(t *testing.T) {
	path := filepath.Join(t.TempDir(), "book.json")
	for _, text := range []string{"", "{}", `[{"addr":"nowhere"}]`, `[{"addr":"198.51.100.7:1","seen":5}]`} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if b, err := OpenBook(path); err == nil || len(b.entries) != 0 {
			t.Errorf("%q: %v, %d entries", text, err, len(b.entries))
		}
	}
	if err := os.WriteFile(path, make([]byte, maxBookFile+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if b, err := OpenBook(path); err == nil || len(b.entries) != 0 {
		t.Errorf("too large: %v", err)
	}
}

func TestDistanceToACell(t *testing.T) {
	berlin := Near{52.52, 13.40}
	home, munich, tokyo, nowhere := berlin.distance("u33d"), berlin.distance("u281"), berlin.distance("xn76"), berlin.distance("")
	if home > 40 || munich < 450 || munich > 560 || tokyo < 8800 || tokyo > 9000 || nowhere <= tokyo || berlin.distance("ai") != nowhere {
		t.Errorf("distances %.0f, %.0f, %.0f, %.0f km", home, munich, tokyo, nowhere)
	}
}
