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
// It notices silence: when nothing has moved on any of the match's streams for
// the time that a match may be silent, it fails. Whom that is owed to behind
// tells: those who are the furthest behind, for the others wait for them too.
type network struct {
	peers   []*mesh.Stream
	silence time.Duration

	mu      sync.Mutex
	moved   time.Time // when a byte last went either way
	got     []int     // how many flights have come from each party
	decided bool      // nothing but our last flight is left to be sent

	flow flow // how fast flights came
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
		got: make([]int, parties), flow: flow{rates: make([]float64, parties)},
	}
}

// Send writes a chunk of a flight to a party, in order. Once the own result
// stands it no longer ends with its context: the last flight goes to whom it can.
func (n *network) Send(ctx context.Context, to int, chunk []byte) error {
	if n.isDecided() {
		var done context.CancelFunc
		ctx, done = context.WithTimeout(context.WithoutCancel(ctx), writeWithin)
		defer done()
	}
	s := n.peers[to]
	return n.move(ctx, chunk, s.Write, s.SetWriteDeadline, nil)
}

// Recv fills buf with the next flight from a party.
func (n *network) Recv(ctx context.Context, from int, buf []byte) error {
	s, began := n.peers[from], time.Time{}
	err := n.move(ctx, buf, s.Read, s.SetReadDeadline, func() {
		if began.IsZero() {
			began = time.Now()
		}
	})
	if err == nil {
		n.flow.arrived(from, len(buf), time.Since(began))
		n.arrived(from)
	}
	return err
}

// move reads or writes all of b, for as long as the match is not silent. some, if
// not nil, is told whenever a part of it has gone through.
func (n *network) move(ctx context.Context, b []byte, do func([]byte) (int, error), deadline func(time.Time) error, some func()) error {
	defer interrupt(ctx, deadline)()
	var until time.Time
	for len(b) > 0 {
		if p := n.patience(); p.Sub(until) > n.silence/8 { // one that comes too early does no harm
			_ = deadline(p)
			until = p
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		k, err := do(b)
		b = b[k:]
		n.progress(k)
		if k > 0 && some != nil {
			some()
		}
		switch {
		case err == nil || len(b) == 0:
		case ctx.Err() != nil:
			return ctx.Err()
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return fmt.Errorf("%w: %w", errLink, err)
		case n.isSilent():
			return fmt.Errorf("%w: %w", errLink, errSilent)
		default:
			until = time.Time{} // others have moved meanwhile
		}
	}
	return nil
}

// patience is when the match counts as silent, if nothing moves until then.
func (n *network) patience() time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.moved.Add(n.silence)
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

// behind names the party that has sent the fewest flights, a provider if there
// is one, and the flight that it owes. Every party sends to every other in the
// same flights but the last two, of which each gets one.
func (n *network) behind() (party, flight int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for j := len(n.peers) - 1; j >= 0; j-- {
		if n.peers[j] != nil && (flight == 0 || n.got[j]+1 < flight) {
			party, flight = j, n.got[j]+1
		}
	}
	return party, flight
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
