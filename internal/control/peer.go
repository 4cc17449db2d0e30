package control

import (
	"fmt"
	"net"
	"os"
)

// admitClient lets in the daemon's own user and root.
func admitClient(c *net.UnixConn) error {
	uid, known, err := peerUID(c)
	if err != nil {
		return fmt.Errorf("control peer: %w", err)
	}
	if own := os.Geteuid(); known && uid != own && uid != 0 {
		return fmt.Errorf("control peer has user id %d, this daemon %d", uid, own)
	}
	return nil
}

// trustServer accepts a daemon of the same user or of root; root talks to any.
func trustServer(c *net.UnixConn) error {
	uid, known, err := peerUID(c)
	if err != nil {
		return fmt.Errorf("control peer: %w", err)
	}
	if own := os.Geteuid(); known && uid != own && uid != 0 && own != 0 {
		return New(ErrDenied, fmt.Sprintf("the daemon at the socket belongs to user id %d, not to %d", uid, own))
	}
	return nil
}
