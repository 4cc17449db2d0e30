package dht

import (
	"bytes"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

const savedExample = `angler-dht 1
id 0123456789abcdef0123456789abcdef01234567
node 89abcdef0123456789abcdef0123456789abcdef 192.0.2.1:6881
node 00abcdef0123456789abcdef0123456789abcdef [2001:db8::1]:1
`

func TestSavedTableVector(t *testing.T) {
	got, err := parseSaved([]byte(savedExample))
	if err != nil {
		t.Fatal(err)
	}
	if got.id.String() != "0123456789abcdef0123456789abcdef01234567" || len(got.nodes) != 2 ||
		got.nodes[0].addr != netip.MustParseAddrPort("192.0.2.1:6881") || !got.nodes[1].known || got.nodes[1].id[0] != 0 {
		t.Errorf("read %+v", got)
	}
	if again := string(got.append(nil)); again != savedExample {
		t.Errorf("written again: %q", again)
	}
}

var badSaved = []string{
	"", "angler-dht 2\n", "angler-dht 1", savedExample[:len(savedExample)-1], savedExample[:60], savedExample + "\n",
	strings.Replace(savedExample, "id 0", "id x", 1),
	strings.Replace(savedExample, "cdef0123", "CDEF0123", 1),
	strings.Replace(savedExample, ":6881", ":0", 1),
	strings.Replace(savedExample, ":6881", ":06881", 1),
	strings.Replace(savedExample, "192.0.2.1", "224.0.0.1", 1),
	strings.Replace(savedExample, "192.0.2.1:6881", "[::ffff:192.0.2.1]:6881", 1),
	strings.Replace(savedExample, "192.0.2.1", "example.org", 1),
	savedExample + "id 0123456789abcdef0123456789abcdef01234567\n",
	"angler-dht 1\nid 0000000000000000000000000000000000000000\n",
	savedHeader + strings.Repeat("node 89abcdef0123456789abcdef0123456789abcdef 192.0.2.1:6881\n", maxSaved+1),
	savedHeader + "node " + strings.Repeat("a", maxSavedLen) + "\n",
}

func TestSavedTableRefusesWhatItDidNotWrite(t *testing.T) {
	for _, text := range badSaved {
		if got, err := parseSaved([]byte(text)); !errors.Is(err, errSavedTable) {
			t.Errorf("%.80q: %+v, %v", text, got, err)
		}
	}
}

func TestSavedTableFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "cache", "table")
	if got, err := loadTable(path); err != nil || len(got.nodes) != 0 {
		t.Fatalf("a missing file: %+v, %v", got, err)
	}
	want, err := parseSaved([]byte(savedExample))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second replaces the first
		if err := saveTable(path, want); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := loadTable(path); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("read %+v, %v", got, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if names := entries(t, filepath.Dir(path)); !slices.Equal(names, []string{"table"}) {
		t.Errorf("left in the folder: %q", names)
	}
}

// A save that fails halfway leaves the old table and no litter. A folder in
// the place of the file makes the last step, the rename, fail.
func TestSavedTableSurvivesAFailedSave(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "table")
	if err := os.MkdirAll(filepath.Join(path, "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := saveTable(path, savedTable{id: Key{1}}); err == nil {
		t.Error("replaced a folder")
	}
	if names := entries(t, dir); !slices.Equal(names, []string{"table"}) {
		t.Errorf("left in the folder: %q", names)
	}
}

func TestSaveWritesNoMoreThanIsRead(t *testing.T) {
	var big savedTable
	for i := range 2 * maxSaved {
		addr := netip.AddrPortFrom(netip.MustParseAddr("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"), uint16(1+i))
		big.nodes = append(big.nodes, contact{known: true, addr: addr})
	}
	got, err := parseSaved(big.append(nil))
	if err != nil || len(got.nodes) != maxSaved {
		t.Errorf("%d nodes, %v", len(got.nodes), err)
	}
}

func entries(t *testing.T, dir string) []string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}

func FuzzSavedTable(f *testing.F) {
	f.Add([]byte(savedExample))
	f.Add([]byte(savedHeader))
	for _, text := range badSaved[:14] {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		table, err := parseSaved(text)
		if err == nil && !bytes.Equal(table.append(nil), text) {
			t.Fatalf("%q is read as %+v", text, table)
		}
	})
}
