package market

import (
	"errors"
	"testing"
	"time"
)

func TestNoticeLead(t *testing.T) {
	for term, want := range map[time.Duration]time.Duration{
		time.Minute: 30 * time.Second, 2 * time.Minute: time.Minute, 10 * time.Minute: time.Minute, time.Hour: 6 * time.Minute,
		10 * time.Hour: time.Hour, MaxDuration: time.Hour,
	} {
		if got := NoticeLead(term); got != want {
			t.Errorf("%s: %s, want %s", term, got, want)
		}
	}
}

func TestTellings(t *testing.T) {
	b := termBench(t)
	id := b.active(1)
	check := func(when string, want NoticeKind, some bool) {
		t.Helper()
		list := b.Tellings()
		switch {
		case !some && len(list) != 0 || some && len(list) != 1:
			t.Errorf("%s: %d tellings", when, len(list))
		case some && (list[0].Notice.Kind != want || list[0].Lease.ID != id || list[0].Notice.Ends != list[0].Lease.Expires.Truncate(time.Second)):
			t.Errorf("%s: %+v", when, list[0].Notice)
		}
		if some {
			must1(t, b.Told(id, list[0].Notice))
			b.reopen()
			if again := b.Tellings(); len(again) != 0 {
				t.Errorf("%s: told, and again %d", when, len(again))
			}
		}
	}
	check("at first", NoNotice, true)
	b.clock.pass(54*time.Minute - time.Second)
	check("seven minutes before the end", NoNotice, false)
	b.clock.pass(time.Second)
	check("six minutes before the end", NoticeExpiry, true)
	b.promise(id, 2*time.Hour)
	check("when a renewal is prepared", NoNotice, false)
	_, err := b.Renew(id, 2*time.Hour, nil)
	must1(t, err)
	check("when it is renewed", NoNotice, true)
	_, err = b.Reclaim(id)
	must1(t, err)
	check("when it is taken back", NoticeReclaim, true)
	b.clock.pass(10 * time.Minute)
	check("when it is over", NoNotice, false)
	if err := b.Told(LeaseID{9}, Notice{}); !errors.Is(err, ErrNoLease) {
		t.Errorf("no lease: %v", err)
	}
}

// Who asks about a lease that ended since its namespace was deleted is told so.
func TestNoticeOfDeletion(t *testing.T) {
	b := termBench(t)
	id := b.active(1)
	for _, to := range []State{Expiring, Released} {
		l, err := b.Advance(id, to, func(l *Lease) { l.Reason = Deleted.String() })
		must1(t, err)
		if n := l.NoticeAt(b.clock.read()); n.Kind != NoticeDeleted || n.Kind.String() != "deleted" {
			t.Errorf("%s: %s", to, n.Kind)
		}
	}
	if list := b.Tellings(); len(list) != 0 {
		t.Errorf("%d tellings: there is no namespace to tell", len(list))
	}
}
