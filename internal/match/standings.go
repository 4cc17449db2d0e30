package match

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/angler-dex/angler/internal/k8s"
	"github.com/angler-dex/angler/internal/market"
)

// Bounds on what a provider says of usage.
const (
	maxGauges       = 64
	maxResourceName = 253
	maxQuantity     = 64
)

// Standing is where a lease stands, as its provider says.
type Standing struct {
	State    market.State
	Left     time.Duration // until it ends, by the provider's boot-time clock
	Expires  time.Time     // the same by its wall clock
	Duration time.Duration // the whole term, from the grant
	Reclaim  time.Duration // the notice with which it may be taken back; 0: it is not
	Notice   market.NoticeKind
	Usage    []k8s.Usage // of the quota; nil: not known
	Record   []byte      // the provider's signed record, if it sent one that is good; for the next connection
}

// Fresh is a lease's grant with a credential that was just made.
type Fresh struct {
	Grant  k8s.Grant
	Notice market.NoticeKind
	Record []byte // as in Standing
}

// ShowLease asks where a lease stands. Of one that has ended it returns the
// standing, as far as the provider tells, with a *RefusedError. Other errors are
// a *LieError for an answer that cannot be, the context's and the link's.
func ShowLease(ctx context.Context, link Opener, d Deal, now func() time.Time) (Standing, error) {
	r, err := settled(ctx, link, LeaseRequest{Action: Show, Lease: d.Lease[:]})
	if err != nil {
		return Standing{}, err
	}
	var s Standing
	if r.Standing != nil {
		if s, err = r.Standing.typed(); err != nil {
			return Standing{}, &LieError{Err: err}
		}
	}
	s.Record = d.fresh(r, now())
	switch {
	case r.Status != StatusShown:
		return s, r.refusal()
	case r.Standing == nil || !s.State.Usable():
		return Standing{}, &LieError{Err: errStanding}
	}
	return s, nil
}

var errStanding = errors.New("where the lease stands makes no sense")

// typed checks what a provider says. Nothing that a peer sent gets into a
// terminal or a file but numbers, and names and quantities of their grammars.
func (w Stands) typed() (Standing, error) {
	s := Standing{State: market.State(w.State), Notice: market.NoticeKind(w.Kind), Expires: time.Unix(w.Expires, 0).UTC()}
	const most = uint64(market.MaxDuration / time.Second)
	year := s.Expires.Year()
	if !s.State.Stored() || w.Left > most || w.Seconds > most || w.Notice > most || w.Kind > uint8(market.NoticeDeleted) ||
		len(w.Usage) > maxGauges || year < 2000 || year > 9999 {
		return Standing{}, errStanding
	}
	s.Left, s.Duration, s.Reclaim = time.Duration(w.Left)*time.Second, time.Duration(w.Seconds)*time.Second, time.Duration(w.Notice)*time.Second
	for _, g := range w.Usage {
		used, usedErr := quantity(g.Used)
		hard, hardErr := quantity(g.Hard)
		if err := errors.Join(resourceName(g.Resource), usedErr, hardErr); err != nil {
			return Standing{}, err
		}
		s.Usage = append(s.Usage, k8s.Usage{Resource: g.Resource, Used: used, Hard: hard})
	}
	return s, nil
}

func resourceName(name string) error {
	if name == "" || len(name) > maxResourceName {
		return fmt.Errorf("%w: name of a resource", errStanding)
	}
	for _, c := range []byte(name) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '-', c == '_', c == '/':
		default:
			return fmt.Errorf("%w: name of a resource", errStanding)
		}
	}
	return nil
}

func quantity(text string) (string, error) {
	if len(text) > maxQuantity {
		return "", fmt.Errorf("%w: quantity", errStanding)
	}
	q, err := resource.ParseQuantity(text)
	if err != nil {
		return "", fmt.Errorf("%w: quantity", errStanding)
	}
	return q.String(), nil
}

// LeaseToken asks for a fresh credential of a lease that lives, to take the
// place of the one in its grant. What comes back has passed k8s.Grant.Validate.
// Errors are as of ShowLease.
func LeaseToken(ctx context.Context, link Opener, d Deal, grant k8s.Grant, now func() time.Time) (Fresh, error) {
	r, err := settled(ctx, link, LeaseRequest{Action: Token, Lease: d.Lease[:]})
	switch {
	case err != nil:
		return Fresh{}, err
	case r.Status != StatusToken:
		return Fresh{}, r.refusal()
	case r.Credential == nil:
		return Fresh{}, &LieError{Err: errors.New("no credential")}
	}
	grant.Token, grant.Certificate, grant.Key = r.Credential.Token, r.Credential.Certificate, r.Credential.Key
	grant.Expires = time.Unix(r.Credential.Expires, 0).UTC()
	if err := grant.Validate(now()); err != nil {
		return Fresh{}, &LieError{Err: err}
	}
	return Fresh{Grant: grant, Notice: r.noticed(), Record: d.fresh(r, now())}, nil
}
