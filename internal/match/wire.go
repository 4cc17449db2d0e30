package match

import (
	"context"
	"time"

	"github.com/angler-dex/angler/internal/mesh"
	"github.com/angler-dex/angler/internal/wire"
)

// Limits of what is read from a peer, in bytes of a frame.
const (
	maxInvite = 4 << 10
	maxAnswer = 8 << 10
	maxRoster = 512 << 10 // 64 members with a record of at most 4 KiB each
	maxNotice = 16
	maxReport = 64
	maxLease  = 1 << 10
	maxReply  = 128 << 10 // a CA bundle and a token are the most of it
)

// within bounds everything that is read and written from now on.
func within(s *mesh.Stream, d time.Duration) {
	_ = s.SetDeadline(time.Now().Add(d)) // fails only on a stream that has ended, as the next call will
}

// anytime lifts all bounds.
func anytime(s *mesh.Stream) { _ = s.SetDeadline(time.Time{}) }

// send writes one message.
func send(s *mesh.Stream, v any) error { return s.WriteFrame(wire.Encode(v)) }

// sendWithin writes one message, and leaves no bound on writing behind.
func sendWithin(s *mesh.Stream, d time.Duration, v any) error {
	_ = s.SetWriteDeadline(time.Now().Add(d))
	defer func() { _ = s.SetWriteDeadline(time.Time{}) }()
	return send(s, v)
}

// receive reads one message of at most limit bytes.
func receive[T any](s *mesh.Stream, limit int, v *T) error {
	b, err := s.ReadFrame(limit)
	if err != nil {
		return err
	}
	return wire.Decode(b, limit, v)
}

// interrupt makes a read or write under way fail when ctx ends: a peer that
// says nothing cannot hold anybody beyond that. lift ends the watch.
func interrupt(ctx context.Context, deadline func(time.Time) error) (lift func() bool) {
	return context.AfterFunc(ctx, func() {
		_ = deadline(time.Unix(1, 0)) // long past; fails only on a stream that has ended
	})
}
