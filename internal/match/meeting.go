package match

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/mesh"
	"github.com/angler-dex/angler/internal/spare"
)

// meetings pairs session streams with the matches that wait for them. A stream
// may arrive before its match: the peer got its roster earlier. It is then
// parked for a short while, at most maxParked a peer.
type meetings struct {
	mu     sync.Mutex
	rooms  map[meeting]*room
	parked map[identity.PeerID]int
}

type meeting struct {
	sid  [32]byte
	peer identity.PeerID
}

// room is where one arriving stream and one waiting match meet.
type room struct {
	arrive chan *guest
	users  int
}

// guest is a stream in the care of its handler, which returns when the match
// has left it.
type guest struct {
	stream *mesh.Stream
	party  int
	set    spare.ID // that the opener names
	left   chan struct{}
}

// claims checks that the stream's opener says to be the party that its identity
// has in the roster.
func (g *guest) claims(party int) error {
	if g.party != party {
		return errParty
	}
	return nil
}

var errParty = errors.New("stream is opened for another party")

// Bounds on streams that wait for their match: how many a peer may have, and
// for how long.
const (
	maxParked = 16
	parkFor   = 10 * time.Second
)

func newMeetings() *meetings {
	return &meetings{rooms: map[meeting]*room{}, parked: map[identity.PeerID]int{}}
}

// enter and leave count those who use a room, so that it goes with the last.
func (m *meetings) enter(at meeting) *room {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.rooms[at]
	if r == nil {
		r = &room{arrive: make(chan *guest)}
		m.rooms[at] = r
	}
	r.users++
	return r
}

func (m *meetings) leave(at meeting) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.rooms[at]
	if r.users--; r.users == 0 {
		delete(m.rooms, at)
	}
}

// park counts a stream that waits for its match; false: its peer has too many.
func (m *meetings) park(peer identity.PeerID, delta int) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.parked[peer] + delta
	if n > maxParked {
		return false
	}
	if m.parked[peer] = n; n == 0 {
		delete(m.parked, peer)
	}
	return true
}

// serve is the handler of KindSession: it reads the header, brings the stream
// to its match and stays until the match has left it.
func (m *meetings) serve(ctx context.Context, s *mesh.Stream) {
	if !m.park(s.Peer(), 1) {
		s.Reset()
		return
	}
	g, ok := m.introduce(ctx, s)
	m.park(s.Peer(), -1) // never refused
	if !ok {
		s.Reset()
		return
	}
	select {
	case <-g.left:
	case <-ctx.Done():
		s.Reset()
	}
}

// introduce reads who comes for which match and brings both together; false if
// no match came to want it.
func (m *meetings) introduce(ctx context.Context, s *mesh.Stream) (*guest, bool) {
	within(s, parkFor)
	sid, from, set, err := readSessionHeader(s)
	if err != nil {
		return nil, false
	}
	anytime(s)
	at := meeting{sid, s.Peer()}
	r := m.enter(at)
	defer m.leave(at)
	ctx, cancel := context.WithTimeout(ctx, parkFor)
	defer cancel()
	g := &guest{stream: s, party: from, set: set, left: make(chan struct{})}
	select {
	case r.arrive <- g:
		return g, true
	case <-ctx.Done():
		return nil, false
	}
}

// await returns the stream that peer opens for sid. The caller closes g.left
// when it is done with it.
func (m *meetings) await(ctx context.Context, sid [32]byte, peer identity.PeerID) (*guest, error) {
	at := meeting{sid, peer}
	r := m.enter(at)
	defer m.leave(at)
	select {
	case g := <-r.arrive:
		return g, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
