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

// Standings are what the providers say of a lease's parts; nil for a part that
// is over, or whose provider does not say.
type Standings []*match.Standing

// Show asks the providers where the parts of an active lease stand, and stores
// what is news: that a part ends sooner, because its provider takes it back, as
// the receipt allows it to, or is over. A part that is over before its time is Lost, and counted against its
// provider.
//
// The error names the providers that cannot be reached or make no sense; what the
// others say is returned all the same.
func (c *Client) Show(ctx context.Context, l Lease) (Lease, Standings, error) {
	if l.State != Active {
		return l, make(Standings, len(l.Parts)), nil
	}
	told := make(Standings, len(l.Parts))
	parts, faults := c.every(ctx, l, asking, func(ctx context.Context, link match.Opener, l Lease, p Part) (Part, error) {
		s, err := match.ShowLease(ctx, link, l.deal(p, c.Key.ID()), c.Now)
		if err != nil {
			return p, ended(err)
		}
		told[l.place(p.ID)] = &s
		p = p.at(s.Record, c.Now())
		end := c.Now().UTC().Add(s.Left)
		if end.Before(p.Expires.Add(-market.Grace)) && !(s.Notice == market.NoticeReclaim && p.mayBeTakenBack()) {
			return p, errEarly
		}
		p.Expires, p.Reclaimed = end, s.Notice == market.NoticeReclaim
		return p, nil
	})
	l, err := c.heard(l, parts, faults)
	return l, told, err
}

// errEarly says of a provider that it means to end a part before its time: what
// was agreed stays on record here, and by it the part is lost, not over.
var errEarly = errors.New("it says that the part ends earlier than its receipt does")

// mayBeTakenBack tells whether the receipt of a part states a notice.
func (p Part) mayBeTakenBack() bool {
	r, err := match.ReadReceipt(p.Receipt)
	return err == nil && r.Notice > 0
}

// Token gives a token of a part that is good for a while: the stored one, or a
// fresh one, which is stored. fresh asks for a fresh one in any case.
func (c *Client) Token(ctx context.Context, l Lease, part int, fresh bool) (Lease, error) {
	p := l.Parts[part]
	if l.State != Active || p.Grant == nil {
		return l, fmt.Errorf("lease %s is %s: it has no token", p.ID.Short(), p.State)
	}
	if !fresh && p.Grant.Expires.Sub(c.Now()) > tokenMargin {
		return l, nil
	}
	p, err := c.reach(ctx, l, p, asking, func(ctx context.Context, link match.Opener, l Lease, p Part) (Part, error) {
		f, err := match.LeaseToken(ctx, link, l.deal(p, c.Key.ID()), *p.Grant, c.Now)
		if err != nil {
			return p, ended(err)
		}
		p.Grant = &f.Grant
		return p.at(f.Record, c.Now()), nil
	})
	parts := slices.Clone(l.Parts)
	parts[part] = p
	var faults partFaults
	if err != nil {
		faults = partFaults{{part, err}}
	}
	return c.heard(l, parts, faults)
}

// tokenMargin is how long a token must still be good to be used again: kubectl
// asks for another when it is refused, not before.
const tokenMargin = 5 * time.Minute

// NeedsTokens tells whether Token would ask for a fresh token of some part.
func (l Lease) NeedsTokens(now time.Time) bool {
	return l.State == Active && slices.ContainsFunc(l.Parts, func(p Part) bool {
		return p.Grant != nil && p.Grant.Expires.Sub(now) <= tokenMargin
	})
}

// ended tells a lease that is over from one about which nothing was learned.
func ended(err error) error {
	no, ok := errors.AsType[*match.RefusedError](err)
	if !ok {
		return away(err)
	}
	if no.Status == match.StatusDenied {
		return no
	}
	return &goneError{Reason: no.Error()}
}

// heard stores what was learned of an active lease's parts: what became of those
// of base. What another process has stored meanwhile stays. A part that is gone is
// Lost; if it was the last, so is the lease.
func (c *Client) heard(base Lease, parts []Part, faults partFaults) (Lease, error) {
	parts = slices.Clone(parts)
	var errs []error
	var reason string
	for _, f := range faults {
		p := &parts[f.part]
		errs = append(errs, fmt.Errorf("part %s at provider %s: %w", p.ID.Short(), p.Provider.Short(), f.err))
		gone, ok := errors.AsType[*goneError](f.err)
		if !ok {
			continue
		}
		if c.Now().Before(p.Expires) {
			c.count(Broken, p.Provider)
		}
		p.lose(gone.Reason)
		reason = gone.Reason
	}
	l, err := c.Store.Change(base.ID, func(l *Lease) error {
		*l = l.also(base, base.with(parts))
		if l.State == Active && !slices.ContainsFunc(l.Parts, func(p Part) bool { return !p.over() }) {
			l.State, l.Reason = Lost, reason
		}
		return nil
	})
	if err != nil {
		l = base.with(parts)
	}
	return l, errors.Join(append(errs, err)...)
}

// place is where a part stands among the others; -1: nowhere.
func (l Lease) place(id market.LeaseID) int {
	return slices.IndexFunc(l.Parts, func(p Part) bool { return p.ID == id })
}

// at is the part with a newer record of its provider, if there is one: it is
// reached there the next time.
func (p Part) at(record []byte, now time.Time) Part {
	if len(record) > 0 {
		p.Record, p.Met = record, now.UTC().Truncate(time.Second)
	}
	return p
}
