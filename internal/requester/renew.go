package requester

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match"
)

// RenewError says that a lease is not renewed, or not in all parts. It goes on
// as it was.
type RenewError struct {
	Renewed, Parts int // parts that are, of so many
	Err            error
}

func (e *RenewError) Error() string {
	if e.Renewed == 0 {
		return fmt.Sprintf("the lease is not renewed: %v", e.Err)
	}
	return fmt.Sprintf("the lease is renewed in %d of %d parts; renew it again by the same time: %v", e.Renewed, e.Parts, e.Err)
}

func (e *RenewError) Unwrap() error { return e.Err }

// Renew makes an active lease last longer by more, in all parts or in none: each
// provider promises the longer term, the promises are stored, and only when
// there are all of them each is confirmed. Called again after an interruption
// with the same time it finishes what it began: the longer term is counted from
// the grant, and from the term that all parts have.
//
// The error is a *RenewError if a provider does not renew or cannot be reached,
// a *market.FieldError of "duration" for a time that cannot be, or the store's.
func (c *Client) Renew(ctx context.Context, l Lease, more time.Duration) (Lease, error) {
	if l.State != Active {
		return l, fmt.Errorf("lease %s is %s: it cannot be renewed", l.ID.Short(), l.State)
	}
	total := l.shared() + more.Truncate(time.Second)
	if more < time.Second || total > market.MaxDuration {
		return l, &market.FieldError{Field: "duration", Problem: "must be a second or more, and the lease no longer than a year in all", Example: "1h"}
	}
	parts, faults := c.every(ctx, l, preparing, func(ctx context.Context, link match.Opener, l Lease, p Part) (Part, error) {
		return c.prepare(ctx, link, l, p, total)
	})
	l, err := c.heard(l, parts, faults)
	if err != nil {
		return l, &RenewError{Parts: len(l.Parts), Err: err}
	}
	parts, faults = c.every(ctx, l, asking, c.renew)
	l, err = c.heard(l, parts, faults)
	if err != nil {
		done := 0
		for _, p := range l.Parts {
			if l.Term(p) >= total && !p.over() {
				done++
			}
		}
		return l, &RenewError{Renewed: done, Parts: len(l.Parts), Err: err}
	}
	return l, nil
}

// shared is the term that all parts have which are not over.
func (l Lease) shared() time.Duration {
	term := time.Duration(-1)
	for _, p := range l.Parts {
		if t := l.Term(p); !p.over() && (term < 0 || t < term) {
			term = t
		}
	}
	return max(term, 0)
}

// prepare has a provider promise the longer term.
func (c *Client) prepare(ctx context.Context, link match.Opener, l Lease, p Part, total time.Duration) (Part, error) {
	if l.Term(p) >= total {
		p.Promise = nil // of a renewal that was given up
		return p, nil   // it was renewed when another part was not
	}
	last := p.Receipt
	if n := len(p.Renewals); n > 0 {
		last = p.Renewals[n-1].Receipt
	}
	r, err := match.PrepareRenewal(ctx, link, l.deal(p, c.Key.ID()), last, total, c.Now)
	if err != nil {
		return p, ended(err)
	}
	p.Promise = &Renewal{Total: r.Total, Receipt: r.Receipt, Signed: r.Signed}
	return p.at(r.Record, c.Now()), nil
}

// renew confirms a promise.
func (c *Client) renew(ctx context.Context, link match.Opener, l Lease, p Part) (Part, error) {
	if p.Promise == nil {
		return p, nil
	}
	r := match.Renewal{Total: p.Promise.Total, Receipt: p.Promise.Receipt, Signed: p.Promise.Signed}
	if err := match.ConfirmRenewal(ctx, link, l.deal(p, c.Key.ID()), r, match.SignReceipt(c.Key, r.Receipt)); err != nil {
		return p, ended(err)
	}
	p.Expires = p.Expires.Add(r.Total - l.Term(p))
	p.Renewals, p.Promise = append(slices.Clone(p.Renewals), *p.Promise), nil
	return p, nil
}

// Receipts are the receipts of a part, signed by both sides: the first, and one
// for each renewal. There are none before it was confirmed.
func (c *Client) Receipts(l Lease, part int) ([]match.SignedReceipt, error) {
	p := l.Parts[part]
	if len(p.Receipt) == 0 || p.State == Claiming || p.State == Granted {
		return nil, errors.New("there is no receipt: the lease was never confirmed")
	}
	list := []match.SignedReceipt{{Receipt: p.Receipt, Provider: p.Signed, Requester: match.SignReceipt(c.Key, p.Receipt)}}
	for _, r := range p.Renewals {
		list = append(list, match.SignedReceipt{Receipt: r.Receipt, Provider: r.Signed, Requester: match.SignReceipt(c.Key, r.Receipt)})
	}
	return list, nil
}
