package requester

import (
	"io"
	"log/slog"
	"net/netip"
	"time"

	"github.com/angler-dex/angler/internal/coord"
	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match"
	"github.com/angler-dex/angler/internal/mesh"
	"github.com/angler-dex/angler/internal/spare"
)

// Client makes requests under one identity. Its methods may be used at once.
type Client struct {
	Key        *identity.Key
	Mesh       *mesh.Node
	Finder     Finder
	Pool       *identity.Pool       // nil: open market
	Membership *identity.Membership // nil outside a pool
	Store      *Store
	Spares     *spare.Store // sets for matches with those that it has met; nil: none are kept
	Space      *coord.Space // where we are among the providers; nil: nowhere
	Book       *Book        // where providers were met; nil: nothing is remembered
	Pace       *Pace        // how long matches take; nil: as on the machine of the model
	Reputation *Reputation  // how providers keep their word; nil: nothing is noted
	Rand       io.Reader
	Now        func() time.Time
	Log        *slog.Logger // nil discards
	Progress   func(Event)  // may be nil; one call at a time for each request

	// Holder stands in the file of each lease that is won, from the first, for who
	// has to find its leases again, whatever happens to its process.
	Holder string

	// Won is told of a lease before it is stored, for who keeps something with it
	// without which it is of no use; an error gives it up. May be nil.
	Won func(market.LeaseID) error

	Patience match.Patience // with providers; zero fields are defaults
}

// Phase names how far a request is.
type Phase string

// The phases of a request, in order. A rerun begins again at Invited.
const (
	Discovered Phase = "discovered"           // Done providers so far
	Unusable   Phase = "unusable"             // nobody at Addr is of use, for Err
	Unsearched Phase = "unsearched"           // the search has failed for Err; those found before are enough
	Chosen     Phase = "chosen"               // Done of Of fit into the time; Predicted says how long the match will take
	Invited          = Phase(match.Invited)   // Done of Of accepted
	Connected        = Phase(match.Connected) // all parties to each other
	Decided          = Phase(match.Decided)
	Timed      Phase = "timed"   // it Took so long, Predicted so long
	Drawn      Phase = "drawn"   // who spoilt a match cannot be told; the rerun is among Done of Of, by lot
	Dropped    Phase = "dropped" // Done providers are left out of the rerun
	Claimed    Phase = "claimed" // waiting for the namespace
	Confirmed  Phase = "confirmed"
)

// Event is one step of a request, for whoever draws progress. It says nothing
// of quantities and prices.
type Event struct {
	Phase    Phase
	Done, Of int

	Predicted, Took time.Duration

	Addr netip.AddrPort
	Err  error
}

func (c *Client) progress(e Event) {
	if c.Progress != nil {
		c.Progress(e)
	}
}

func (c *Client) log() *slog.Logger {
	if c.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return c.Log
}

// seeker is this client as party 0 of matches.
func (c *Client) seeker() (*match.Seeker, error) {
	s := &match.Seeker{Key: c.Key, Pool: c.Pool, Spares: c.Spares, Rand: c.Rand, Now: c.Now, Patience: c.Patience}
	if c.Membership != nil {
		raw, err := c.Membership.Encode()
		if err != nil {
			return nil, err
		}
		s.Membership = raw
	}
	return s, nil
}

// step passes on how far a match is.
func (c *Client) step(st match.Step) {
	c.progress(Event{Phase: Phase(st.Phase), Done: st.Done, Of: st.Of})
}
