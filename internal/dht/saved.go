package dht

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/angler-dex/angler/internal/durable"
)

// The saved routing table is a text file:
//
//	angler-dht 1
//	id 0123456789abcdef0123456789abcdef01234567
//	node 89abcdef0123456789abcdef0123456789abcdef 192.0.2.1:6881
//	node …
//
// One line each, in this form exactly (lower-case hexadecimal, addresses as Go
// writes them, a newline at the end of every line). The id line is left out by
// passive nodes, which have a new one each time. It is a cache: nothing in it
// is believed before the node has answered.
const (
	savedHeader = "angler-dht 1\n"
	maxSaved    = 512       // nodes
	maxSavedLen = 128 << 10 // bytes
)

// contact is a node's id, if known, and its address.
type contact struct {
	id    Key
	known bool // id is what somebody said, or the node itself
	addr  netip.AddrPort
}

// savedTable is the content of the file.
type savedTable struct {
	id    Key // zero: none
	nodes []contact
}

var errSavedTable = errors.New("not a saved routing table")

// parseSaved reads the file's bytes; append of the result is identical to them.
func parseSaved(b []byte) (savedTable, error) {
	var t savedTable
	rest, ok := bytes.CutPrefix(b, []byte(savedHeader))
	if !ok || len(b) > maxSavedLen {
		return savedTable{}, errSavedTable
	}
	lines := bufio.NewScanner(bytes.NewReader(rest))
	for n := 0; lines.Scan(); n++ {
		word, line, _ := strings.Cut(lines.Text(), " ")
		switch {
		case word == "id" && n == 0:
			if !parseHexKey(line, &t.id) || t.id == (Key{}) {
				return savedTable{}, fmt.Errorf("%w: line %d", errSavedTable, n+2)
			}
		case word == "node" && len(t.nodes) < maxSaved:
			id, addr, _ := strings.Cut(line, " ")
			c := contact{known: true}
			var err error
			c.addr, err = netip.ParseAddrPort(addr)
			if err != nil || !parseHexKey(id, &c.id) || !usable(c.addr, false) || c.addr.Addr().Is4In6() {
				return savedTable{}, fmt.Errorf("%w: line %d", errSavedTable, n+2)
			}
			t.nodes = append(t.nodes, c)
		default:
			return savedTable{}, fmt.Errorf("%w: line %d", errSavedTable, n+2)
		}
	}
	if lines.Err() != nil || !bytes.Equal(t.append(nil), b) {
		return savedTable{}, errSavedTable
	}
	return t, nil
}

func parseHexKey(s string, k *Key) bool {
	b, err := hex.DecodeString(s)
	return err == nil && copy(k[:], b) == len(k) && len(b) == len(k)
}

func (t savedTable) append(dst []byte) []byte {
	dst = append(dst, savedHeader...)
	if t.id != (Key{}) {
		dst = fmt.Appendf(dst, "id %s\n", t.id)
	}
	for _, c := range t.nodes[:min(len(t.nodes), maxSaved)] {
		dst = fmt.Appendf(dst, "node %s %s\n", c.id, c.addr)
	}
	return dst
}

// loadTable reads a saved table; a file that does not exist is an empty one.
func loadTable(path string) (savedTable, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return savedTable{}, nil
	}
	if err != nil {
		return savedTable{}, fmt.Errorf("saved routing table: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxSavedLen+1))
	if err != nil {
		return savedTable{}, fmt.Errorf("saved routing table: %w", err)
	}
	t, err := parseSaved(b)
	if err != nil {
		return savedTable{}, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

// saveTable replaces the file in one step: whoever reads it, or a crash, finds
// the old table or the new one. Folders are made as needed, 0700; the file is
// 0600.
func saveTable(path string, t savedTable) error {
	err := os.MkdirAll(filepath.Dir(path), 0o700)
	if err == nil {
		err = durable.Replace(path, t.append(nil))
	}
	if err != nil {
		return fmt.Errorf("save routing table: %w", err)
	}
	return nil
}
