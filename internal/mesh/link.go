package mesh

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"github.com/angler-dex/angler/internal/identity"
)

// Link joins this node to one instance of a peer, whose identity is proven. It
// outlives the single connection (see the package comment) and ends with the
// last of them.
type Link struct {
	node     *Node
	peer     identity.PeerID
	instance [16]byte
	done     chan struct{}

	conns []*conn // under node.mu; none is dead
	last  *conn   // under node.mu: the latest that was preferred
}

// Peer returns who is at the other end.
func (l *Link) Peer() identity.PeerID { return l.peer }

// Addr returns the peer's address as seen from here, of the latest connection.
func (l *Link) Addr() netip.AddrPort { return l.latest().addr }

// RTT returns the smoothed round-trip time of the latest connection.
func (l *Link) RTT() time.Duration { return l.latest().quic.ConnectionStats().SmoothedRTT }

// MinRTT returns the shortest round-trip time of the latest connection: what the
// way takes, with the least of what queues and busy machines add.
func (l *Link) MinRTT() time.Duration { return l.latest().quic.ConnectionStats().MinRTT }

func (l *Link) latest() *conn {
	l.node.mu.Lock()
	defer l.node.mu.Unlock()
	return l.last
}

// Done is closed when the link has ended: then no stream can be opened and
// those that were open have failed.
func (l *Link) Done() <-chan struct{} { return l.done }

// Close ends the link and all its streams at once, for both sides; like
// Node.Close, it does not wait for what streams have written to arrive.
func (l *Link) Close() {
	l.node.mu.Lock()
	conns := slices.Clone(l.conns)
	l.node.mu.Unlock()
	for _, c := range conns {
		_ = c.quic.CloseWithError(codeClosed, "")
	}
}

// Open opens a stream of the given kind. If the peer allows no more streams it
// waits until one ends. ctx bounds the opening only, not the stream. A
// successful Open does not mean that the peer handles the kind: reading tells,
// with ErrUnknownKind.
func (l *Link) Open(ctx context.Context, kind Kind) (*Stream, error) {
	for {
		c := l.borrow()
		if c == nil {
			return nil, l.lost()
		}
		s, err := c.open(ctx, kind)
		if err == nil {
			return s, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if c.quic.Context().Err() == nil {
			return nil, c.fault(err)
		}
		// The connection is gone, maybe replaced by another, and the peer has
		// seen at most the kind: go on with the other.
		l.node.bury(c)
	}
}

// borrow returns the preferred connection, which then will not retire before
// open has given it back; nil if there is none.
func (l *Link) borrow() *conn {
	l.node.mu.Lock()
	defer l.node.mu.Unlock()
	c := l.preferred()
	if c != nil {
		c.opening++
		c.use()
	}
	return c
}

// open opens a stream on a borrowed connection.
func (c *conn) open(ctx context.Context, kind Kind) (*Stream, error) {
	qs, err := c.quic.OpenStreamSync(ctx)
	c.update(func() {
		c.opening--
		if err == nil {
			c.opened++
			c.streams++
		}
	})
	if err != nil {
		return nil, err
	}
	s := &Stream{conn: c, quic: qs, kind: kind, ours: true}
	stop := s.Bind(ctx)
	_, err = qs.Write([]byte{byte(kind)})
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		s.Reset()
		return nil, err
	}
	return s, nil
}

// preferred returns the connection that streams are to be opened on, or nil.
// The node is locked.
func (l *Link) preferred() *conn {
	var best *conn
	for _, c := range l.conns {
		if !c.retired && (best == nil || c.over(best)) {
			best = c
		}
	}
	return best
}

// over tells whether c is preferred to o. Both sides come to the same answer:
// the connections that the lower identity dialled are over the others, and of
// those of one dialler the later is over the earlier.
func (c *conn) over(o *conn) bool {
	lower := c.node.self.Compare(c.peer) < 0
	if c.dialled != o.dialled {
		return c.dialled == lower
	}
	return c.sequence > o.sequence
}

// settle retires all connections but the preferred. The node is locked.
func (l *Link) settle() {
	best := l.preferred()
	if best == nil {
		return
	}
	l.last = best
	for _, c := range l.conns {
		if c != best {
			c.retire()
		}
	}
}

// lost returns why there is no connection to open a stream on.
func (l *Link) lost() error {
	select {
	case <-l.node.finished:
		return ErrClosed
	default:
	}
	return &PeerError{l.peer, ErrLinkLost}
}
