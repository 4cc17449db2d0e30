package match

import (
	"context"
	"errors"

	"github.com/angler-dex/angler/internal/mesh"
)

// listener reads one provider's reports until it says how its match ended, or
// its stream breaks.
type listener struct {
	*mesh.Stream
	ready chan struct{} // closed when the provider is connected to all others
	ended chan struct{} // closed when nothing more will come
	final Report        // after ended; zero if the stream broke before
}

var errNotReady = errors.New("provider is not ready")

func listen(s *mesh.Stream) *listener {
	l := &listener{Stream: s, ready: make(chan struct{}), ended: make(chan struct{})}
	go l.loop() // ends with the stream, which close ends
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
		if r.State > Ready && r.State <= Finished {
			l.final = r
		}
		return
	}
}

func (l *listener) awaitReady(ctx context.Context) error {
	select {
	case <-l.ready:
		return nil
	case <-l.ended:
		return errNotReady
	case <-ctx.Done():
		return ctx.Err()
	}
}

// awaitEnd waits until the provider has said how it ended, or ctx ends.
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
