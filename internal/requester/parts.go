package requester

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/match"
)

// errAway marks a fault of the way to a provider, which says nothing of the
// lease.
var errAway = errors.New("no answer")

// errDelays says of a provider that it has put us off for as long as we wait.
var errDelays = errors.New("it says that it is at it, and comes to no end")

// away hides what the fault is to errors.Is: that our patience with a provider
// has ended is no deadline of the caller's.
func away(err error) error { return fmt.Errorf("%w: %s", errAway, err.Error()) }

// goneError says that nothing will come of a part any more.
type goneError struct {
	Reason string
	Err    error // may be nil
}

func (e *goneError) Error() string { return e.Reason }
func (e *goneError) Unwrap() error { return e.Err }

// partFault is what went wrong with one part.
type partFault struct {
	part int
	err  error // a goneError, one that is errAway, or the context's
}

// partFaults are what went wrong with the parts of a lease.
type partFaults []partFault

// gone tells whether a part is, for good.
func (f partFaults) gone() bool {
	for _, x := range f {
		if _, ok := errors.AsType[*goneError](x.err); ok {
			return true
		}
	}
	return false
}

// provision says which winners did not provide: those that will not, if there
// are any, for the others may have been given no time.
func (f partFaults) provision(l Lease) *ProvisionError {
	e := &ProvisionError{Winners: len(l.Parts)}
	certain := f.gone()
	for _, x := range f {
		g, gone := errors.AsType[*goneError](x.err)
		switch {
		case certain && !gone:
			continue
		case gone && e.Reason == "":
			e.Reason, e.Err = g.Reason, g.Err
		case e.Reason == "":
			e.Reason, e.Err = "it cannot be reached", x.err
		}
		e.Providers = append(e.Providers, l.Parts[x.part].Provider)
	}
	return e
}

// temper is how one deals with providers that fail.
type temper struct {
	hasty      bool // when one part is gone, what is under way for the others is given up
	reconnects int  // how often a link that breaks, or does not come about, is made again

	within time.Duration // for all of it with one provider; 0: the context's
}

// A provider that was restarted is back in seconds, and still knows what was
// won there: that is waited for. Later on, one reconnection tells a link that is
// stale from a provider that is away. One that asks for patience again and again
// is left: when it is to promise something, while the promises of others bind.
var (
	claiming   = temper{hasty: true, reconnects: 2}
	confirming = temper{reconnects: 2}
	preparing  = temper{hasty: true, reconnects: 1, within: time.Minute}
	asking     = temper{reconnects: 1, within: 2 * time.Minute}
)

const reconnectWait = time.Second

// partWork does something about one part over a link to its provider and
// returns what became of the part.
type partWork func(ctx context.Context, link match.Opener, l Lease, p Part) (Part, error)

// every does something about all parts that are not over, at once. It returns
// the parts as they are then, and what went wrong with which; nil: nothing did.
func (c *Client) every(ctx context.Context, l Lease, how temper, do partWork) ([]Part, partFaults) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	parts := make([]Part, len(l.Parts))
	errs := make([]error, len(l.Parts))
	var all sync.WaitGroup
	for k, p := range l.Parts {
		parts[k] = p
		if p.over() {
			continue
		}
		all.Go(func() {
			parts[k], errs[k] = c.reach(ctx, l, p, how, do)
			if _, gone := errors.AsType[*goneError](errs[k]); gone && how.hasty {
				cancel()
			}
		})
	}
	all.Wait()
	var faults partFaults
	for k, err := range errs {
		if err != nil {
			faults = append(faults, partFault{part: k, err: err})
		}
	}
	return parts, faults
}

// reach does something about one part, and again over a new link if that breaks.
func (c *Client) reach(outer context.Context, l Lease, p Part, how temper, do partWork) (Part, error) {
	ctx, cancel := outer, context.CancelFunc(func() {})
	if how.within > 0 {
		ctx, cancel = context.WithTimeout(outer, how.within)
	}
	defer cancel()
	for try := 0; ; try++ {
		link, err := c.connect(ctx, l, p)
		if err != nil {
			err = away(err)
		} else if p, err = do(ctx, link, l, p); err == nil {
			return p, nil
		}
		switch {
		case outer.Err() != nil:
			return p, fmt.Errorf("%w: %w", errAway, outer.Err())
		case ctx.Err() != nil:
			return p, away(errDelays)
		}
		if !errors.Is(err, errAway) || try == how.reconnects {
			return p, err
		}
		c.log().Info("trying again", "lease", p.ID.Short(), "err", err)
		select {
		case <-time.After(reconnectWait):
		case <-ctx.Done():
		}
	}
}

// connect links to a part's provider at the addresses of its last signed record,
// however old: what counts is that it proves the identity.
func (c *Client) connect(ctx context.Context, l Lease, p Part) (match.Opener, error) {
	met := p.Met
	if met.IsZero() {
		met = l.Created
	}
	rec, err := identity.OpenRecord(p.Record, met)
	if err != nil {
		return nil, err
	}
	if rec.ID != p.Provider {
		return nil, errors.New("the stored record is of another provider")
	}
	return c.trace(ctx, l.Class, p, rec.Addrs)
}
