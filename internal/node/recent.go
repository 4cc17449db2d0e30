package node

import (
	"slices"
	"sync"

	"github.com/angler-dex/angler/internal/match"
)

// kept is how many matches status shows.
const kept = 64

// recent remembers the last matches, newest first, for the operator's eyes. It
// is memory only: what must last is in the ledger.
type recent struct {
	mu   sync.Mutex
	seen []match.Seen
	won  int
	lost int
	over int // aborted
}

func newRecent() *recent { return &recent{} }

func (r *recent) add(s match.Seen) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case s.Aborted != "":
		r.over++
	case s.Won:
		r.won++
	default:
		r.lost++
	}
	r.seen = slices.Insert(r.seen, 0, s)
	r.seen = r.seen[:min(kept, len(r.seen))]
}

func (r *recent) list() []match.Seen {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.seen)
}

// counts is how many matches ended how since the start.
func (r *recent) counts() (won, lost, aborted int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.won, r.lost, r.over
}
