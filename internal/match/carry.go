package match

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/mesh"
)

// carryBuffer is what a direction of a carried connection holds, in bytes.
const carryBuffer = 32 << 10

// carry copies both ways between a stream and a connection until both sides have
// ended theirs, either fails, ctx ends, or nothing has come from either for
// idle. It closes both.
func carry(ctx context.Context, s *mesh.Stream, conn net.Conn, idle time.Duration) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		s.Reset()
		_ = conn.Close() // whatever it says, it is of no use any more
	})
	timer := time.AfterFunc(idle, cancel)
	defer timer.Stop()
	var both sync.WaitGroup
	copyAll := func(to io.Writer, from io.Reader, end func() error) {
		buf := make([]byte, carryBuffer)
		for {
			n, err := from.Read(buf)
			if n > 0 {
				timer.Reset(idle)
				if _, writeErr := to.Write(buf[:n]); writeErr != nil {
					cancel()
					return
				}
			}
			switch {
			case errors.Is(err, io.EOF):
				if end() != nil {
					cancel()
				}
				return
			case err != nil:
				cancel()
				return
			}
		}
	}
	both.Go(func() { copyAll(conn, s, func() error { return closeWrite(conn) }) })
	both.Go(func() { copyAll(s, conn, s.CloseWrite) })
	both.Wait()
	if stop() { // else both are closed already
		_ = s.Close()
		_ = conn.Close()
	}
}

// closeWrite ends our side of a connection, or all of it where there are no
// sides.
func closeWrite(c net.Conn) error {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return c.Close()
}

// ProxyLease carries a connection to the API server of a lease, through its
// provider's daemon, until it ends or ctx does, and closes it. What runs over it is
// TLS, of which the provider's daemon sees nothing; the server's certificate is
// checked by whose connection it is. The error is why nothing was carried: a
// *RefusedError says that the provider does not.
func ProxyLease(ctx context.Context, link Opener, id market.LeaseID, conn net.Conn) error {
	s, err := openProxy(ctx, link, id)
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	carry(ctx, s, conn, tunnelIdle)
	return nil
}

func openProxy(ctx context.Context, link Opener, id market.LeaseID) (*mesh.Stream, error) {
	asking, cancel := context.WithTimeout(ctx, dialWithin+readWithin)
	defer cancel()
	s, err := link.Open(asking, KindProxy)
	if err != nil {
		return nil, err
	}
	lift := s.Bind(asking)
	var r ProxyReply
	if err = send(s, ProxyRequest{Lease: id[:]}); err == nil {
		err = receive(s, maxProxyMessage, &r)
	}
	switch {
	case !lift():
		err = asking.Err()
	case err == nil && !r.Open:
		err = &RefusedError{Status: StatusDenied}
	}
	if err != nil {
		s.Reset()
		return nil, err
	}
	return s, nil
}
