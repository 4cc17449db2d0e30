package match

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/angler-dex/angler/internal/mesh"
)

// control is a provider's end of the stream that its match was set up on. While
// the match runs it listens there for the requester, who may give up.
type control struct {
	*mesh.Stream
	over chan struct{} // closed when the requester has nothing more to say
}

// Why a match ends from outside.
var (
	errStopped  = errors.New("stopped by the requester")
	errDeserted = errors.New("the requester has left")
)

// heed begins to listen. cancel ends the match when the requester stops it or
// is gone; if the requester has closed its side in good order, it has its result
// and the match goes on to its end. The caller must call ignore.
func heed(s *mesh.Stream, cancel context.CancelCauseFunc) *control {
	c := &control{Stream: s, over: make(chan struct{})}
	anytime(s)
	go c.listen(cancel) // ends with ignore
	return c
}

func (c *control) listen(cancel context.CancelCauseFunc) {
	defer close(c.over)
	var n Notice
	err := receive(c.Stream, maxNotice, &n)
	if err == nil && n.Stop {
		cancel(errStopped)
		err = receive(c.Stream, maxNotice, &n) // waits for the end
	}
	if !errors.Is(err, io.EOF) {
		cancel(errDeserted)
	}
}

// linger waits until the requester has closed its side, but no longer than d.
func (c *control) linger(ctx context.Context, d time.Duration) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), d)
	defer cancel()
	select {
	case <-c.over:
	case <-ctx.Done():
	}
}

// ignore stops listening.
func (c *control) ignore() {
	_ = c.SetReadDeadline(time.Unix(1, 0)) // long past; fails only on a stream that has ended
	<-c.over
}
