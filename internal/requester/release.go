package requester

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/angler-dex/angler/internal/match"
)

// undoWithin bounds the giving back of parts for which another match waits.
const undoWithin = 10 * time.Second

// Release gives all parts of a lease back. Releasing one that is over already,
// for either side, is no error. That it is wanted is stored before anybody is
// told: a lease of which a part could not be given back is Releasing, and may be
// released again. The error then names the providers that did not answer.
func (c *Client) Release(ctx context.Context, l Lease) (Lease, error) {
	if l.State == Released || l.State == Expired || l.State == Lost {
		return l, nil
	}
	return c.giveBack(ctx, l, l)
}

// undo gives back what there is of a lease that will not be whole, stored as base,
// and returns why it will not. What nobody has confirmed dies by itself, and is Lost even if
// its provider cannot be reached.
func (c *Client) undo(ctx context.Context, base, l Lease, faults partFaults) (Lease, error) {
	failure := faults.provision(l)
	confirmed := l.State == Granted // or may be
	l.Parts = slices.Clone(l.Parts)
	for _, f := range faults {
		if gone, ok := errors.AsType[*goneError](f.err); ok {
			l.Parts[f.part].lose(gone.Reason)
		} else if !confirmed && !errors.Is(f.err, context.Canceled) {
			l.Parts[f.part].lose("it cannot be reached")
		}
	}
	l.Reason = failure.Reason
	limited, cancel := context.WithTimeout(ctx, undoWithin)
	defer cancel()
	l, err := c.giveBack(limited, base, l)
	switch {
	case l.State == Lost && err == nil:
		return l, failure
	case l.State == Releasing && !confirmed:
		l, err = c.abandon(l, failure.Reason)
	}
	return l, errors.Join(failure, err)
}

// abandon stores that nothing more will come of a lease that nobody has
// confirmed: what its providers still have of it they take back by themselves.
func (c *Client) abandon(l Lease, reason string) (Lease, error) {
	base := l
	l.Parts = slices.Clone(l.Parts)
	for k := range l.Parts {
		if p := &l.Parts[k]; !p.over() {
			p.lose(reason)
		}
	}
	l.State, l.Reason = Lost, reason
	return c.Store.Note(base, l)
}

// lose notes that nothing more will come of a part.
func (p *Part) lose(reason string) { p.State, p.Reason, p.Grant = Lost, reason, nil }

// giveBack releases the parts of a lease, stored as base, that are not over. If all
// are then, the lease is Released, or Lost if it has a reason; otherwise it is
// Releasing.
func (c *Client) giveBack(ctx context.Context, base, l Lease) (Lease, error) {
	var faults partFaults
	if slices.ContainsFunc(l.Parts, func(p Part) bool { return !p.over() }) {
		if l.State != Releasing {
			l.State = Releasing
			var err error
			if l, err = c.Store.Note(base, l); err != nil {
				return l, err
			}
			base = l
		}
		l.Parts, faults = c.every(ctx, l, asking, c.release)
	}
	if len(faults) == 0 {
		l.State = Released
		if l.Reason != "" {
			l.State = Lost
		}
	}
	l, err := c.Store.Note(base, l)
	if err != nil {
		return l, err
	}
	var errs []error
	for _, f := range faults {
		p := l.Parts[f.part]
		errs = append(errs, fmt.Errorf("release lease %s: provider %s: %w", p.ID.Short(), p.Provider.Short(), f.err))
	}
	return l, errors.Join(errs...)
}

// release gives one part back.
func (c *Client) release(ctx context.Context, link match.Opener, _ Lease, p Part) (Part, error) {
	if err := match.ReleaseLease(ctx, link, p.ID); err != nil {
		return p, away(err)
	}
	if p.State == Active {
		c.count(Kept, p.Provider)
	}
	p.State, p.Grant = Released, nil
	return p, nil
}
