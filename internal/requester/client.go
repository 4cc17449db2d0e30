package requester

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"time"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match"
	"github.com/angler-dex/angler/internal/mesh"
)

// Client makes requests under one identity.
type Client struct {
	Key        *identity.Key
	Mesh       *mesh.Node
	Finder     Finder
	Pool       *identity.Pool       // nil: open market
	Membership *identity.Membership // nil outside a pool
	Store      *Store
	Rand       io.Reader
	Now        func() time.Time
	Log        *slog.Logger
	Progress   func(Event) // may be nil; called from several goroutines, one at a time
}

// Phase names how far a request is.
type Phase string

// The phases of a request, in order. A rerun begins again at Invited.
const (
	Discovered Phase = "discovered" // Done providers so far
	Invited    Phase = "invited"    // Done of Of accepted
	Connected  Phase = "connected"  // all parties to each other
	Decided    Phase = "decided"
	Dropped    Phase = "dropped" // Done providers are left out of the rerun
	Claimed    Phase = "claimed" // waiting for the namespace
	Confirmed  Phase = "confirmed"
)

// Event is one step of a request, for whoever draws progress. It says nothing
// of quantities and prices.
type Event struct {
	Phase    Phase
	Done, Of int
}

// Bounds are how many providers a request wants to run among, and how long
// finding a result may take.
type Bounds struct {
	MinProviders int
	MaxProviders int
	Deadline     time.Duration // discover to result; 0: none but the context's
}

// Reruns is how often a match is run again without those that failed.
const Reruns = 3

// Request runs one request to its end: a confirmed lease with its grant, stored.
//
// Errors: ErrNoFit, ErrDeadline, ErrAborted, *TooFewError, *ProvisionError,
// dht.ErrNoBootstrap, those of the store and of the context.
func (c *Client) Request(ctx context.Context, req market.Request, b Bounds) (Lease, error) {
	if err := req.Validate(); err != nil {
		return Lease{}, err
	}
	search, cancel := ctx, func() {}
	if b.Deadline > 0 {
		search, cancel = context.WithTimeout(ctx, b.Deadline)
	}
	defer cancel()
	lease, leave, err := c.place(search, req, b)
	if err != nil {
		if ctx.Err() == nil && search.Err() != nil {
			return Lease{}, ErrDeadline
		}
		return Lease{}, err
	}
	lease, err = c.Claim(ctx, lease)
	settle, done := context.WithTimeout(ctx, settleWithin)
	defer done()
	leave(settle)
	return lease, err
}

// settleWithin is how long a requester that has its result stays for the other
// providers to get theirs.
const settleWithin = 3 * time.Second

// place finds providers and runs matches among them until one decides.
func (c *Client) place(ctx context.Context, req market.Request, b Bounds) (Lease, func(context.Context), error) {
	candidates, err := c.discover(ctx, req, b.MaxProviders)
	if err != nil {
		return Lease{}, nil, err
	}
	seeker, err := c.seeker()
	if err != nil {
		return Lease{}, nil, err
	}
	for try := 0; ; try++ {
		if len(candidates) < max(b.MinProviders, 1) {
			return Lease{}, nil, &TooFewError{Found: len(candidates), Wanted: max(b.MinProviders, 1)}
		}
		var lease Lease
		out, leave, err := seeker.Play(ctx, req, candidates, b.MinProviders, func(o match.Outcome) error {
			if !o.Matched {
				return nil
			}
			lease = c.won(req, o)
			return c.Store.Put(lease)
		})
		var failed *match.FailedError
		var few *match.TooFewError
		switch {
		case err == nil && !out.Matched:
			c.settle(ctx, leave)
			return Lease{}, nil, ErrNoFit
		case err == nil:
			return lease, leave, nil
		case errors.As(err, &few):
			return Lease{}, nil, &TooFewError{Found: few.Accepted, Wanted: few.Wanted}
		case !errors.As(err, &failed):
			return Lease{}, nil, err
		case try == Reruns:
			return Lease{}, nil, errors.Join(ErrAborted, err)
		}
		c.Log.Info("match failed; running it again", "without", len(failed.Drop), "err", failed.Err)
		candidates = slices.DeleteFunc(candidates, func(m match.Candidate) bool {
			return slices.Contains(failed.Drop, m.Record.ID)
		})
		c.progress(Event{Phase: Dropped, Done: len(failed.Drop)})
	}
}

func (c *Client) settle(ctx context.Context, leave func(context.Context)) {
	ctx, cancel := context.WithTimeout(ctx, settleWithin)
	defer cancel()
	leave(ctx)
}

func (c *Client) seeker() (*match.Seeker, error) {
	s := &match.Seeker{Key: c.Key, Pool: c.Pool, Rand: c.Rand, Now: c.Now}
	if c.Pool != nil {
		s.PoolName = c.Pool.Name
	}
	if c.Membership != nil {
		raw, err := c.Membership.Encode()
		if err != nil {
			return nil, err
		}
		s.Membership = raw
	}
	s.Progress = func(st match.Step) { c.progress(Event{Phase: Phase(st.Phase), Done: st.Done, Of: st.Of}) }
	return s, nil
}

func (c *Client) won(req market.Request, o match.Outcome) Lease {
	return Lease{
		ID: o.Lease, SID: o.SID[:], State: Claiming, Class: req.Class, Quantity: req.Quantity, Price: o.Price,
		Duration: req.Duration, Policy: req.Policy, Provider: o.Winner.ID, Record: o.Winner.Record, Roster: o.Roster,
		Created: c.Now().UTC(),
	}
}

func (c *Client) progress(e Event) {
	if c.Progress != nil {
		c.Progress(e)
	}
}
