package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/angler-dex/angler/internal/durable"
)

// writeFile puts data at path with mode 0600, whole or not at all, durably, making missing folders with mode 0700. Unless
// replace is set, a file that exists is left alone and the error is fs.ErrExist.
func writeFile(path string, data []byte, replace bool) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if replace {
		return durable.Replace(path, data)
	}
	return durable.Create(path, data)
}

// exists tells whether there is anything at path, be it a dead link.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// readInput reads a file, or stdin for "-", up to limit bytes.
func (a *app) readInput(path string, limit int64) ([]byte, error) {
	in := a.io.In
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%s has more than %d bytes", path, limit)
	}
	return data, nil
}
