package match

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/angler-dex/angler/internal/mesh"
)

// listener is a requester's end of the stream on which it invited a provider.
// It reads the provider's reports until that says how its match ended, or the
// stream breaks.
type listener struct {
	*mesh.Stream
	ready chan struct{} // closed when the provider is connected to all others
	ended chan struct{} // closed when nothing more will come
	final Report        // after ended; zero if the stream broke before
}

var errNotReady = errors.New("provider is not ready")

// listen begins to read; close ends it.
func listen(s *mesh.Stream) *listener {
	l := &listener{Stream: s, ready: make(chan struct{}), ended: make(chan struct{})}
	go l.loop()
	return l
}

func (l *listener) loop() {
	defer close(l.ended)
	for isReady := false; ; isReady = true {
		var r Report
		if receive(l.Stream, maxReport, &r) != nil {
			return
		}
		if r.State == Ready && !isReady {
			close(l.ready)
			continue
		}
		if r.State > Ready && r.State <= Withdrawn {
			l.final = r
		}
		return
	}
}

// tell sends the provider a message, also after one that was interrupted.
func (l *listener) tell(ctx context.Context, v any) error {
	_ = l.SetWriteDeadline(time.Time{}) // fails only on a stream that has ended
	defer interrupt(ctx, l.SetWriteDeadline)()
	return send(l.Stream, v)
}

// awaitReady waits until the provider is connected to all others.
func (l *listener) awaitReady(ctx context.Context) error {
	select {
	case <-l.ready:
		return nil
	case <-l.ended:
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", errNotReady, ctx.Err())
	}
	select {
	case <-l.ready: // and over already
		return nil
	default:
		return errNotReady
	}
}

// awaitEnd waits until the provider has said how it ended, or ctx ends; false
// if it has not said so.
func (l *listener) awaitEnd(ctx context.Context) (Report, bool) {
	select {
	case <-l.ended:
		return l.final, l.final.State != 0
	case <-ctx.Done():
		return Report{}, false
	}
}

// close ends the stream and waits for the loop.
func (l *listener) close() {
	_ = l.Close() // fails only if the peer is gone
	<-l.ended
}
