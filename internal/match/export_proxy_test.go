package match

import (
	"context"
	"net"

	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/mesh"
)

// DialLease opens a connection to the API server of a lease, through its
// provider's daemon, for who has no connection of its own that ProxyLease could
// carry.
func DialLease(ctx context.Context, link Opener, id market.LeaseID) (net.Conn, error) {
	s, err := openProxy(ctx, link, id)
	if err != nil {
		return nil, err
	}
	return streamConn{s}, nil
}

// streamConn is a stream as a net.Conn.
type streamConn struct{ *mesh.Stream }

// LocalAddr is nowhere: a stream has no address of its own.
func (c streamConn) LocalAddr() net.Addr { return streamAddr{} }

// RemoteAddr likewise.
func (c streamConn) RemoteAddr() net.Addr { return streamAddr{} }

// Close cuts the stream: what is on its way is of no use to who closes a
// connection.
func (c streamConn) Close() error {
	c.Reset()
	return nil
}

type streamAddr struct{}

func (streamAddr) Network() string { return "angler" }
func (streamAddr) String() string  { return "lease" }
