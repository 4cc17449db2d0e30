package match

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
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
// provider announces itself once somebody else has reached it.
const KindDialBack mesh.Kind = 7

// Bounds of dialling back. A stranger could otherwise have us knock at addresses
// of its choice.
const (
	backWithin  = 5 * time.Second
	backPause   = 10 * time.Second // between two times for one peer
	backAtOnce  = 4
	maxBackings = 1024 // peers that are remembered
)

// Backer dials back who asks for it: certified operators of its pool, not too
// often, at the addresses of their own signed records.
type Backer struct {
	Pool *identity.Pool // nil: an open market, in which anybody may ask
	Mesh *mesh.Node
	Now  func() time.Time
	Log  *slog.Logger
	// Within is how long all addresses of a record may take to answer; 0: 5 s.
	Within time.Duration

	mu   sync.Mutex
	last map[identity.PeerID]time.Time
	busy int
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
	if err != nil || !b.admit(s.Peer()) {
		s.Reset()
		return
	}
	defer b.done()
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(b.Within, backWithin))
	defer cancel()
	answer := []byte{0}
	if reached(ctx, b.Mesh, rec) {
		answer[0] = 1
	}
	within(s, writeWithin)
	if err := s.WriteFrame(answer); err != nil {
		b.Log.Debug("not told whether it was reached", "peer", s.Peer().Short(), "err", err)
	}
}

// admit takes one of the few places, unless the peer had one a moment ago.
func (b *Backer) admit(peer identity.PeerID) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.Now()
	if b.busy == backAtOnce || now.Sub(b.last[peer]).Abs() < backPause {
		return false
	}
	if b.last == nil || len(b.last) == maxBackings {
		b.last = map[identity.PeerID]time.Time{} // forgetting all costs one early answer each
	}
	b.last[peer] = now
	b.busy++
	return true
}

func (b *Backer) done() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.busy--
}

// reached says whether a record's owner answers at one of its addresses. Each is
// tried by a handshake of its own, whatever links there are, which leaves no link
// behind: who asks chooses the addresses.
func reached(ctx context.Context, node *mesh.Node, rec identity.Record) bool {
	ctx, cancel := context.WithCancel(ctx)
	var tries sync.WaitGroup
	defer tries.Wait()
	defer cancel()
	answered := make(chan bool, len(rec.Addrs))
	for _, at := range rec.Addrs {
		tries.Go(func() { answered <- node.Probe(ctx, rec.ID, at) == nil })
	}
	for range rec.Addrs {
		if <-answered {
			return true
		}
	}
	return false
}

// ErrUnreachable says that a peer could not reach us at any address of our
// record.
var ErrUnreachable = errors.New("nobody answers as us at the addresses that we advertise")

// DialBack asks the peer of a link to reach us where our signed record says. The
// error wraps ErrUnreachable if it tried and could not; any other says that it
// did not try.
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
