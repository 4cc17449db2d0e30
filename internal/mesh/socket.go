package mesh

import (
	"log/slog"
	"net"
	"os"
	"sync"
)

// wantedBuffer is the size in bytes that quic-go wants a socket's buffers to
// have (its wiki, "UDP Buffer Sizes").
const wantedBuffer = 7 << 20

// quietOnce keeps quic-go from printing its warning about small buffers to the
// standard logger, by the variable that it documents for that; warnBuffer says
// it through our log instead.
var quietOnce = sync.OnceValue(func() error {
	const variable = "QUIC_GO_DISABLE_RECEIVE_BUFFER_WARNING"
	if _, set := os.LookupEnv(variable); set {
		return nil
	}
	return os.Setenv(variable, "true")
})

// bind binds the UDP socket at host:port. The error names both.
func bind(addr string) (net.PacketConn, error) { return net.ListenPacket("udp", addr) }

// warnBuffer tells the operator once the transport has set the buffers and the
// kernel has allowed less.
func warnBuffer(log *slog.Logger, conn net.PacketConn) {
	size, ok := receiveBuffer(conn)
	if ok && size < wantedBuffer {
		log.Info("the UDP receive buffer is small, which slows large transfers: raise net.core.rmem_max",
			"bytes", size, "wanted", wantedBuffer)
	}
}
