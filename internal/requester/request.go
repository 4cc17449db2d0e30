package requester

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match"
)

// Bounds are how many providers a request wants to run among, where they may be,
// and how long finding a result may take.
type Bounds struct {
	MinProviders int           // 0: 1
	MaxProviders int           // 0, or more than a match may have: match.MaxProviders
	Deadline     time.Duration // discover to result; 0: none but the context's

	MaxRTT time.Duration // to each provider, as measured; 0: any
	Region string        // geohash prefix of each provider's cell; "": any
	Near   *Near         // those near this place go first; nil: those near the requester

	Workload []byte // SHA-256 of the manifests that the lease is for, which is said in its receipts; nil: of none
}

// Reruns is how often a match is run again without those that failed.
const Reruns = 3

// settleWithin is how long a requester that has its result stays for the other
// providers to get theirs.
const settleWithin = 3 * time.Second

// Request runs one request to its end: a confirmed lease with its grant, stored.
// A match that fails, and a winner that does not provide, are left behind: the
// next match runs without those at fault, as long as there are enough others.
//
// Errors: ErrNoFit, ErrDeadline, ErrAborted, *TooFewError, *PolicyError, *ProvisionError,
// dht.ErrNoBootstrap, those of the store and of the context.
func (c *Client) Request(ctx context.Context, req market.Request, b Bounds) (Lease, error) {
	if err := req.Validate(); err != nil {
		return Lease{}, err
	}
	seeker, err := c.seeker()
	if err != nil {
		return Lease{}, err
	}
	search, cancel := ctx, func() {}
	if b.Deadline > 0 {
		search, cancel = context.WithTimeout(ctx, b.Deadline)
	}
	defer cancel()
	r := &request{client: c, seeker: seeker, req: req, least: max(b.MinProviders, 1), tries: 1 + Reruns, workload: b.Workload}
	if b.MaxProviders <= 0 || b.MaxProviders > match.MaxProviders {
		b.MaxProviders = match.MaxProviders
	}
	if r.candidates, err = c.discover(search, req, b); err != nil {
		return Lease{}, inTime(ctx, search, err)
	}
	defer r.remember()
	return r.run(ctx, search)
}

// inTime says of an error what it means to the user: its own interruption and
// the deadline go before what they caused.
func inTime(ctx, search context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case search.Err() != nil:
		return ErrDeadline
	}
	return err
}

// request is one request under way.
type request struct {
	client     *Client
	seeker     *match.Seeker
	req        market.Request
	least      int
	candidates []match.Candidate // that are left
	tries      int               // matches that are left
	workload   []byte
	timing     Timing // of the last match that came to a result
	suspicion  suspicion
	unfit      bool // nothing fitted among a part
	busy       int  // that declined a rerun
}

// run places and claims until a lease is active.
func (r *request) run(ctx, search context.Context) (Lease, error) {
	var unprovided error // what became of the winners so far
	for {
		lease, leave, err := r.place(search)
		switch {
		case err != nil && unprovided != nil && ctx.Err() == nil:
			return Lease{}, unprovided
		case err != nil:
			return Lease{}, inTime(ctx, search, err)
		}
		settled := sync.OnceValue(func() []match.Dispute { return settle(ctx, leave) })
		lease, err = r.client.claim(ctx, lease, settled)
		disputes := settled()
		if err == nil {
			return lease, nil
		}
		unprovided = err
		failure, ok := errors.AsType[*ProvisionError](err)
		if !ok || lease.State == Granted || lease.State == Releasing || r.tries == 0 || search.Err() != nil {
			// A part that could not be confirmed, or given back, may be active
			// over there: another match could end in two leases.
			return lease, unprovided
		}
		r.drop(r.atFault(failure.Providers, disputes)...)
		if len(r.candidates) < r.least {
			return lease, unprovided
		}
		r.client.log().Info("a winner did not provide; running another match", "lease", lease.ID.Short(), "why", failure)
		if lease.State == Claiming { // nor will it be claimed: the reservation dies by itself
			if lease, err = r.client.abandon(lease, failure.Reason); err != nil {
				return lease, err
			}
		}
	}
}

// settle lets the others get their results, and returns what those say that did not.
func settle(ctx context.Context, leave func(context.Context) []match.Dispute) []match.Dispute {
	ctx, cancel := context.WithTimeout(ctx, settleWithin)
	defer cancel()
	return leave(ctx)
}

// atFault is who is left out after winners did not provide: they, and whom they say that
// they have no result because of. Such a winner stays if too few were left without it:
// who spoilt its result would have had it out of the way.
func (r *request) atFault(winners []identity.PeerID, disputes []match.Dispute) (drop []identity.PeerID) {
	var disputed []identity.PeerID
	for _, id := range winners {
		of := namedBy(disputes, id)
		if of.IsZero() {
			drop = append(drop, id)
			continue
		}
		disputed = append(disputed, id)
		if !slices.Contains(drop, of) {
			drop = append(drop, of)
		}
	}
	for _, id := range disputed {
		if !slices.Contains(drop, id) && len(r.candidates)-len(drop) > r.least {
			drop = append(drop, id)
		}
	}
	return drop
}

// namedBy is whom a provider is in a dispute with, zero if it is in none.
func namedBy(disputes []match.Dispute, id identity.PeerID) identity.PeerID {
	for _, d := range disputes {
		if d.By == id {
			return d.Of
		}
	}
	return identity.PeerID{}
}

// drop leaves providers out from now on that were at fault.
func (r *request) drop(ids ...identity.PeerID) {
	if len(ids) > 0 {
		r.leaveOut(ids)
		r.client.progress(Event{Phase: Dropped, Done: len(ids)})
	}
}

// leaveOut forgets candidates.
func (r *request) leaveOut(ids []identity.PeerID) {
	r.candidates = slices.DeleteFunc(r.candidates, func(m match.Candidate) bool { return slices.Contains(ids, m.Record.ID) })
}

// won is the lease of a decided match, before anything is claimed.
func (r *request) won(o match.Outcome) Lease {
	l := Lease{
		SID: o.SID[:], State: Claiming, Timing: &r.timing, Class: r.req.Class, Duration: r.req.Duration, Policy: r.req.Policy, Further: r.req.Further,
		Workload: r.workload, Roster: o.Roster, Created: r.client.Now().UTC(),
		Holder: r.client.Holder,
	}
	for _, p := range o.Parts {
		l.Parts = append(l.Parts, Part{
			ID: p.Lease, State: Claiming, Quantity: p.Quantity, Price: p.Price, Provider: p.Member.ID, Record: p.Member.Record,
		})
	}
	l.order()
	return l
}
