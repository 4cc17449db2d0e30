package match

import (
	"context"
	"fmt"
	"io"

	"golang.org/x/sync/errgroup"

	"github.com/angler-dex/angler/internal/mesh"
	"github.com/angler-dex/angler/internal/spare"
)

// unreachableError says with which party a link could not be made.
type unreachableError struct {
	party int
	err   error
}

func (e *unreachableError) Error() string { return fmt.Sprintf("party %d: %v", e.party, e.err) }
func (e *unreachableError) Unwrap() error { return e.err }

// assemble gets a stream with every other party: the lower index opens it, so
// the requester opens all of its own.
func (m *session) assemble(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, m.provider.Patience.Meet)
	defer cancel()
	guests := make([]*guest, m.seat.Parties())
	m.spares = make(spares, m.seat.Parties())
	g, ctx := errgroup.WithContext(ctx)
	for party := range guests {
		if party == m.seat.Self {
			continue
		}
		g.Go(func() (err error) {
			if party < m.seat.Self {
				guests[party], err = m.await(ctx, party)
			} else {
				err = m.open(ctx, party)
			}
			if err != nil {
				return &unreachableError{party, err}
			}
			return nil
		})
	}
	err := g.Wait()
	for _, got := range guests {
		if got != nil {
			m.guests = append(m.guests, got)
		}
	}
	return err
}

// await waits for the stream of a party of a lower index.
func (m *session) await(ctx context.Context, party int) (*guest, error) {
	g, err := m.provider.meetings.await(ctx, m.seat.SID, m.seat.Peer(party))
	if err != nil {
		return nil, err
	}
	m.net.peers[party] = g.stream
	if err = g.claims(party); err == nil {
		m.spares[party], err = answerSet(ctx, g.stream, g.set, m.provider.Spares)
	}
	return g, err
}

// open dials a provider of a higher index at the addresses of its own record.
func (m *session) open(ctx context.Context, party int) error {
	link, err := m.provider.Mesh.Connect(ctx, m.seat.Peer(party), m.seat.Records[party-1].Addrs)
	if err != nil {
		return err
	}
	s, err := link.Open(ctx, KindSession)
	if err != nil {
		return err
	}
	m.net.peers[party] = s
	named, err := openSession(ctx, s, m.seat.SID, m.seat.Self, m.provider.Spares)
	if err != nil {
		return err
	}
	m.spares[party], err = agreed(ctx, s, named)
	return err
}

// leave ends every stream: in good order, so that what was written is still
// delivered, or at once.
func (m *session) leave(inGoodOrder bool) {
	if inGoodOrder {
		m.net.close()
	} else {
		m.net.reset()
	}
	for _, g := range m.guests {
		close(g.left)
	}
}

// sessionHeader is what opens a KindSession stream: the sid, the opener's party
// index and the spare set that it would use, zero for none.
const sessionHeader = 65

func writeSessionHeader(ctx context.Context, s *mesh.Stream, sid [32]byte, self int, set spare.ID) error {
	defer interrupt(ctx, s.SetWriteDeadline)()
	_, err := s.Write(append(append(sid[:], byte(self)), set[:]...))
	return err
}

func readSessionHeader(r io.Reader) (sid [32]byte, from int, set spare.ID, err error) {
	var h [sessionHeader]byte
	if _, err = io.ReadFull(r, h[:]); err != nil {
		return sid, 0, set, fmt.Errorf("session header: %w", err)
	}
	return [32]byte(h[:32]), int(h[32]), spare.ID(h[33:]), nil
}
