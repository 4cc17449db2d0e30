package match

import (
	"cmp"
	"time"
)

// Patience is how long one waits for others before going on without them. Zero
// fields are the defaults, which suit links across a continent.
type Patience struct {
	Connect time.Duration // requester: for a link to a provider, and its record (3 s)
	Slot    time.Duration // provider: an invitation, for a place among the matches (2 s)
	Answer  time.Duration // requester: for answers to invitations (5 s)
	Roster  time.Duration // provider: for the roster, after accepting (10 s)
	Meet    time.Duration // provider: for connections with all other parties (10 s)
	Ready   time.Duration // requester: for all providers to be connected (15 s)
	Silence time.Duration // both: while nothing moves on any stream of the match (15 s)
	Report  time.Duration // both: for the last words after a match that failed (5 s)
}

// WithDefaults replaces each zero.
func (p Patience) WithDefaults() Patience {
	return Patience{
		Connect: cmp.Or(p.Connect, 3*time.Second),
		Slot:    cmp.Or(p.Slot, 2*time.Second),
		Answer:  cmp.Or(p.Answer, 5*time.Second),
		Roster:  cmp.Or(p.Roster, 10*time.Second),
		Meet:    cmp.Or(p.Meet, 10*time.Second),
		Ready:   cmp.Or(p.Ready, 15*time.Second),
		Silence: cmp.Or(p.Silence, 15*time.Second),
		Report:  cmp.Or(p.Report, 5*time.Second),
	}
}
