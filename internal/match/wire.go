package match

import (
	"time"

	"github.com/angler-dex/angler/internal/mesh"
	"github.com/angler-dex/angler/internal/wire"
)

// Limits of what is read from a peer, in bytes of a frame.
const (
	maxInvite = 4 << 10
	maxAnswer = 8 << 10
	maxRoster = 512 << 10 // 64 members with a record of at most 4 KiB each
	maxReport = 64
	maxLease  = 1 << 10
	maxReply  = 128 << 10 // a CA bundle and a token are the most of it
)

// within bounds everything that is read and written from now on; 0 lifts the
// bound.
func within(s *mesh.Stream, d time.Duration) {
	var at time.Time
	if d > 0 {
		at = time.Now().Add(d)
	}
	_ = s.SetDeadline(at) // fails only on a stream that has ended, as the next call will
}

func send(s *mesh.Stream, v any) error { return s.WriteFrame(wire.Encode(v)) }

func receive[T any](s *mesh.Stream, limit int, v *T) error {
	b, err := s.ReadFrame(limit)
	if err != nil {
		return err
	}
	return wire.Decode(b, limit, v)
}
