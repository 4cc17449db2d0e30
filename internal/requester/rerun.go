package requester

import (
	"context"
	"errors"
	"fmt"

	"github.com/angler-dex/angler/internal/match"
)

// place runs matches until one decides: the first among all candidates, and once
// somebody has spoilt one, who cannot be told, among a part of them.
func (r *request) place(ctx context.Context) (Lease, func(context.Context) []match.Dispute, error) {
	r.unfit = false
	for {
		if len(r.candidates) < r.least {
			return Lease{}, nil, &TooFewError{Found: len(r.candidates), Busy: r.busy, Wanted: r.least}
		}
		drawn, partial, err := r.draw(ctx)
		switch {
		case err != nil:
			return Lease{}, nil, err
		case r.unfit && r.suspicion.passedAll(drawn):
			return Lease{}, nil, ErrNoFit // nobody else is left to be asked
		}
		r.tries--
		lease, out, leave, err := r.play(ctx, drawn)
		if err == nil {
			r.suspicion.pass(out.Among)
			if out.Matched() {
				return lease, leave, nil
			}
			settle(ctx, leave)
			err = ErrNoFit
		}
		if err = r.again(err, partial); err != nil {
			return Lease{}, nil, err
		}
	}
}

// errPartUnfit is not ErrNoFit: more might fit among those who were left out.
var errPartUnfit = errors.New("nothing fits among those whom nobody disturbed")

// again takes in why a match has placed nothing. It returns nil if another one is to
// be run, and else what the request ends with.
func (r *request) again(err error, partial bool) error {
	few, tooFew := errors.AsType[*match.TooFewError](err)
	failed, isFailed := errors.AsType[*match.FailedError](err)
	switch {
	case tooFew && partial && len(few.Declined) > 0: // others may accept; there was no match
		r.tries++
		r.busy += len(few.Declined)
		r.leaveOut(few.Declined)
		return nil
	case tooFew:
		return &TooFewError{Found: few.Accepted, Busy: r.busy + len(few.Declined), Wanted: few.Wanted}
	case isFailed:
		r.drop(failed.Drop...)
		r.suspect(failed.Suspects)
	case partial && errors.Is(err, ErrNoFit):
		r.unfit, err = true, errPartUnfit
	default:
		return err
	}
	if r.tries == 0 {
		return fmt.Errorf("%w, and so were its reruns: %w", ErrAborted, err)
	}
	r.client.log().Info("running another match", "of", len(r.candidates), "why", err)
	return nil
}

// draw chooses among whom the next match is to be run; partial says that the lot
// has left somebody out.
func (r *request) draw(ctx context.Context) (drawn []match.Candidate, partial bool, err error) {
	if !r.suspicion.any() {
		return r.candidates, false, nil
	}
	near, err := r.client.near(r.req.Policy, r.candidates, r.least, left(ctx))
	if err != nil {
		return nil, false, err
	}
	if drawn, err = r.suspicion.draw(near, r.least, r.client.Rand); err != nil {
		return nil, false, err
	}
	r.client.progress(Event{Phase: Drawn, Done: len(drawn), Of: len(r.candidates)})
	return drawn, len(drawn) < len(near), nil
}

// play runs one match among those of the candidates for whom there is time. What is
// won is stored.
func (r *request) play(ctx context.Context, drawn []match.Candidate) (lease Lease, out match.Outcome, leave func(context.Context) []match.Dispute, err error) {
	among, clock, err := r.invite(ctx, drawn)
	if err != nil {
		return Lease{}, match.Outcome{}, nil, err
	}
	out, leave, err = r.seeker.Play(ctx, r.req, among, r.least, func(o match.Outcome) error {
		r.timing = clock.stop(r.client)
		if !o.Matched() {
			return nil
		}
		lease = r.won(o)
		if r.client.Won != nil {
			if unkept := r.client.Won(lease.ID); unkept != nil {
				return unkept
			}
		}
		return r.client.Store.Put(lease)
	})
	return lease, out, leave, err
}
