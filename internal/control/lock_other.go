//go:build !unix

package control

import (
	"fmt"
	"net"
	"os"
	"strings"
)

// lockFile has no lock to take here; it asks at the socket whether somebody answers.
func lockFile(path string) (*os.File, error) {
	if c, err := net.Dial("unix", strings.TrimSuffix(path, ".lock")); err == nil {
		c.Close()
		return nil, fmt.Errorf("%w: the socket of %s answers", ErrRunning, path)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("control lock: %w", err)
	}
	return f, nil
}
