package durable

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
)

func TestReplace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	for _, text := range []string{"one", "", "three"} {
		if err := Replace(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
		check(t, path, text)
	}
	if err := Replace(filepath.Join(path+"s", "file"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("in a folder that is not there: %v", err)
	}
}

// What is there may be for all to read; what replaces it is not.
func TestReplaceClosesToOthers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Replace(path, []byte("new")); err != nil {
		t.Fatal(err)
	}
	check(t, path, "new")
}

// A link at the place is replaced, not followed.
func TestReplaceFollowsNoLink(t *testing.T) {
	dir := t.TempDir()
	other, path := filepath.Join(dir, "other"), filepath.Join(dir, "file")
	if err := errors.Join(os.WriteFile(other, []byte("other"), 0o600), os.Symlink(other, path)); err != nil {
		t.Fatal(err)
	}
	if err := Create(path, []byte("new")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("created over a link: %v", err)
	}
	if err := Replace(path, []byte("new")); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(other); err != nil || string(b) != "other" {
		t.Errorf("the link's end is %q, %v", b, err)
	}
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestCreate(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	if err := Create(path, []byte("one")); err != nil {
		t.Fatal(err)
	}
	if err := Create(path, []byte("two")); !errors.Is(err, fs.ErrExist) {
		t.Fatalf("over a file: %v", err)
	}
	check(t, path, "one")
	dead := filepath.Join(dir, "dead")
	if err := os.Symlink(filepath.Join(dir, "nowhere"), dead); err != nil {
		t.Fatal(err)
	}
	if err := Create(dead, nil); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over a dead link: %v", err)
	}
}

// Of many that create a file one wins, and its text is whole.
func TestCreateRace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	var won atomic.Int32
	var racing sync.WaitGroup
	for n := range 16 {
		racing.Go(func() {
			err := Create(path, bytes.Repeat([]byte{'a' + byte(n)}, 5000))
			switch {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, fs.ErrExist):
				t.Error(err)
			}
		})
	}
	racing.Wait()
	b, err := os.ReadFile(path)
	if err != nil || won.Load() != 1 || len(b) != 5000 || bytes.Count(b, b[:1]) != 5000 {
		t.Errorf("%d won; %d bytes, %v", won.Load(), len(b), err)
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

// A reader never sees half a file.
func TestReadersSeeWholeFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	text := func(n int) []byte { return bytes.Repeat(fmt.Appendf(nil, "%03d", n), 3000) }
	if err := Replace(path, text(0)); err != nil {
		t.Fatal(err)
	}
	var done atomic.Bool
	var reading sync.WaitGroup
	reading.Go(func() {
		for !done.Load() {
			b, err := os.ReadFile(path)
			if err != nil || len(b) != 9000 || bytes.Count(b, b[:3]) < 3000 {
				t.Errorf("%d bytes, %v", len(b), err)
				return
			}
		}
	})
	for n := range 50 {
		if err := Replace(path, text(n)); err != nil {
			t.Error(err)
		}
	}
	done.Store(true)
	reading.Wait()
}

// When the file cannot be put there, nothing of it is left.
func TestNothingLeftBehind(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "folder")
	if err := os.MkdirAll(filepath.Join(path, "full"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Replace(path, []byte("text")); err == nil {
		t.Error("replaced a folder")
	}
	if err := Replace(filepath.Join(dir, "folder", "full", "x", "\x00"), nil); err == nil {
		t.Error("a name with a zero byte")
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

func TestUnfinished(t *testing.T) {
	for name, want := range map[string]string{
		".lease.json.new-123": "lease.json", ".a.new-b.new-1": "a.new-b",
		"lease.json": "", "lease.json.new-123": "", ".new-1": "", ".a.new-": "", ".hidden": "", "": "",
	} {
		if got, ok := Unfinished(name); got != want || ok != (want != "") {
			t.Errorf("%q: %q, %v", name, got, ok)
		}
	}
	// It knows the names that are really used.
	dir := t.TempDir()
	f, err := os.CreateTemp(dir, "."+"file"+unborn)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if of, ok := Unfinished(filepath.Base(f.Name())); !ok || of != "file" {
		t.Errorf("%s: %q, %v", f.Name(), of, ok)
	}
}

func TestRemove(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := errors.Join(Replace(path, nil), Remove(path), Remove(path)); err != nil {
		t.Error(err)
	}
}

func check(t *testing.T, path, text string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil || string(b) != text {
		t.Errorf("%q, %v; want %q", b, err, text)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}
