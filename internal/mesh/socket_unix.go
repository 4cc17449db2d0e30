//go:build linux || darwin || freebsd

package mesh

import (
	"net"

	"golang.org/x/sys/unix"
)

// receiveBuffer returns the size of the socket's receive buffer, if it can be
// had.
func receiveBuffer(conn net.PacketConn) (size int, ok bool) {
	udp, isUDP := conn.(*net.UDPConn)
	if !isUDP {
		return 0, false
	}
	raw, err := udp.SyscallConn()
	if err != nil {
		return 0, false
	}
	var failed error
	if err := raw.Control(func(fd uintptr) {
		size, failed = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF)
	}); err != nil || failed != nil {
		return 0, false
	}
	return size, true
}
