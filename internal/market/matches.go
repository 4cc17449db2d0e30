package market

import (
	"bytes"
	"cmp"
	"errors"
	"slices"
	"time"
)

// Match counts: per requester, how many matches in which minute of the last
// MatchWindow. They bound what a requester can learn by asking again and again,
// so they outlive restarts.

const (
	// maxPeers bounds the requesters that are counted; those whose last match
	// is the oldest are dropped first.
	maxPeers      = 1 << 16
	sweepInterval = time.Hour
)

// RecordMatch counts one match for peer: one that reached F8, finished or not,
// and every rerun. It is on disk when it returns, so call it before what it
// bounds is released.
func (l *Ledger) RecordMatch(peer [32]byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.clock()
	minute := now.Wall.Unix() / 60
	slots := fresh(l.matches[peer], minute)
	if n := len(slots); n > 0 && slots[n-1].Minute >= minute { // also if the clock was set back
		if slots[n-1].Count < 1<<31 {
			slots[n-1].Count++
		}
	} else {
		slots = append(slots, matchSlot{Minute: minute, Count: 1})
	}
	drop := l.sweep(peer, now)
	err := l.update(func(w writer) error {
		errs := []error{w.put(bucketMatches, peer[:], matchRow{Slots: slots})}
		for _, p := range drop {
			errs = append(errs, w.remove(bucketMatches, p[:]))
		}
		return errors.Join(errs...)
	})
	if err != nil {
		return err
	}
	l.matches[peer] = slots
	for _, p := range drop {
		delete(l.matches, p)
	}
	return nil
}

// fresh copies the slots that are within MatchWindow of minute.
func fresh(slots []matchSlot, minute int64) []matchSlot {
	oldest := minute - int64(MatchWindow/time.Minute)
	return slices.DeleteFunc(slices.Clone(slots), func(s matchSlot) bool { return s.Minute < oldest })
}

// sweep chooses the peers to forget: once an hour those without a match in the
// window, and whenever there are too many the ones that were quiet the longest.
func (l *Ledger) sweep(keep [32]byte, now Moment) [][32]byte {
	if !l.swept.IsZero() && l.swept.Elapsed(now) < sweepInterval && len(l.matches) < maxPeers {
		return nil
	}
	l.swept = now
	type quiet struct {
		peer [32]byte
		last int64
	}
	var peers []quiet
	for peer, slots := range l.matches {
		if peer != keep && len(slots) > 0 {
			peers = append(peers, quiet{peer, slots[len(slots)-1].Minute})
		}
	}
	slices.SortFunc(peers, func(a, b quiet) int {
		return cmp.Or(cmp.Compare(a.last, b.last), bytes.Compare(a.peer[:], b.peer[:]))
	})
	room := len(peers)
	if room >= maxPeers {
		room = maxPeers / 8 * 7 // not one by one
	}
	oldest := (now.Wall.Unix() - int64(MatchWindow/time.Second)) / 60
	var drop [][32]byte
	for i, p := range peers {
		if p.last < oldest || len(peers)-i > room {
			drop = append(drop, p.peer)
		}
	}
	return drop
}

// MatchesSince counts the matches of peer since then, to the minute (a minute
// that has begun counts whole), at most MatchWindow back.
func (l *Ledger) MatchesSince(peer [32]byte, since time.Time) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.matchesSince(peer, since)
}

func (l *Ledger) matchesSince(peer [32]byte, since time.Time) int {
	n, from := 0, since.Unix()/60
	for _, s := range l.matches[peer] {
		if s.Minute >= from {
			n += int(s.Count)
		}
	}
	return n
}
