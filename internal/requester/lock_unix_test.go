//go:build unix

package requester

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// One has a lock at a time, until its file is closed; a file system without locks
// keeps nobody from its leases, and a real fault is one.
func TestLocks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	open := func() *os.File {
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Close() })
		return f
	}
	first, second := open(), open()
	if held, err := tryLock(first); !held || err != nil {
		t.Fatalf("%v, %v", held, err)
	}
	if held, err := tryLock(second); held || err != nil {
		t.Fatalf("two have it: %v, %v", held, err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if held, err := tryLock(second); !held || err != nil {
		t.Fatalf("%v, %v", held, err)
	}
	if held, err := tryLock(first); held || err == nil {
		t.Errorf("a closed file: %v, %v", held, err)
	}
	for _, none := range []error{unix.EOPNOTSUPP, unix.ENOSYS, unix.ENOLCK} {
		if held, err := locked(none); !held || err != nil {
			t.Errorf("%v: %v, %v", none, held, err)
		}
	}
}
