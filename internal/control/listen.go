package control

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
)

// SocketName is the socket's file name in its folder.
const SocketName = "control.sock"

// maxPath is the longest path that fits into sockaddr_un with its closing zero byte.
func maxPath() int {
	if runtime.GOOS == "linux" {
		return 107
	}
	return 103
}

// CheckPath says whether a socket can be bound at path, by its length alone.
func CheckPath(path string) error {
	if len(path) > maxPath() {
		return fmt.Errorf("socket path %s has %d bytes, the system allows %d: choose a shorter state folder", path, len(path), maxPath())
	}
	return nil
}

// listener is the bound socket together with the lock that makes this process its only owner.
type listener struct {
	*net.UnixListener
	path string
	lock *os.File
}

// Listen binds the control socket: it makes the folder (0700), takes the lock beside the socket, removes a socket that a dead
// daemon left, and binds with mode 0600. It returns ErrRunning if a living daemon holds the lock, and refuses a folder that
// others may enter or a path at which something other than a socket lies.
func Listen(path string) (net.Listener, error) {
	if err := CheckPath(path); err != nil {
		return nil, err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("control folder: %w", err)
	}
	if err := checkFolder(dir); err != nil {
		return nil, err
	}
	lock, err := lockFile(path + ".lock")
	if err != nil {
		return nil, err
	}
	ln, err := bind(path)
	if err != nil {
		lock.Close()
		return nil, err
	}
	return &listener{UnixListener: ln, path: path, lock: lock}, nil
}

func checkFolder(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("control folder: %w", err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("control folder %s may be entered by others (mode %04o): chmod 700 %s", dir, info.Mode().Perm(), dir)
	}
	return nil
}

// bind is called with the lock held, so a socket at path belongs to nobody alive.
func bind(path string) (*net.UnixListener, error) {
	switch info, err := os.Lstat(path); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, fmt.Errorf("control socket: %w", err)
	case info.Mode()&fs.ModeSocket == 0:
		return nil, fmt.Errorf("control socket: %s exists and is not a socket", path)
	default:
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("control socket: stale one: %w", err)
		}
	}
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		ln.Close()
		return nil, fmt.Errorf("control socket: %w", err)
	}
	return ln, nil
}

// Accept returns the next connection of the same user or of root; others are closed without a word.
func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.AcceptUnix()
		if err != nil {
			return nil, err
		}
		if err := admitClient(c); err != nil {
			c.Close()
			continue
		}
		return c, nil
	}
}

// Close unbinds and removes the socket, then lets the lock go. The lock file stays: removing it would let two daemons lock
// two files of one name.
func (l *listener) Close() error {
	err := l.UnixListener.Close() // removes the socket
	if lerr := l.lock.Close(); err == nil {
		err = lerr
	}
	return err
}
