//go:build !linux && !darwin && !freebsd

package mesh

import "net"

// receiveBuffer is not known on this system.
func receiveBuffer(net.PacketConn) (size int, ok bool) { return 0, false }
