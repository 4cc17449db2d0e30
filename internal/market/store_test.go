package market

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	bolt "go.etcd.io/bbolt"
)

func TestOneOwner(t *testing.T) {
	b := open(t)
	_, err := Open(b.cfg)
	if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), b.cfg.Path) || !strings.Contains(err.Error(), "another angler daemon") {
		t.Errorf("a second owner: %v", err)
	}
	b.offer("a", small, 1, 1)
	b.reopen() // the lock goes with its owner
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if err := b.PutOffer(Offer{Unit: mustClass(t, small), Ceiling: 1}); !errors.Is(err, ErrBroken) {
		t.Errorf("a write after Close: %v", err)
	}
	if _, err := b.Hold([32]byte{1}, b.ask(small), HoldTime); !errors.Is(err, ErrBroken) {
		t.Errorf("a hold after Close: %v", err)
	}
}

// Several daemons that start at once on nothing: one gets the ledger, and it is
// whole.
func TestCreatedOnce(t *testing.T) {
	b := open(t)
	cfg := b.cfg
	cfg.Path = filepath.Join(t.TempDir(), "a", "b", "ledger.db")
	owners := make(chan *Ledger, 8)
	var wg sync.WaitGroup
	for range cap(owners) {
		wg.Go(func() {
			l, err := Open(cfg)
			if err == nil {
				owners <- l
			} else if !errors.Is(err, ErrLocked) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(owners) != 1 {
		t.Fatalf("%d owners", len(owners))
	}
	if err := (<-owners).Close(); err != nil {
		t.Fatal(err)
	}
	l, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(filepath.Dir(cfg.Path))
	if err = errors.Join(err, l.Close()); err != nil || len(entries) != 1 {
		t.Errorf("%v, %v", entries, err)
	}
}

func TestFileIsPrivate(t *testing.T) {
	b := open(t)
	mode := func(path string) os.FileMode {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info.Mode().Perm()
	}
	if m := mode(b.cfg.Path); m != 0o600 {
		t.Errorf("file mode %o", m)
	}
	if m := mode(filepath.Dir(b.cfg.Path)); m != 0o700 {
		t.Errorf("folder mode %o", m)
	}
	if err := os.Chmod(b.cfg.Path, 0o644); err != nil {
		t.Fatal(err)
	}
	b.reopen()
	if m := mode(b.cfg.Path); m != 0o600 {
		t.Errorf("file mode %o after it was widened", m)
	}
	entries, err := os.ReadDir(filepath.Dir(b.cfg.Path))
	if err != nil || len(entries) != 1 {
		t.Errorf("%v, %v", entries, err)
	}
}

func TestOpenRefuses(t *testing.T) {
	b := open(t)
	b.offer("a", small, 10, 5)
	b.win(1, small, 4)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	good := readFile(t, b.cfg.Path)
	for name, tc := range map[string]struct {
		want error
		edit func(path string)
	}{
		"text":      {ErrCorrupt, func(path string) { writeFile(t, path, []byte("offers: none\n")) }},
		"zeros":     {ErrCorrupt, func(path string) { writeFile(t, path, make([]byte, 64<<10)) }},
		"short":     {ErrCorrupt, func(path string) { writeFile(t, path, good[:8192]) }},
		"shorter":   {ErrCorrupt, func(path string) { writeFile(t, path, good[:100]) }},
		"no ledger": {ErrCorrupt, func(path string) { editBolt(t, path, func(tx *bolt.Tx) error { return tx.DeleteBucket(bucketLedger) }) }},
		"no leases": {ErrCorrupt, func(path string) { editBolt(t, path, func(tx *bolt.Tx) error { return tx.DeleteBucket(bucketLeases) }) }},
		"newer": {ErrSchema, func(path string) {
			editBolt(t, path, func(tx *bolt.Tx) error {
				return tx.Bucket(bucketLedger).Put(keySchema, binary.BigEndian.AppendUint32(nil, schema+1))
			})
		}},
		"another identity": {ErrProvider, func(path string) {
			editBolt(t, path, func(tx *bolt.Tx) error { return tx.Bucket(bucketLedger).Put(keyProvider, make([]byte, 32)) })
		}},
		"a row of another key": {ErrCorrupt, func(path string) {
			editBolt(t, path, func(tx *bolt.Tx) error {
				offers := tx.Bucket(bucketOffers)
				return offers.Put([]byte("b"), offers.Get([]byte("a")))
			})
		}},
		"a lease of another session": {ErrCorrupt, func(path string) {
			editBolt(t, path, func(tx *bolt.Tx) error {
				return writer{tx}.put(bucketLeases, make([]byte, 32), Lease{State: Active, Class: mustClass(t, small)}.row())
			})
		}},
		"a held lease": {ErrCorrupt, func(path string) {
			id := NewLeaseID([32]byte{}, provider)
			editBolt(t, path, func(tx *bolt.Tx) error {
				return writer{tx}.put(bucketLeases, id[:], Lease{State: Held, Class: mustClass(t, small)}.row())
			})
		}},
		"a field too many": {ErrCorrupt, func(path string) {
			editBolt(t, path, func(tx *bolt.Tx) error { return writer{tx}.put(bucketOffers, []byte("b"), map[int]int{99: 1}) })
		}},
	} {
		path := filepath.Join(t.TempDir(), "ledger.db")
		writeFile(t, path, good)
		tc.edit(path)
		before := readFile(t, path)
		cfg := b.cfg
		cfg.Path = path
		l, err := Open(cfg)
		if err == nil {
			_ = l.Close()
		}
		if !errors.Is(err, tc.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v; want %v", name, err, tc.want)
		}
		if !bytes.Equal(readFile(t, path), before) {
			t.Errorf("%s: the file was changed", name)
		}
	}
	cfg := b.cfg
	cfg.Path = t.TempDir()
	if _, err := Open(cfg); err == nil || errors.Is(err, ErrCorrupt) {
		t.Errorf("a folder: %v", err)
	}
}

// One flipped bit anywhere: either it hit nothing that counts, or the ledger
// says that it is damaged and leaves the file alone. It never reads wrong rows.
// (A hit in the newest of bbolt's two meta pages looks as a torn last commit
// does, and falls back to the state before it.)
func TestFlippedBits(t *testing.T) {
	b := open(t)
	b.offer("a", small, 100, 5)
	for i := range 20 {
		b.win(byte(i), small, 1)
	}
	earlier := b.picture()
	b.win(20, small, 1)
	now := b.picture()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	good := readFile(t, b.cfg.Path)
	path := filepath.Join(t.TempDir(), "ledger.db")
	cfg := b.cfg
	cfg.Path = path
	refused := 0
	for at := 0; at < len(good); at += 127 {
		bad := bytes.Clone(good)
		bad[at] ^= 1 << (at % 8)
		writeFile(t, path, bad)
		l, err := Open(cfg)
		if err != nil {
			refused++
			if !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrSchema) && !errors.Is(err, ErrProvider) {
				t.Fatalf("byte %d: %v", at, err)
			}
			if !bytes.Equal(readFile(t, path), bad) {
				t.Fatalf("byte %d: the file was changed", at)
			}
			continue
		}
		got := (&bench{Ledger: l}).picture()
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if got != now && (got != earlier || at >= 2*os.Getpagesize()) {
			t.Fatalf("byte %d: other rows were read", at)
		}
	}
	if refused < 10 {
		t.Errorf("only %d flips were noticed", refused)
	}
}

// Damage that no row shows: a file that ends early, and a list of free pages
// that is wrong, which would have rows overwritten later.
func TestDamagedPages(t *testing.T) {
	b := open(t)
	b.offer("a", small, 100, 5)
	for i := range 60 {
		b.advance(b.win(byte(i), small, 1).ID, Failed)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	good, page := readFile(t, b.cfg.Path), os.Getpagesize()
	// bbolt's meta page: 16 bytes of header, magic, version, page size, flags,
	// root (16), then freelist, page count and transaction as 8 bytes each.
	word := func(at int) uint64 { return binary.LittleEndian.Uint64(good[at:]) }
	meta := 0
	if word(page+64) > word(64) {
		meta = page
	}
	freelist, pages := int(word(meta+48))*page, int(word(meta+56))
	free := int(binary.LittleEndian.Uint16(good[freelist+10:]))
	if free == 0 || len(good) < pages*page {
		t.Fatalf("%d free pages, %d bytes for %d pages: the layout is another one", free, len(good), pages)
	}
	refused := func(what string, bad []byte) {
		t.Helper()
		cfg := b.cfg
		cfg.Path = filepath.Join(t.TempDir(), "ledger.db")
		writeFile(t, cfg.Path, bad)
		l, err := Open(cfg)
		if err == nil {
			_ = l.Close()
		}
		if !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v", what, err)
		}
		if !bytes.Equal(readFile(t, cfg.Path), bad) {
			t.Errorf("%s: the file was changed", what)
		}
	}
	for n := range pages {
		refused(fmt.Sprintf("%d of %d pages", n, pages), good[:n*page])
	}
	for i := range free {
		bad := bytes.Clone(good)
		bad[freelist+16+8*i] ^= 1
		refused(fmt.Sprintf("free page %d of %d is another", i, free), bad)
	}
}

// A commit that fails leaves what was there, in memory and on disk, and the
// ledger refuses to go on.
func TestFailedCommit(t *testing.T) {
	b := open(t)
	b.offer("a", small, 100, 5)
	b.win(0, small, 1)
	b.store.db.MaxSize = 1 // the disk is full
	b.hold(1, small)
	var err error
	for sid := byte(1); err == nil; sid++ {
		if sid > 250 {
			t.Fatal("no commit failed")
		}
		before := b.picture()
		if _, err = b.Hold([32]byte{sid}, b.ask(small), HoldTime); err != nil {
			t.Fatal(err)
		}
		if _, err = b.Win([32]byte{sid}, 1, 5); err == nil {
			continue
		}
		if !errors.Is(err, ErrBroken) {
			t.Fatal(err)
		}
		if b.picture() != before {
			t.Error("a failed write changed the ledger")
		}
		if _, err := b.Advance(NewLeaseID([32]byte{0}, provider), Released, nil); !errors.Is(err, ErrBroken) {
			t.Errorf("a write after the failed one: %v", err)
		}
		if _, err := b.Hold([32]byte{251}, b.ask(small), HoldTime); !errors.Is(err, ErrBroken) {
			t.Errorf("a hold after the failed write: %v", err)
		}
		b.reopen()
		if b.picture() != before {
			t.Error("a failed write is on disk")
		}
		b.win(252, small, 1)
	}
}

// picture is everything that must survive a restart, as text.
func (b *bench) picture() string {
	var s strings.Builder
	for _, o := range b.Offers() {
		fmt.Fprintf(&s, "%+v\n", o)
	}
	for _, l := range b.Leases() {
		fmt.Fprintf(&s, "%+v\n", l)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	fmt.Fprintf(&s, "%v\n", b.matches)
	return s.String()
}

func editBolt(t *testing.T, path string, edit func(*bolt.Tx) error) {
	t.Helper()
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(edit), db.Close()); err != nil {
		t.Fatal(err)
	}
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func writeFile(t testing.TB, path string, raw []byte) {
	t.Helper()
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
}
