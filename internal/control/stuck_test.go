package control

import (
	"errors"
	"net"
	"path/filepath"
	"testing"
	"time"
)

// A daemon that is stopped in its tracks takes connections and says nothing:
// who only asks is told so.
func TestStuckDaemon(t *testing.T) {
	path := filepath.Join(t.TempDir(), SocketName)
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := Dial(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	c.read = 50 * time.Millisecond
	if _, err := c.Status(t.Context()); !errors.Is(err, ErrNoDaemon) {
		t.Errorf("%v", err)
	}
}
