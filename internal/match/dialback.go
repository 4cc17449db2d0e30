package match

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/mesh"
)

// KindDialBack asks a peer whether it can reach who asks, where its signed record
// says that it can be reached:
//
//	▶ signed record   ◀ 1 byte: 1 if that identity answers at one of its addresses, else 0
//
// An announcement in the DHT carries a port, and whatever address its packet
// seems to come from: behind a NAT neither may be one that others can dial. So a
// provider announces itself once somebody else has reached it, from a socket that
// it has never heard of: a NAT lets those in to whom something was sent. One that
// goes by their addresses alone and not by their ports lets that socket in too,
// and is not told from none.
const KindDialBack mesh.Kind = 7

// backWithin is how long all addresses of a record may take to answer.
const backWithin = 5 * time.Second

// Backer dials back who asks for it: certified operators of its pool, not too
// often, at the addresses of their own signed records, within bounds (see knocks).
type Backer struct {
	Pool *identity.Pool // nil: an open market, in which anybody may ask
	Mesh *mesh.Node
	Now  func() time.Time
	Log  *slog.Logger
	// Within is how long all addresses of a record may take to answer; 0: 5 s.
	Within time.Duration

	knocks knocks
}

// Serve answers one stream of KindDialBack.
func (b *Backer) Serve(ctx context.Context, s *mesh.Stream) {
	within(s, readWithin)
	raw, err := s.ReadFrame(identity.MaxRecord)
	if err != nil {
		s.Reset()
		return
	}
	rec, err := checkRecord(raw, s.Peer(), b.Pool, b.Now())
	if err != nil {
		s.Reset()
		return
	}
	k, ok := b.knocks.admit(rec, s.Addr().Addr(), b.Pool != nil, b.Now())
	if !ok {
		s.Reset()
		return
	}
	defer b.knocks.done()
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(b.Within, backWithin))
	defer cancel()
	answer := []byte{1}
	if err = b.Mesh.Probe(ctx, rec.ID, k.at); err != nil {
		if k.some { // it may well be where we did not knock
			s.Reset()
			return
		}
		answer[0] = 0
	}
	within(s, writeWithin)
	if err := s.WriteFrame(answer); err != nil {
		b.Log.Debug("not told whether it was reached", "peer", s.Peer().Short(), "err", err)
	}
}

// ErrUnreachable says that a peer could not reach us at any address of our
// record.
var ErrUnreachable = errors.New("nobody answers as us at the addresses that we advertise")

// DialBack asks the peer of a link to reach us where our signed record says. The
// error wraps ErrUnreachable if it tried and could not; any other says that it
// did not try, or not everywhere.
func DialBack(ctx context.Context, link Opener, record []byte) error {
	s, err := link.Open(ctx, KindDialBack)
	if err != nil {
		return err
	}
	defer s.Close()
	defer s.Bind(ctx)()
	if err = s.WriteFrame(record); err != nil {
		return err
	}
	answer, err := s.ReadFrame(1)
	switch {
	case err != nil:
		return err
	case len(answer) != 1:
		return fmt.Errorf("dial back: an answer of %d bytes", len(answer))
	case answer[0] == 0:
		return ErrUnreachable
	}
	return nil
}
