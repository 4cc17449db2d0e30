package market

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

// IsDue is the entry of one lease in Due; ok is false if there is none. A lease that
// was listed may have moved on: it was claimed or confirmed in the last moment.
func (l *Ledger) IsDue(id LeaseID) (d Due, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	lease, ok := l.leases[id]
	if !ok {
		return Due{}, false
	}
	reason := l.limits.reason(lease, l.ours[id], l.clock())
	return Due{Lease: lease.clone(), Reason: reason}, reason != 0
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
