package match

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/angler-dex/angler/internal/mesh"
)

// streams carries the flights of one match: one stream a peer, by party index,
// nil at the own place. It is the mpc.Network of this system. Frames within a
// stream need no lengths: both ends know them from the roster.
type streams []*mesh.Stream

// errLink marks a failure of the link to a party, as opposed to what came over it.
var errLink = errors.New("link")

// Send writes a chunk of a flight to a party, in order.
func (n streams) Send(ctx context.Context, to int, chunk []byte) error {
	defer interrupt(ctx, n[to].SetWriteDeadline)()
	if _, err := n[to].Write(chunk); err != nil {
		return fmt.Errorf("%w: %w", errLink, err)
	}
	return nil
}

// Recv fills buf with the next bytes from a party.
func (n streams) Recv(ctx context.Context, from int, buf []byte) error {
	defer interrupt(ctx, n[from].SetReadDeadline)()
	if _, err := io.ReadFull(n[from], buf); err != nil {
		return fmt.Errorf("%w: %w", errLink, err)
	}
	return nil
}

// interrupt makes a read or write under way fail when ctx ends, and no later
// than that: a peer that says nothing cannot block a match beyond its deadline.
func interrupt(ctx context.Context, deadline func(time.Time) error) (lift func() bool) {
	return context.AfterFunc(ctx, func() {
		_ = deadline(time.Now()) // fails only on a stream that has ended
	})
}

// reset ends all streams at once: what is in flight is dropped, and the others
// learn that this party gave up.
func (n streams) reset() {
	for _, s := range n {
		if s != nil {
			s.Reset()
		}
	}
}

// close ends all streams in good order: what was written is still delivered.
func (n streams) close() {
	for _, s := range n {
		if s != nil {
			_ = s.Close() // fails only if the peer is gone
		}
	}
}

// sessionHeader is what opens a KindSession stream: the sid and the opener's
// party index.
const sessionHeader = 33

func writeSessionHeader(s *mesh.Stream, sid [32]byte, self int) error {
	_, err := s.Write(append(sid[:], byte(self)))
	return err
}

func readSessionHeader(s *mesh.Stream) (sid [32]byte, from int, err error) {
	var h [sessionHeader]byte
	if _, err = io.ReadFull(s, h[:]); err != nil {
		return sid, 0, fmt.Errorf("session header: %w", err)
	}
	return [32]byte(h[:32]), int(h[32]), nil
}
