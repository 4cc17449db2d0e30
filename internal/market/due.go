package market

import (
	"cmp"
	"errors"
)

// Due is a lease that must be undone, and why.
type Due struct {
	Lease  Lease
	Reason Reason
}

// Reason says why a lease is due.
type Reason uint8

// Reasons, with the states in which they come up.
const (
	Unclaimed   Reason = iota + 1 // reserved for Limits.Unclaimed
	Interrupted                   // provisioning when an earlier process ended
	Stuck                         // provisioning for Limits.Provisioning
	Unconfirmed                   // provisional for Limits.Unconfirmed
	Expired                       // active for its duration
	Unfinished                    // expiring: deleting it has not ended yet
	TakenBack                     // reclaimed, and its notice has passed

	// Deleted is no reason to be due: its namespace is gone, by somebody else's
	// hand, which the cluster knows and not the clock.
	Deleted
)

var reasonNames = [...]string{
	Unclaimed: "unclaimed", Interrupted: "interrupted", Stuck: "stuck",
	Unconfirmed: "unconfirmed", Expired: "expired", Unfinished: "unfinished",
	TakenBack: "taken back by its provider", Deleted: "its namespace was deleted",
}

// String is the reason in words, fit for Lease.Reason.
func (r Reason) String() string {
	if r < Unclaimed || r > Deleted {
		return "unknown"
	}
	return reasonNames[r]
}

// Next is the state to advance to: an unclaimed reservation, of which the
// cluster knows nothing, is released at once; an unfinished one stays expiring
// until its objects are gone and then goes to Lease.End(); all others become
// expiring first.
func (d Due) Next() State {
	switch d.Reason {
	case Unclaimed:
		return Released
	case Unfinished:
		return d.Lease.End()
	default:
		return Expiring
	}
}

// Due lists what must be undone now, oldest first: pure data, the daemon does
// it. The list is level-triggered: an entry stands there until its lease moved
// on, and everything that an earlier process left half done is in it at once.
// A caller that works on several keeps account of those that it works on.
func (l *Ledger) Due() []Due {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.clock()
	reason := func(lease *Lease) Reason { return l.limits.reason(*lease, l.ours[lease.ID], now) }
	var due []Due
	for _, lease := range l.listOf(func(lease *Lease) bool { return reason(lease) != 0 }) {
		due = append(due, Due{Lease: lease, Reason: reason(&lease)})
	}
	return due
}

// ErrNotDue says that a lease moved on since Due listed it: it was claimed or
// confirmed in the last moment, or is undone already.
var ErrNotDue = errors.New("the lease is not due any more")

// Undo takes the first step: if the lease still is due for that reason, it goes
// to d.Next() with the reason noted, in one step with the look at it, so that a
// confirmation that comes at the same time either was first (ErrNotDue) or is
// too late. One that is Unfinished stays as it is and is returned.
func (l *Ledger) Undo(d Due) (Lease, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	lease, ok := l.leases[d.Lease.ID]
	if !ok || l.limits.reason(lease, l.ours[lease.ID], l.clock()) != d.Reason {
		return Lease{}, ErrNotDue
	}
	if d.Reason == Unfinished {
		return lease.clone(), nil
	}
	to := d.Next()
	return l.change(lease.ID, &to, func(lease *Lease) { lease.Reason = cmp.Or(lease.Reason, d.Reason.String()) })
}

// reason is pure: why lease is due at now, or 0.
func (l Limits) reason(lease Lease, ours bool, now Moment) Reason {
	switch lease.State {
	case Reserved:
		if lease.Reserved.Elapsed(now) >= l.Unclaimed {
			return Unclaimed
		}
	case Provisioning:
		if !ours {
			return Interrupted
		}
		if lease.Started.Elapsed(now) >= l.Provisioning {
			return Stuck
		}
	case Provisional:
		if lease.Granted.Elapsed(now) >= l.Unconfirmed {
			return Unconfirmed
		}
		return lease.over(now)
	case Active:
		return lease.over(now)
	case Expiring:
		return Unfinished
	}
	return 0
}
