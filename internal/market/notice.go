package market

import "time"

// Notice is what the people who use a lease's namespace are told about its end,
// there and when the requester asks.
type Notice struct {
	Kind NoticeKind
	Ends time.Time // Lease.Expires, to the second
}

// NoticeKind says what a notice is about.
type NoticeKind uint8

// The kinds of notices.
const (
	NoNotice      NoticeKind = iota // the end is far
	NoticeExpiry                    // the term ends soon: see NoticeLead
	NoticeReclaim                   // the provider takes the lease back
	NoticeDeleted                   // it has ended: somebody has deleted its namespace
)

var noticeNames = [...]string{NoNotice: "none", NoticeExpiry: "expiry", NoticeReclaim: "reclaim", NoticeDeleted: "deleted"}

// String is the kind in one word.
func (k NoticeKind) String() string {
	if int(k) >= len(noticeNames) {
		return "unknown"
	}
	return noticeNames[k]
}

// NoticeLead is how long before the end of a term notice is given: a tenth of
// it, but no less than a minute and no more than an hour; of terms below two
// minutes, half.
func NoticeLead(term time.Duration) time.Duration {
	return min(max(term/10, time.Minute), time.Hour, term/2)
}

// NoticeAt is the notice that fits a granted lease at now.
func (l Lease) NoticeAt(now Moment) Notice {
	n := Notice{Ends: l.Expires.Truncate(time.Second)}
	switch {
	case l.Reason == Deleted.String():
		n.Kind = NoticeDeleted
	case !l.Reclaimed.IsZero():
		n.Kind = NoticeReclaim
	case l.Left(now) <= NoticeLead(l.Duration):
		n.Kind = NoticeExpiry
	}
	return n
}

// Telling is a lease in use whose namespace should say something else about its
// end than it does: first of all when it ends, for when a namespace is made it can
// only say the latest end that the lease may have.
type Telling struct {
	Lease  Lease
	Notice Notice
}

// Tellings lists what is to be told now, oldest lease first. Like Due it is
// level-triggered: an entry stands there until Told says that it was done.
func (l *Ledger) Tellings() []Telling {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.clock()
	untold := func(lease *Lease) bool {
		// Who has not confirmed yet is about to: nothing is to stand in the way.
		if !lease.State.Usable() || lease.over(now) != 0 || lease.Told.Ends.IsZero() && lease.State != Active {
			return false
		}
		n := lease.NoticeAt(now)
		return n.Kind != lease.Told.Kind || !n.Ends.Equal(lease.Told.Ends)
	}
	var list []Telling
	for _, lease := range l.listOf(untold) {
		list = append(list, Telling{lease, lease.NoticeAt(now)})
	}
	return list
}

// Told notes that a lease's namespace says n. Errors: ErrNoLease, ErrBroken.
func (l *Ledger) Told(id LeaseID, n Notice) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	lease, ok := l.leases[id]
	if !ok {
		return ErrNoLease
	}
	lease = lease.clone()
	lease.Told = n
	return l.writeLease(lease, l.clock())
}
