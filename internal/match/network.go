package match

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/angler-dex/angler/internal/mesh"
)

// network carries the flights of one match: one stream a peer, by party index,
// nil at the own place. It is the mpc.Network of this system. Frames within a
// stream need no lengths: both ends know them from the roster.
//
// It notices silence. When nothing has moved on any of the match's streams for
// the time that a match may be silent, those parties are at fault that are the
// furthest behind, and only they: the others wait for them as we do.
type network struct {
	peers   []*mesh.Stream
	silence time.Duration

	mu      sync.Mutex
	moved   time.Time // when a byte last went either way
	got     []int     // how many flights have come from each party
	lost    []bool    // sending to it has failed
	decided bool      // nothing but our last flight is left to be sent
}

// Faults of the way to a party, as opposed to what came over it. A silent party
// is one whose link may be well.
var (
	errLink   = errors.New("link")
	errSilent = errors.New("silent")
)

func newNetwork(parties int, silence time.Duration) *network {
	return &network{
		peers: make([]*mesh.Stream, parties), silence: silence, moved: time.Now(),
		got: make([]int, parties), lost: make([]bool, parties),
	}
}

// Send writes a chunk of a flight to a party, in order. It fails with its
// context only: a party that cannot be reached is noticed by what does not come
// from it, and until then the others get what they are owed. That matters most
// in the last flight, after which nothing needs to come.
func (n *network) Send(ctx context.Context, to int, chunk []byte) error {
	if n.isDecided() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), writeWithin)
		defer cancel()
	}
	s := n.peers[to]
	defer interrupt(ctx, s.SetWriteDeadline)()
	for len(chunk) > 0 && !n.isLost(to) {
		_ = s.SetWriteDeadline(n.patience())
		if ctx.Err() != nil {
			n.lose(to)
			break
		}
		k, err := s.Write(chunk)
		chunk = chunk[k:]
		n.progress(k)
		switch {
		case err == nil:
		case errors.Is(err, os.ErrDeadlineExceeded) && !n.isSilent(): // look again
		default:
			n.lose(to)
		}
	}
	if n.isDecided() {
		return nil
	}
	return ctx.Err()
}

// Recv fills buf with the next flight from a party.
func (n *network) Recv(ctx context.Context, from int, buf []byte) error {
	s := n.peers[from]
	defer interrupt(ctx, s.SetReadDeadline)()
	for len(buf) > 0 {
		_ = s.SetReadDeadline(n.patience())
		if ctx.Err() != nil {
			return ctx.Err()
		}
		k, err := s.Read(buf)
		buf = buf[k:]
		n.progress(k)
		switch {
		case err == nil || len(buf) == 0:
		case ctx.Err() != nil:
			return ctx.Err()
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return fmt.Errorf("%w: %w", errLink, err)
		case n.isSilent() && n.isBehind(from):
			return fmt.Errorf("%w: %w", errLink, errSilent)
		}
	}
	n.arrived(from)
	return nil
}

// patience is when to look next whether the match has gone silent.
func (n *network) patience() time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	if at := n.moved.Add(n.silence); at.After(now) {
		return at
	}
	return now.Add(n.silence) // silent, and somebody else's fault
}

func (n *network) progress(bytes int) {
	if bytes > 0 {
		n.mu.Lock()
		n.moved = time.Now()
		n.mu.Unlock()
	}
}

// isSilent tells whether nothing has moved for as long as may be.
func (n *network) isSilent() bool { return n.quiet() >= n.silence }

// quiet is for how long nothing has moved.
func (n *network) quiet() time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	return time.Since(n.moved)
}

func (n *network) arrived(from int) {
	n.mu.Lock()
	n.got[from]++
	n.mu.Unlock()
}

func (n *network) isBehind(party int) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	_, least := n.last()
	return n.got[party] == least
}

// behind names a party that is the furthest behind, a provider if there is one,
// and the flight that it owes.
func (n *network) behind() (party, flight int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	party, least := n.last()
	return party, least + 1
}

// last is who has sent the fewest flights, and how many. Every party sends to
// every other in the same flights but the last two, of which it gets one.
func (n *network) last() (party, flights int) {
	party = -1
	for j := len(n.peers) - 1; j >= 0; j-- {
		if n.peers[j] != nil && (party < 0 || n.got[j] < flights) {
			party, flights = j, n.got[j]
		}
	}
	return max(party, 0), flights
}

func (n *network) lose(party int) {
	n.mu.Lock()
	n.lost[party] = true
	n.mu.Unlock()
}

func (n *network) isLost(party int) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.lost[party]
}

// decide says that the own result stands: what is sent from now on, the last
// flight, goes to whom it can, whatever becomes of the match's context.
func (n *network) decide() {
	n.mu.Lock()
	n.decided = true
	n.mu.Unlock()
}

func (n *network) isDecided() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.decided
}

// reset ends all streams at once: what is in flight is dropped.
func (n *network) reset() {
	for _, s := range n.peers {
		if s != nil {
			s.Reset()
		}
	}
}

// close ends all streams in good order: what was written is still delivered.
func (n *network) close() {
	for _, s := range n.peers {
		if s != nil {
			_ = s.Close() // fails only if the peer is gone
		}
	}
}
