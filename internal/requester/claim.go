package requester

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/match"
)

// Claim brings a stored lease to its end: it claims what was won, validates
// and stores the grant, and confirms it. It may be called again after any
// interruption: every step is idempotent.
//
// The error is a *ProvisionError if the provider will not or can not provide;
// the lease is then stored as Lost.
func (c *Client) Claim(ctx context.Context, l Lease) (Lease, error) {
	link, err := c.connect(ctx, l)
	if err != nil {
		return l, &ProvisionError{Reason: "it cannot be reached", Err: err}
	}
	if l.State == Claiming {
		c.progress(Event{Phase: Claimed})
		if l, err = c.collect(ctx, link, l); err != nil {
			return l, err
		}
	}
	if l.State == Granted {
		return c.confirm(ctx, link, l)
	}
	return l, nil
}

// collect claims until there is a grant or a refusal.
func (c *Client) collect(ctx context.Context, link match.Opener, l Lease) (Lease, error) {
	granted, err := match.ClaimLease(ctx, link, match.Deal{
		SID: [32]byte(l.SID), Lease: l.ID, Provider: l.Provider, Requester: c.Key.ID(),
		Class: l.Class, Quantity: l.Quantity, Price: l.Price, Duration: l.Duration,
	}, c.Now)
	if err != nil {
		return c.lost(l, err)
	}
	l.Grant, l.Receipt, l.Signed = &granted.Grant, granted.Receipt, granted.Signed
	l.State, l.Expires = Granted, c.Now().Add(l.Duration).UTC()
	return l, c.Store.Put(l)
}

// confirm tells the provider that the grant is stored.
func (c *Client) confirm(ctx context.Context, link match.Opener, l Lease) (Lease, error) {
	if err := match.ConfirmLease(ctx, link, l.ID, match.SignReceipt(c.Key, l.Receipt)); err != nil {
		return c.lost(l, err)
	}
	l.State = Active
	c.progress(Event{Phase: Confirmed})
	return l, c.Store.Put(l)
}

// lost stores that a provider will not provide; other errors leave the lease
// as it is, to be claimed again.
func (c *Client) lost(l Lease, err error) (Lease, error) {
	var refused *match.RefusedError
	if !errors.As(err, &refused) {
		return l, &ProvisionError{Reason: "no answer to the claim", Err: err}
	}
	l.State, l.Reason, l.Grant = Lost, refused.Error(), nil
	return l, errors.Join(&ProvisionError{Reason: refused.Error()}, c.Store.Put(l))
}

// Release gives a lease back. Releasing one that is over already is no error.
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
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return c.Mesh.Connect(ctx, l.Provider, rec.Addrs)
}

// Kubeconfig builds the kubeconfig of a lease from the grant's typed fields.
func (l Lease) Kubeconfig() ([]byte, error) {
	if l.Grant == nil {
		return nil, fmt.Errorf("lease %s is %s: it has no kubeconfig", l.ID.Short(), l.State)
	}
	return l.Grant.Kubeconfig("angler-" + l.ID.Short())
}
