package requester

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// WriteFile replaces the file at path atomically and durably, with mode 0600:
// the text goes to a temporary file beside it, which is synced and renamed, and
// then the folder is synced.
func WriteFile(path string, data []byte) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*") // made with mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return syncDir(dir)
}

// unfinished tells whether a name is that of a lease's temporary file.
func unfinished(name string) bool {
	return strings.HasPrefix(name, ".") && strings.Contains(name, suffix+".")
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
