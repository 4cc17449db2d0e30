package mesh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/quic-go/quic-go"

	"github.com/angler-dex/angler/internal/identity"
)

// Faults that a caller may want to tell apart. Those of a peer or of the way to
// it come wrapped in a [PeerError].
var (
	// ErrClosed: this node is not running any more.
	ErrClosed = errors.New("mesh node is closed")
	// ErrSelf: the address or the identity is that of this node.
	ErrSelf = errors.New("that is this node's own identity")
	// ErrNoAddress: there is no link to the peer and no address to dial.
	ErrNoAddress = errors.New("no link, and no address to dial")
	// ErrUnreachable: nobody completed a handshake at the address.
	ErrUnreachable = errors.New("unreachable")
	// ErrWrongPeer: somebody else answered at the address.
	ErrWrongPeer = errors.New("another peer answers at this address")
	// ErrRefused: the peer does not admit this identity.
	ErrRefused = errors.New("refused by the peer")
	// ErrBusy: one of the two ends has as many links as it allows.
	ErrBusy = errors.New("no room for another link")
	// ErrLinkLost: the link ended: closed by either end, or silent for too long.
	ErrLinkLost = errors.New("link lost")
	// ErrReset: the stream was reset, by the peer or here.
	ErrReset = errors.New("stream reset")
	// ErrUnknownKind: the peer has no handler for the stream's kind.
	ErrUnknownKind = errors.New("the peer does not know this kind of stream")
	// ErrFrameTooLarge: a frame is longer than the reader allows.
	ErrFrameTooLarge = errors.New("frame too large")
	// ErrGarbage: the peer broke the protocol of this package.
	ErrGarbage = errors.New("the peer sent garbage")
)

// PeerError is a fault of a peer, or of the way to it, as opposed to one of this
// node. Err wraps one of the errors above.
type PeerError struct {
	// Peer is who it was; zero if nobody had been proven yet.
	Peer identity.PeerID
	Err  error
}

// Error names the peer and the fault.
func (e *PeerError) Error() string {
	if e.Peer.IsZero() {
		return e.Err.Error()
	}
	return fmt.Sprintf("peer %s: %s", e.Peer.Short(), e.Err)
}

// Unwrap returns Err.
func (e *PeerError) Unwrap() error { return e.Err }

// Why a connection is closed: QUIC application error codes.
const (
	codeClosed  quic.ApplicationErrorCode = 0 // a link or a node was closed
	codeDrained quic.ApplicationErrorCode = 1 // the connection had retired
	codeRefused quic.ApplicationErrorCode = 2 // not admitted
	codeBusy    quic.ApplicationErrorCode = 3 // no room
	codeGarbage quic.ApplicationErrorCode = 4 // the peer broke the protocol
)

// Why a stream is cut: QUIC stream error codes.
const (
	streamEnded   quic.StreamErrorCode = 0 // the reader needs no more
	streamReset   quic.StreamErrorCode = 1
	streamUnknown quic.StreamErrorCode = 2 // no handler for the kind
)

// fault puts an error of a stream or a connection to peer into this package's
// words. What the caller asked for itself (a deadline, a cancelled context) and
// io.EOF stay what they are.
func fault(peer identity.PeerID, err error) error {
	if err == nil || err == io.EOF { //nolint:errorlint // readers compare io.EOF with ==
		return err
	}
	if cut, ok := errors.AsType[*quic.StreamError](err); ok {
		switch {
		case !cut.Remote:
			return fmt.Errorf("%w here", ErrReset)
		case cut.ErrorCode == streamUnknown:
			return &PeerError{peer, ErrUnknownKind}
		default:
			return &PeerError{peer, ErrReset}
		}
	}
	if closed, ok := errors.AsType[*quic.ApplicationError](err); ok {
		return closedFault(peer, closed)
	}
	if errors.Is(err, quic.ErrTransportClosed) {
		return ErrClosed
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	return &PeerError{peer, fmt.Errorf("%w: %w", ErrLinkLost, err)}
}

// closedFault is fault for a connection that one of the ends closed.
func closedFault(peer identity.PeerID, closed *quic.ApplicationError) error {
	switch {
	case closed.ErrorCode == codeRefused && closed.Remote:
		return &PeerError{peer, ErrRefused}
	case closed.ErrorCode == codeBusy && closed.Remote:
		return &PeerError{peer, ErrBusy}
	case closed.ErrorCode == codeGarbage && !closed.Remote:
		return &PeerError{peer, ErrGarbage}
	case closed.Remote:
		return &PeerError{peer, fmt.Errorf("%w: closed by the peer", ErrLinkLost)}
	default:
		return fmt.Errorf("%w: closed here", ErrLinkLost)
	}
}

// dialFault puts the error of a handshake into this package's words.
func dialFault(err error) error {
	if errors.Is(err, ErrWrongPeer) || errors.Is(err, ErrSelf) {
		return err
	}
	if refused, ok := errors.AsType[*quic.TransportError](err); ok && refused.Remote {
		if refused.ErrorCode == quic.ConnectionRefused {
			return ErrBusy
		}
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if errors.Is(err, quic.ErrTransportClosed) {
		return ErrClosed
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrUnreachable, err)
}
