package requester

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/match"
)

// How long a claim may take in all, and how it deals with a link that breaks
// under it: it reconnects a few times, for a provider that was restarted is back
// in seconds and still knows the reservation.
const (
	claimWithin   = 4 * time.Minute
	reconnects    = 2
	reconnectWait = time.Second
)

// Claim brings a stored lease to its end: it claims what was won, validates
// and stores the grant, and confirms it. It may be called again after any
// interruption: every step is idempotent.
//
// The error is a *ProvisionError if the provider does not provide. If it will
// not, ever, the lease is stored as Lost; otherwise it stays as it is and may be
// claimed again. Other errors are the store's and the context's.
func (c *Client) Claim(ctx context.Context, l Lease) (Lease, error) {
	if l.State != Claiming && l.State != Granted {
		return l, nil
	}
	c.progress(Event{Phase: Claimed})
	limited, cancel := context.WithTimeout(ctx, claimWithin)
	defer cancel()
	for try := 0; ; try++ {
		var err error
		l, err = c.claimOnce(limited, l)
		switch {
		case err == nil:
			return l, nil
		case ctx.Err() != nil:
			return l, ctx.Err()
		case !errors.Is(err, errAway):
			return l, err
		case try == reconnects || limited.Err() != nil:
			return l, &ProvisionError{Reason: "it cannot be reached", Err: err}
		}
		c.log().Info("claiming again", "lease", l.ID.Short(), "err", err)
		select {
		case <-time.After(reconnectWait):
		case <-limited.Done():
		}
	}
}

// errAway marks a fault of the way to the provider, which says nothing of the
// lease.
var errAway = errors.New("no answer")

func (c *Client) claimOnce(ctx context.Context, l Lease) (Lease, error) {
	link, err := c.connect(ctx, l)
	if err != nil {
		return l, fmt.Errorf("%w: %w", errAway, err)
	}
	if l.State == Claiming {
		if l, err = c.collect(ctx, link, l); err != nil {
			return l, err
		}
	}
	return c.confirm(ctx, link, l)
}

// collect claims until there is a grant or a refusal.
func (c *Client) collect(ctx context.Context, link match.Opener, l Lease) (Lease, error) {
	granted, err := match.ClaimLease(ctx, link, l.deal(c.Key.ID()), c.Now)
	if lie, ok := errors.AsType[*match.LieError](err); ok {
		// It holds capacity for us that is of no use.
		if err = match.ReleaseLease(ctx, link, l.ID); err != nil {
			c.log().Info("not released", "lease", l.ID.Short(), "err", err)
		}
		return c.lost(l, "its grant is not acceptable", lie.Err)
	}
	if err != nil {
		return c.refused(l, err)
	}
	l.Grant, l.Receipt, l.Signed = &granted.Grant, granted.Receipt, granted.Signed
	// The lease began when it was granted, which may be a while ago.
	begun := c.Now().UTC()
	if granted.Issued.Before(begun) {
		begun = granted.Issued
	}
	l.State, l.Expires = Granted, begun.Add(l.Duration)
	return l, c.Store.Put(l)
}

// confirm tells the provider that the grant is stored.
func (c *Client) confirm(ctx context.Context, link match.Opener, l Lease) (Lease, error) {
	if err := match.ConfirmLease(ctx, link, l.ID, match.SignReceipt(c.Key, l.Receipt)); err != nil {
		return c.refused(l, err)
	}
	l.State = Active
	if err := c.Store.Put(l); err != nil {
		return l, err
	}
	c.progress(Event{Phase: Confirmed})
	return l, nil
}

// refused tells a provider that will not from one that cannot be heard.
func (c *Client) refused(l Lease, err error) (Lease, error) {
	if refused, ok := errors.AsType[*match.RefusedError](err); ok {
		return c.lost(l, refused.Error(), nil)
	}
	return l, fmt.Errorf("%w: %w", errAway, err)
}

// lost stores that a provider will not provide, and says so.
func (c *Client) lost(l Lease, reason string, cause error) (Lease, error) {
	l, err := c.abandon(l, reason)
	if err != nil {
		return l, err
	}
	return l, &ProvisionError{Reason: reason, Err: cause}
}

// abandon stores that nothing more will come of a lease.
func (c *Client) abandon(l Lease, reason string) (Lease, error) {
	l.State, l.Reason, l.Grant = Lost, reason, nil
	return l, c.Store.Put(l)
}

// Release gives a lease back. Releasing one that is over already, for either
// side, is no error.
func (c *Client) Release(ctx context.Context, l Lease) (Lease, error) {
	if l.State == Released || l.State == Lost {
		return l, nil
	}
	link, err := c.connect(ctx, l)
	if err != nil {
		return l, fmt.Errorf("release lease %s: provider %s: %w", l.ID.Short(), l.Provider.Short(), err)
	}
	if err := match.ReleaseLease(ctx, link, l.ID); err != nil {
		return l, fmt.Errorf("release lease %s: %w", l.ID.Short(), err)
	}
	l.State, l.Grant = Released, nil
	return l, c.Store.Put(l)
}

// connect links to a lease's provider at the addresses of its signed record,
// however old: what counts is that it proves the identity.
func (c *Client) connect(ctx context.Context, l Lease) (match.Opener, error) {
	rec, err := identity.OpenRecord(l.Record, l.Created)
	if err != nil {
		return nil, err
	}
	if rec.ID != l.Provider {
		return nil, errors.New("the stored record is of another provider")
	}
	ctx, cancel := context.WithTimeout(ctx, c.Patience.WithDefaults().Connect)
	defer cancel()
	return c.Mesh.Connect(ctx, l.Provider, rec.Addrs)
}
