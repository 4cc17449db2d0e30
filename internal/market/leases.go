package market

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// Win turns the hold of sid into a reservation of q units at price, and of so
// much of each further dimension of the policy: in one transaction the lease is on disk, and what was held beyond q is free again.
// It is idempotent: the same session with the same outcome returns the lease
// that there is, in whatever state. Errors: ErrNoHold, ErrHoldOver, ErrNotHeld
// (q is 0, or something more than held), ErrUnderpaid (less than the offer asks a unit if q
// are taken), ErrConflict (another outcome is on record), ErrBroken.
func (l *Ledger) Win(sid [32]byte, q Quantity, price Price, further ...Quantity) (Lease, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	id := NewLeaseID(sid, l.provider)
	if lease, ok := l.leases[id]; ok {
		if lease.Quantity != q || lease.Price != price || !slices.Equal(lease.Further, further) {
			return Lease{}, ErrConflict
		}
		return lease.clone(), nil
	}
	h, ok := l.holds[sid]
	now := l.clock()
	switch {
	case !ok:
		return Lease{}, ErrNoHold
	case h.over(now):
		return Lease{}, ErrHoldOver
	case q == 0 || q > h.bid.Quantity || !within(further, h.bid.Further):
		return Lease{}, ErrNotHeld
	case price < h.bid.PriceOf(q):
		return Lease{}, ErrUnderpaid
	}
	lease := Lease{
		ID: id, SID: sid, Requester: h.ask.Requester, Offer: h.bid.Offer, Class: h.ask.Class, Policy: h.ask.Policy,
		Quantity: q, Price: price, State: Reserved, Duration: h.ask.Duration, Notice: h.bid.Notice, Reserved: now,
		Further: slices.Clone(further),
	}
	if err := l.writeLease(lease, now); err != nil {
		return Lease{}, err
	}
	delete(l.holds, sid)
	return lease.clone(), nil
}

// within says whether no number of won is above its one of held.
func within(won, held []Quantity) bool {
	for i, q := range won {
		if i >= len(held) && q > 0 || i < len(held) && q > held[i] {
			return false
		}
	}
	return true
}

// Advance takes a lease to another state; it is on disk when Advance returns,
// and so before the effect that it announces. edit, if not nil, may change the
// lease on the way: namespace, manifest, grant, receipt, reason. The
// ledger keeps the moments and Expires, and erases the grant at the end. Errors:
// ErrNoLease, *TransitionError, an error for an edit of what was agreed,
// ErrBroken. After an error the lease is as before.
func (l *Ledger) Advance(id LeaseID, to State, edit func(*Lease)) (Lease, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.change(id, &to, edit)
}

// Edit changes a lease within its state, as Advance does.
func (l *Ledger) Edit(id LeaseID, edit func(*Lease)) (Lease, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.change(id, nil, edit)
}

func (l *Ledger) change(id LeaseID, to *State, edit func(*Lease)) (Lease, error) {
	before, ok := l.leases[id]
	if !ok {
		return Lease{}, ErrNoLease
	}
	if to != nil {
		if err := before.State.Check(*to); err != nil {
			return Lease{}, err
		}
	}
	lease := before.clone()
	if edit != nil {
		edit(&lease)
		if err := lease.unchanged(before); err != nil {
			return Lease{}, err
		}
	}
	now := l.clock()
	if to != nil {
		lease.enter(*to, now)
	}
	lease.setExpires()
	if err := l.writeLease(lease, now); err != nil {
		return Lease{}, err
	}
	return lease.clone(), nil
}

// enter sets the state and its moment.
func (l *Lease) enter(to State, now Moment) {
	l.State = to
	switch to {
	case Provisioning:
		l.Started = now
	case Provisional:
		l.Granted = now
	case Active:
		l.Confirmed = now
	case Released, Failed:
		l.Ended, l.Grant, l.Promise = now, nil, Promise{}
	}
}

func (l *Lease) setExpires() {
	switch {
	case !l.Granted.IsZero():
		l.Expires = l.ends(l.Granted)
	case !l.Started.IsZero():
		l.Expires = l.ends(l.Started)
	}
}

// writeLease stores the row and, if it ended, drops rows whose time is up.
func (l *Ledger) writeLease(lease Lease, now Moment) error {
	var stale []LeaseID
	if lease.State.Terminal() {
		stale = l.stale(now)
	}
	err := l.update(func(w writer) error {
		return errors.Join(w.put(bucketLeases, lease.ID[:], lease.row()), w.removeLeases(stale))
	})
	if err != nil {
		return err
	}
	l.leases[lease.ID], l.ours[lease.ID] = lease, true
	l.forget(stale)
	return nil
}

// Prune drops rows that ended longer ago than Limits.Retain, and the oldest of
// more than Limits.RetainRows; it returns how many. Ending a lease prunes too.
func (l *Ledger) Prune() (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	stale := l.stale(l.clock())
	if len(stale) == 0 {
		return 0, nil
	}
	if err := l.update(func(w writer) error { return w.removeLeases(stale) }); err != nil {
		return 0, err
	}
	l.forget(stale)
	return len(stale), nil
}

func (l *Ledger) stale(now Moment) []LeaseID {
	var ended []Lease
	for _, lease := range l.leases {
		if lease.State.Terminal() {
			ended = append(ended, lease)
		}
	}
	slices.SortFunc(ended, func(a, b Lease) int { return a.Ended.Wall.Compare(b.Ended.Wall) })
	var stale []LeaseID
	for i, lease := range ended {
		if len(ended)-i > l.limits.RetainRows || lease.Ended.Elapsed(now) >= l.limits.Retain {
			stale = append(stale, lease.ID)
		}
	}
	return stale
}

func (l *Ledger) forget(ids []LeaseID) {
	for _, id := range ids {
		delete(l.leases, id)
		delete(l.ours, id)
	}
}

// Lease returns the row of that id.
func (l *Ledger) Lease(id LeaseID) (Lease, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	lease, ok := l.leases[id]
	return lease.clone(), ok
}

// Leases lists all rows, oldest first, ended ones among them.
func (l *Ledger) Leases() []Lease {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.list()
}

func (l *Ledger) list() []Lease { return l.listOf(func(*Lease) bool { return true }) }

// listOf lists copies of the rows that are wanted; the others are only looked
// at, for there may be thousands, with their receipts.
func (l *Ledger) listOf(wanted func(*Lease) bool) []Lease {
	list := []Lease{}
	for _, lease := range l.leases {
		if wanted(&lease) {
			list = append(list, lease.clone())
		}
	}
	slices.SortFunc(list, func(a, b Lease) int {
		return cmp.Or(a.Reserved.Wall.Compare(b.Reserved.Wall), bytes.Compare(a.ID[:], b.ID[:]))
	})
	return list
}

// CountActive counts the leases of a requester that are not over.
func (l *Ledger) CountActive(requester [32]byte) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.countActive(requester)
}

func (l *Ledger) countActive(requester [32]byte) int {
	n := 0
	for _, lease := range l.leases {
		if lease.Requester == requester && !lease.State.Terminal() {
			n++
		}
	}
	return n
}

func (l *Ledger) brokenErr() error { return fmt.Errorf("%w (%w)", ErrBroken, l.broken) }
