package durable

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// unborn stands between a file's name and the random end of the name that it is
// written under.
const unborn = ".new-"

// Replace puts data at path, in the place of what is there. It is on disk when
// Replace returns nil; after an error the old file stands, or the new one if
// only the folder could not be synced. The folder must be there.
func Replace(path string, data []byte) error { return put(path, data, os.Rename) }

// Create puts data at path if there is nothing: the error is fs.ErrExist if
// there is, be it a dead link. Of several processes that create the same file
// one wins. Where the file system has no hard links it is a look and a rename.
func Create(path string, data []byte) error { return put(path, data, Place) }

// Place moves a finished file to a name that nothing has: fs.ErrExist if
// something does. The caller syncs the folder.
func Place(from, to string) error {
	err := os.Link(from, to)
	if err == nil {
		return os.Remove(from)
	}
	if errors.Is(err, fs.ErrExist) {
		return err
	}
	if _, err = os.Lstat(to); err == nil {
		return &fs.PathError{Op: "create", Path: to, Err: fs.ErrExist}
	}
	return os.Rename(from, to)
}

func put(path string, data []byte, place func(from, to string) error) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+unborn) // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = place(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, Remove(f.Name()))
	}
	return SyncFolder(dir)
}

// Remove deletes a file that may be gone already.
func Remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// SyncFolder puts on disk what was created, renamed and removed in a folder.
func SyncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Unfinished tells whether a name is one that Replace and Create write under,
// and for which file.
func Unfinished(name string) (file string, ok bool) {
	rest, hidden := strings.CutPrefix(name, ".")
	at := strings.LastIndex(rest, unborn)
	if !hidden || at <= 0 || at+len(unborn) == len(rest) {
		return "", false
	}
	return rest[:at], true
}
