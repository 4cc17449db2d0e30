package mesh

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/angler-dex/angler/internal/identity"
)

// Stream is an ordered byte stream to a peer and back. One goroutine may read
// while another writes. Errors that are the peer's or the network's fault are
// [PeerError]s; a deadline is os.ErrDeadlineExceeded.
type Stream struct {
	conn  *conn
	quic  *quic.Stream
	kind  Kind
	ours  bool // opened here
	ended sync.Once
}

// Peer returns who is at the other end.
func (s *Stream) Peer() identity.PeerID { return s.conn.peer }

// Addr returns the peer's address as seen from here; the handshake has proven
// that the peer receives what is sent there.
func (s *Stream) Addr() netip.AddrPort { return s.conn.addr }

// Link returns the link that the stream belongs to.
func (s *Stream) Link() *Link {
	s.conn.node.mu.Lock()
	defer s.conn.node.mu.Unlock()
	return s.conn.link
}

// Kind returns what the stream is for.
func (s *Stream) Kind() Kind { return s.kind }

// Read reads what has arrived, at least a byte. It is io.EOF once the peer has
// ended its side and everything has been read.
func (s *Stream) Read(p []byte) (int, error) {
	n, err := s.quic.Read(p)
	return n, s.conn.fault(err)
}

// Write writes all of p, waiting for the peer to make room. That it returns
// does not mean that the peer has received anything.
func (s *Stream) Write(p []byte) (int, error) {
	n, err := s.quic.Write(p)
	return n, s.conn.fault(err)
}

// SetDeadline bounds all reads and writes, also those under way; zero is never.
func (s *Stream) SetDeadline(t time.Time) error { return s.quic.SetDeadline(t) }

// SetReadDeadline bounds reads; zero is never.
func (s *Stream) SetReadDeadline(t time.Time) error { return s.quic.SetReadDeadline(t) }

// SetWriteDeadline bounds writes; zero is never.
func (s *Stream) SetWriteDeadline(t time.Time) error { return s.quic.SetWriteDeadline(t) }

// CloseWrite ends this side: the peer reads io.EOF after what was written. It
// must not be called while a Write is under way.
func (s *Stream) CloseWrite() error { return s.conn.fault(s.quic.Close()) }

// Close ends the stream: what was written is still delivered, what was not read
// is dropped and stops the peer's writing. Whoever opened a stream must Close
// or Reset it; a handler's stream is closed when the handler returns. It must
// not be called while a Write is under way.
func (s *Stream) Close() error {
	s.quic.CancelRead(streamEnded)
	err := s.CloseWrite()
	s.release()
	return err
}

// Reset cuts the stream in both directions: reads and writes under way fail, at
// both ends, with ErrReset, and what is in flight is dropped. It can be called
// at any time, by any goroutine, also after Close, whose data it cuts as well.
func (s *Stream) Reset() {
	s.quic.CancelRead(streamReset)
	s.quic.CancelWrite(streamReset)
	s.release()
}

// Bind resets the stream when ctx ends, unless stop is called before; stop is
// false if that came too late.
func (s *Stream) Bind(ctx context.Context) (stop func() bool) {
	return context.AfterFunc(ctx, s.Reset)
}

// Exporter returns 32 bytes that only the two ends of the stream's connection
// know (RFC 8446, section 7.5), the same at both, for the label.
func (s *Stream) Exporter(label string) ([]byte, error) {
	state := s.conn.quic.ConnectionState().TLS
	return state.ExportKeyingMaterial(label, nil, 32)
}

// finish closes a stream whose handler has returned.
func (s *Stream) finish() {
	s.quic.CancelRead(streamEnded)
	if err := s.quic.Close(); err != nil {
		return // reset before, by either side: there is nothing to end
	}
}

// release says once that a stream that was opened here has ended; for the
// peer's that is the return of the handler.
func (s *Stream) release() {
	if s.ours {
		s.ended.Do(func() { s.conn.streamEnded() })
	}
}
