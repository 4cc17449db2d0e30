package requester

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/angler-dex/angler/internal/market"
)

// Commands that run side by side may each learn something of one lease: kubectl
// asks for tokens whenever it likes, while its owner renews or releases. What
// each of them writes is what it has learned, onto what is stored by then, and
// one at a time: the lease's own file is the lock.

const (
	// lockWithin bounds the waiting for others, each of whom reads and writes one
	// file and waits for nothing meanwhile.
	lockWithin = 10 * time.Second
	lockEvery  = 5 * time.Millisecond
)

// ErrBusy says that another process holds a lease's file and does not let go.
var ErrBusy = errors.New("another process is writing it")

// errNothing says of an edit that there is nothing to write.
var errNothing = errors.New("nothing has changed")

// Change has a stored lease edited and writes it, while nobody else does. If edit
// fails nothing is written, and the error is its.
func (s *Store) Change(id market.LeaseID, edit func(*Lease) error) (Lease, error) {
	unlock, err := s.lock(id)
	if err != nil {
		return Lease{}, fmt.Errorf("lease %s: %w", id.Short(), err)
	}
	defer unlock()
	l, err := s.read(id)
	if err != nil {
		return Lease{}, err
	}
	if err := edit(&l); err != nil {
		return l, err
	}
	return l, s.Put(l)
}

// Note stores what became of a lease since it was base, beside what others have
// stored meanwhile, and returns all of it.
func (s *Store) Note(base, now Lease) (Lease, error) {
	l, err := s.Change(now.ID, func(stored *Lease) error {
		*stored = stored.also(base, now)
		return nil
	})
	switch {
	case errors.Is(err, fs.ErrNotExist): // it is the first to be known of it
		return now, s.Put(now)
	case err != nil:
		return now, err
	}
	return l, nil
}

// lock takes a lease's file. Whoever writes puts another file in its place, so one
// who has waited may have the lock of a file that is no more, and looks again.
func (s *Store) lock(id market.LeaseID) (unlock func(), err error) {
	path := s.path(id)
	for end := time.Now().Add(lockWithin); ; time.Sleep(lockEvery) {
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			return nil, err
		}
		held, err := tryLock(f)
		if held {
			if held, err = isAt(f, path); held {
				return func() { _ = f.Close() }, nil
			}
		}
		_ = f.Close()
		switch {
		case err != nil:
			return nil, err
		case time.Now().After(end):
			return nil, ErrBusy
		}
	}
}

// isAt tells whether an open file is the one that a path names.
func isAt(f *os.File, path string) (bool, error) {
	mine, err := f.Stat()
	if err != nil {
		return false, err
	}
	now, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && os.SameFile(mine, now), err
}

// also is a lease as it is stored, with what became of it since it was base. It
// only goes forward: who is late with what was before changes nothing.
func (l Lease) also(base, now Lease) Lease {
	l.Parts = slices.Clone(l.Parts)
	for k := range l.Parts {
		l.Parts[k] = l.Parts[k].also(base.Parts[k], now.Parts[k])
	}
	if now.State != base.State && now.State.follows(l.State) {
		l.State, l.Reason = now.State, now.Reason
	} else if now.Reason != base.Reason && now.State == l.State {
		l.Reason = now.Reason
	}
	return l
}

// also is a part as it is stored, with what became of it since it was base.
func (p Part) also(base, now Part) Part {
	if !now.Met.Equal(base.Met) {
		p.Record, p.Met = now.Record, now.Met
	}
	if p.over() {
		return p
	}
	if len(p.Receipt) == 0 {
		p.Receipt, p.Signed = now.Receipt, now.Signed
	}
	if now.Reclaimed != base.Reclaimed {
		p.Reclaimed = now.Reclaimed
	}
	if now.Grant != base.Grant {
		p.Grant = now.Grant
	}
	switch renewed := len(now.Renewals) > len(base.Renewals); {
	case renewed && len(now.Renewals) > len(p.Renewals):
		p.Renewals, p.Expires = now.Renewals, now.Expires
	case p.Expires.Equal(base.Expires):
		p.Expires = now.Expires
	}
	if now.Promise != base.Promise {
		p.Promise = now.Promise
	}
	if n := len(p.Renewals); n > 0 && p.Promise != nil && p.Promise.Total <= p.Renewals[n-1].Total {
		p.Promise = nil // another command has confirmed it
	}
	if now.State != base.State && now.State.follows(p.State) {
		p.State, p.Reason = now.State, now.Reason
	}
	return p
}

// follows tells whether a lease may come to s that has come to another state.
func (s State) follows(other State) bool {
	over := other == Released || other == Expired || other == Lost
	return !over && slices.Index(states, s) > slices.Index(states, other)
}
