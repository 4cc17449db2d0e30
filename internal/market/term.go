package market

import (
	"bytes"
	"errors"
	"fmt"
	"time"
)

// A lease's term is its Duration from the moment of its grant, on the boot-time
// clock. It is prolonged in two steps, so that a lease of several parts is
// prolonged in all or in none: Promise sets a longer term aside, Renew takes it.
// It is cut short by Reclaim, where the offer reserved that.

// PromiseTime is how long a prepared renewal may be confirmed.
const PromiseTime = 2 * time.Minute

// Promise is a longer term that has been offered to a lease's requester.
type Promise struct {
	Duration time.Duration // the whole term, from the grant; 0: there is no promise
	Made     Moment
	Receipt  []byte // what was answered, for a repeated question; not the ledger's business
}

// Open tells whether the promise binds at now.
func (p Promise) Open(now Moment) bool { return p.Duration != 0 && p.Made.Elapsed(now) < PromiseTime }

// Errors of Promise, Renew and Reclaim, beside ErrNoLease and ErrBroken.
var (
	ErrNotRenewable   = errors.New("the lease cannot be renewed")
	ErrNoPromise      = errors.New("no renewal of that term is prepared, or not any more")
	ErrNotReclaimable = errors.New("the lease cannot be taken back")
)

// Promise prepares a renewal to the term total. It binds for PromiseTime: the
// lease does not expire meanwhile, and Renew will succeed. Preparing the same
// term again returns the same promise and does not prolong it; another term
// replaces it. receipt is what to keep with it; it is called once, with the
// lease as it would be.
//
// The error wraps ErrNotRenewable, with why: the lease is not active, its time
// is over, it was taken back; total is not longer than the term; the offer is
// gone, paused, or does not give so long a term to this requester.
func (l *Ledger) Promise(id LeaseID, total time.Duration, receipt func(Lease) []byte) (Lease, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	lease, ok := l.leases[id]
	if !ok {
		return Lease{}, ErrNoLease
	}
	now := l.clock()
	if lease.Promise.Open(now) && lease.Promise.Duration == total && lease.State == Active {
		return lease.clone(), nil
	}
	if why := l.notRenewable(lease, total, now); why != "" {
		return Lease{}, fmt.Errorf("%w: %s", ErrNotRenewable, why)
	}
	renewed := lease.clone()
	renewed.Duration = total
	renewed.setExpires()
	lease = lease.clone()
	lease.Promise = Promise{Duration: total, Made: now, Receipt: receipt(renewed)}
	if err := l.writeLease(lease, now); err != nil {
		return Lease{}, err
	}
	return lease.clone(), nil
}

func (l *Ledger) notRenewable(lease Lease, total time.Duration, now Moment) string {
	o, offered := l.offers[lease.Offer]
	ask := Ask{Requester: lease.Requester, Member: true, Class: lease.Class, Policy: lease.Policy, Duration: total}
	switch {
	case lease.State != Active:
		return "it is " + lease.State.String()
	case validDuration(total) != nil:
		return "no duration"
	case total <= lease.Duration:
		return "that is not longer"
	case lease.Granted.Elapsed(now) >= lease.Duration:
		return "its time is over"
	case !lease.Reclaimed.IsZero():
		return "it is being taken back"
	case !offered:
		return "its offer is gone"
	case !o.Admits(ask):
		return "its offer does not allow it"
	}
	return ""
}

// Renew takes the promise of the term total; edit may change the lease on the
// way, as in Advance. Renewing to a term that the lease has already is no error
// and changes nothing. Errors: ErrNoPromise, a *TransitionError if the lease is
// not active any more.
func (l *Ledger) Renew(id LeaseID, total time.Duration, edit func(*Lease)) (Lease, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	before, ok := l.leases[id]
	now := l.clock()
	switch {
	case !ok:
		return Lease{}, ErrNoLease
	case before.State != Active:
		return Lease{}, &TransitionError{From: before.State, To: Active}
	case before.Duration >= total:
		return before.clone(), nil
	case !before.Promise.Open(now) || before.Promise.Duration != total:
		return Lease{}, ErrNoPromise
	}
	lease := before.clone()
	if edit != nil {
		edit(&lease)
		if err := lease.unchanged(before); err != nil {
			return Lease{}, err
		}
	}
	lease.Duration, lease.Promise = total, Promise{}
	lease.setExpires()
	if err := l.writeLease(lease, now); err != nil {
		return Lease{}, err
	}
	return lease.clone(), nil
}

// Reclaim takes a lease back: it ends when its Notice has passed, or its term,
// whichever is first. Taking back twice changes nothing. The error wraps
// ErrNotReclaimable for a lease that is not granted, is over, or was agreed
// without a notice.
func (l *Ledger) Reclaim(id LeaseID) (Lease, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	lease, ok := l.leases[id]
	switch {
	case !ok:
		return Lease{}, ErrNoLease
	case !lease.State.Usable():
		return Lease{}, fmt.Errorf("%w: it is %s", ErrNotReclaimable, lease.State)
	case lease.Notice == 0:
		return Lease{}, fmt.Errorf("%w: it was agreed without a notice", ErrNotReclaimable)
	case !lease.Reclaimed.IsZero():
		return lease.clone(), nil
	}
	now := l.clock()
	lease = lease.clone()
	lease.Reclaimed = now
	lease.setExpires()
	if err := l.writeLease(lease, now); err != nil {
		return Lease{}, err
	}
	return lease.clone(), nil
}

// Left is how long a granted lease lasts from now: never less than is owed, so
// that a clock that jumps ends nothing early. An open promise is not counted.
func (l Lease) Left(now Moment) time.Duration {
	if l.Granted.IsZero() || l.State.Terminal() || l.State == Expiring {
		return 0
	}
	left := l.Duration - l.Granted.Elapsed(now)
	if !l.Reclaimed.IsZero() {
		left = min(left, l.Notice-l.Reclaimed.Elapsed(now))
	}
	return max(0, left)
}

// over says why the time of a granted lease is over, or 0.
func (l Lease) over(now Moment) Reason {
	switch {
	case !l.Reclaimed.IsZero() && l.Reclaimed.Elapsed(now) >= l.Notice:
		return TakenBack
	case l.Granted.Elapsed(now) >= l.Duration && !l.Promise.Open(now):
		return Expired
	}
	return 0
}

func (p Promise) clone() Promise {
	p.Receipt = bytes.Clone(p.Receipt)
	return p
}

// ends is the wall clock's idea of the end of a term that began at begin.
func (l Lease) ends(begin Moment) time.Time {
	end := begin.Wall.Add(l.Duration)
	if !l.Reclaimed.IsZero() {
		if cut := l.Reclaimed.Wall.Add(l.Notice); cut.Before(end) {
			return cut
		}
	}
	return end
}
