package requester

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/angler-dex/angler/internal/match"
)

// How long a claim may take in all. Of several parts the first grant dies if it
// is not confirmed within two minutes, so the last must not take that long.
const (
	claimWithin = 4 * time.Minute
	splitWithin = 100 * time.Second
)

// Claim brings a stored lease to its end: it claims every part of what was won,
// validates and stores the grants, and only when it has all of them confirms
// them. It may be called again after any interruption: every step is idempotent.
//
// A lease is whole or not at all. If one part will never be provided, the others
// are given back, and the lease is stored as Lost; or as Releasing, if a part
// that may have been confirmed could not be given back. If providers cannot be
// reached it stays as it is and may be claimed again.
//
// The error is a *ProvisionError if a provider does not provide. Other errors
// are the store's and the context's.
func (c *Client) Claim(ctx context.Context, l Lease) (Lease, error) { return c.claim(ctx, l, nil) }

// claim is Claim; right after a match, of which settled tells the disputes, a lease of
// several parts is given up as well if some cannot be reached, for there is another
// way to have one.
func (c *Client) claim(ctx context.Context, l Lease, settled func() []match.Dispute) (Lease, error) {
	atOnce := settled != nil
	if l.State != Claiming && l.State != Granted {
		return l, nil
	}
	c.progress(Event{Phase: Claimed, Of: len(l.Parts)})
	within := claimWithin
	if len(l.Parts) > 1 {
		within = splitWithin
	}
	limited, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	begun := c.Now()
	if l.State == Claiming {
		parts, faults := c.every(limited, l, claiming, c.collect)
		if ctx.Err() != nil {
			return l, ctx.Err()
		}
		c.countClaim(l, begun, faults, settled)
		switch {
		case faults.gone() || faults != nil && atOnce && len(l.Parts) > 1:
			return c.undo(ctx, l, l.with(parts), faults)
		case faults != nil:
			return l, faults.provision(l)
		}
		granted := l.with(parts)
		granted.State = Granted
		var err error
		if l, err = c.Store.Note(l, granted); err != nil {
			return l, err
		}
		if l.State != Granted && l.State != Active {
			return l, fmt.Errorf("lease %s is %s meanwhile", l.ID.Short(), l.State)
		}
	}
	parts, faults := c.every(limited, l, confirming, c.confirm)
	confirmed := l.with(parts)
	if ctx.Err() != nil {
		stored, err := c.Store.Note(l, confirmed)
		return stored, errors.Join(ctx.Err(), err)
	}
	c.countClaim(l, begun, faults, settled)
	switch {
	case faults.gone() || faults != nil && atOnce && len(l.Parts) > 1:
		return c.undo(ctx, l, confirmed, faults)
	case faults != nil:
		stored, err := c.Store.Note(l, confirmed)
		return stored, errors.Join(faults.provision(l), err)
	}
	confirmed.State = Active
	l, err := c.Store.Note(l, confirmed)
	if err != nil {
		return l, err
	}
	c.progress(Event{Phase: Confirmed, Done: len(l.Parts), Of: len(l.Parts)})
	return l, nil
}

// collect claims a part until there is a grant or a refusal.
func (c *Client) collect(ctx context.Context, link match.Opener, l Lease, p Part) (Part, error) {
	asked := c.Now()
	granted, err := match.ClaimLease(ctx, link, l.deal(p, c.Key.ID()), c.Now)
	if lie, ok := errors.AsType[*match.LieError](err); ok {
		// It holds capacity for us that is of no use.
		if err = match.ReleaseLease(ctx, link, p.ID); err != nil {
			c.log().Info("not released", "lease", p.ID.Short(), "err", err)
		}
		return p, &goneError{Reason: "its grant is not acceptable", Err: lie.Err}
	}
	if err != nil {
		return p, refused(err)
	}
	p.Grant, p.Receipt, p.Signed = &granted.Grant, granted.Receipt, granted.Signed
	// The lease began when it was granted, which may be a while ago, but not
	// before it was won, whatever its provider's clock says.
	begun := c.Now().UTC()
	if granted.Issued.Before(begun) {
		begun = granted.Issued
	}
	if begun.Before(l.Created) {
		begun = l.Created.UTC()
	}
	p.State, p.Expires = Granted, begun.Add(l.Duration)
	if c.Now().Sub(asked) > LateAfter {
		c.count(Late, p.Provider)
	}
	return p.at(granted.Record, c.Now()), nil
}

// confirm tells a provider that all grants are stored.
func (c *Client) confirm(ctx context.Context, link match.Opener, _ Lease, p Part) (Part, error) {
	if p.State == Active {
		return p, nil
	}
	if err := match.ConfirmLease(ctx, link, p.ID, match.SignReceipt(c.Key, p.Receipt)); err != nil {
		return p, refused(err)
	}
	p.State = Active
	return p, nil
}

// refused tells a provider that will not from one that cannot be heard.
func refused(err error) error {
	if no, ok := errors.AsType[*match.RefusedError](err); ok {
		return &goneError{Reason: no.Error()}
	}
	return away(err)
}
